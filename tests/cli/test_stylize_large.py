"""``adain stylize`` of contents that memory is too small for."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adain.cli.main import cli
from adain.cli.run import run
from adain.options import STYLE_SIDE, style_side_for


@pytest.fixture
def folder(tmp_path: Path, photo: np.ndarray, painting: np.ndarray, monkeypatch) -> Path:
    Image.fromarray(photo).resize((900, 700)).save(tmp_path / "photo.png")
    Image.fromarray(painting).resize((900, 1200)).save(tmp_path / "style.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def stylize(output: str, *options: str) -> int:
    arguments = ["stylize", "photo.png", "style.png", "-o", output, "--device", "cpu", *options]
    return run(cli, arguments)


def levels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path)).astype(int)


def test_what_a_limit_does_not_hold_is_tiled_and_told(folder, stylizer, painting, capsys):
    assert stylize("out.png", "--memory-limit", "40MB") == 0
    said = capsys.readouterr()
    assert said.err == (
        "photo.png: 900 x 700 pixels, for which fast takes 0.1 GB at once: tiles of 418 pixels\n"
    )
    assert said.out.startswith("out.png: 900 x 700, model fast on cpu, ")
    expected = stylizer.stylize(folder / "photo.png", folder / "style.png")
    assert np.abs(levels(folder / "out.png") - np.asarray(expected)).max() <= 1


def test_deep_zoom_and_statistics_from_a_thumbnail(folder, capsys):
    pytest.importorskip("pyvips")
    assert stylize("out.dzi", "--statistics-from", "thumbnail", "--memory-limit", "40MB") == 0
    assert (folder / "out_files" / "10" / "0_0.jpg").is_file()
    assert "tiles of 418 pixels" in capsys.readouterr().err
    assert stylize("out.png", "--pyramid") == 2
    assert "out.png: found a pyramid in '.png'; allowed: .tif" in capsys.readouterr().err


def test_strokes_grow_with_the_picture_by_choice(folder, stylizer):
    assert [style_side_for(w, h) for w, h in ((900, 700), (800, 1400), (9000, 20))] == [
        *(STYLE_SIDE, 700, 2 * STYLE_SIDE)
    ]
    Image.open(folder / "photo.png").resize((1400, 300)).save(folder / "photo.png")
    assert stylize("out.png", "--style-size", "auto") == 0
    expected = stylizer.stylize(folder / "photo.png", folder / "style.png", style_size=700)
    assert np.array_equal(levels(folder / "out.png"), np.asarray(expected))
    assert stylize("out.png", "--style-size", "large") == 2
