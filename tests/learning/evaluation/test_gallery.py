import os
import re
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from safetensors.torch import save_file

from adain.cli.gallery import gallery as command
from adain.cli.run import run
from adain.images import save_image
from adain.learning.evaluation import (
    gallery,
    sheets,
)
from adain.learning.models.fast import Fast

RED, GREEN, BLUE, GRAY = (250, 0, 0), (0, 250, 0), (0, 0, 250), (128, 128, 128)


def plain(width: int, height: int, colour: tuple[int, int, int]) -> Image.Image:
    return Image.new("RGB", (width, height), colour)


def test_a_styles_sheet_has_a_row_for_each_content_and_the_style_in_the_corner() -> None:
    rows = [
        ("wide", [plain(96, 64, GRAY), plain(96, 64, RED), plain(96, 64, GREEN)]),
        ("tall", [plain(64, 96, GRAY), plain(64, 96, BLUE), plain(64, 96, RED)]),
    ]
    columns = ["content", "strength 0", "strength 1"]
    sheet = sheets.style_sheet("title", plain(48, 48, BLUE), columns, rows)
    corner = 96  # the style is as wide as a column
    top = corner + sheets.HEADER
    assert sheet.size == (3 * 96 + 2 * sheets.GAP, top + 64 + sheets.GAP + 96)
    step = 96 + sheets.GAP
    assert sheet.getpixel((corner // 2, corner // 2)) == BLUE
    assert [sheet.getpixel((32 + x * step, top + 60)) for x in range(3)] == [GRAY, RED, GREEN]
    lower = top + 64 + sheets.GAP + 90
    assert [sheet.getpixel((32 + x * step, lower)) for x in range(3)] == [GRAY, BLUE, RED]


def test_a_contents_sheet_has_each_style_in_a_corner() -> None:
    styles = {str(number): plain(40, 40, BLUE) for number in range(5)}
    pictures = {name: plain(80, 60, RED) for name in styles}
    sheet = sheets.content_sheet("title", plain(80, 60, GRAY), pictures, styles)
    assert sheet.size == (5 * 86 - 6, sheets.HEADER + 2 * 66 - 6)
    assert sheet.getpixel((40, sheets.HEADER + 40)) == GRAY
    assert sheet.getpixel((86 + 40, sheets.HEADER + 40)) == RED
    assert sheet.getpixel((86 + 77, sheets.HEADER + 57)) == BLUE
    assert sheet.getpixel((40, sheets.HEADER + 66 + 40)) == RED


def test_images_keep_their_shape_up_to_the_stride(folder: Path) -> None:
    assert gallery.load_sized(folder / "content" / "hill.png", 200, 8).shape == (1, 3, 160, 200)
    assert gallery.load_sized(folder / "content" / "lake.jpg", 64, 8).shape == (1, 3, 64, 56)
    save_image(np.zeros((4, 900, 3), np.uint8), folder / "thin.png")
    assert gallery.load_sized(folder / "thin.png", 64, 8).shape == (1, 3, 16, 64)


def test_the_command_writes_sheets_and_a_page_that_shows_them(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = "100% <b> #1"
    (folder / "style" / "lake.jpg").rename(folder / "style" / f"{odd}.jpg")
    path, output = folder / "untrained.safetensors", folder / "new" / "gallery"
    save_file(Fast().state_dict(), path)
    options = ["--model", "fast", "--weights", f"fast={path}", "--alpha", "0,1", "--size", "64"]
    assert run(command, [str(folder), "-o", str(output), *options]) == 0
    assert capsys.readouterr().out == f"{output / 'index.html'}: 4 sheets\n"
    sheet_names = {f"style-{odd}.jpg", "style-hill.jpg", "content-hill.jpg", "content-lake.jpg"}
    assert {path.name for path in (output / "fast").iterdir()} == sheet_names
    page = (output / "index.html").read_text()
    links = [unquote(link) for link in re.findall(r'href="([^"]+)"', page)]
    assert links == [f"fast/{name}" for name in (
        f"style-{odd}.jpg", "style-hill.jpg", "content-hill.jpg", "content-lake.jpg"
    )]  # fmt: skip
    assert "100% &lt;b&gt; #1" in page and "<b>" not in page
    assert "http" not in page and "{about}" not in page and "{rows}" not in page
    with Image.open(output / "fast" / "style-hill.jpg") as sheet:
        assert sheet.width == 3 * 64 + 2 * sheets.GAP


def test_a_folder_in_the_checkout_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    link = tmp_path / "link"
    os.symlink(gallery.CHECKOUT, link)
    for output in (gallery.CHECKOUT, gallery.CHECKOUT / "docs" / "gallery", link / "gallery"):
        assert run(command, [str(folder), "-o", str(output)]) == 2
        printed = capsys.readouterr()
        assert printed.out == "" and printed.err.count("\n") == 1
        assert "must not be published" in printed.err
    assert not (gallery.CHECKOUT / "gallery").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{folder}/style"], "style/content: not a folder"),
        (["{folder}", "--alpha", "0,2"], "--alpha: found '0,2'; allowed: numbers from 0 to 1"),
        (["{folder}", "--alpha", "nan"], "--alpha: found 'nan'"),
        (["{folder}", "--alpha", ""], "--alpha: found ''"),
        (["{folder}", "--size", "10"], "--size: found 10; allowed: an integer in 64..2048"),
        (["{folder}", "--model", "fast", "--weights", "fast={folder}/a"], "a: no such file"),
    ],
)
def test_a_bad_argument_is_one_line_and_status_2(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    given = [argument.format(folder=folder) for argument in arguments]
    assert run(command, [*given, "-o", str(folder / "out")]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and message in printed.err and printed.err.count("\n") == 1
    assert not (folder / "out").exists()


def test_no_name_and_no_broken_file_stops_a_gallery(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two of one name, bytes that are no UTF-8, two lines, and names as long as they may be."""
    picture = np.zeros((20, 20, 3), np.uint8)
    for name in (b"hill.jpg", b"caf\xe9.png", b"two\nlines.png", b"x" * 250 + b".png"):
        save_image(picture, os.fsdecode(os.fsencode(folder / "style") + b"/" + name))
    (folder / "content" / "broken.png").write_bytes(b"no image")
    os.symlink("/nowhere", folder / "content" / "dead.png")
    path, output = folder / "untrained.safetensors", folder / "gallery"
    save_file(Fast().state_dict(), path)
    options = ["--model", "fast", "--weights", f"fast={path}", "--alpha", "1", "--size", "64"]
    assert run(command, [str(folder), "-o", str(output), *options]) == 0
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 3 and said[-1] == f"{output / 'index.html'}: 8 sheets"
    assert "left out: " in said[0] and "broken.png" in said[0] and "dead.png" in said[1]
    names = {path.name for path in (output / "fast").glob("style-*")}
    assert {"style-hill.jpg", "style-hill (2).jpg", "style-caf\ufffd.jpg"} <= names
    assert len(names) == 6
