import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import error_of
from PIL import Image

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from comparing import ODD, OPTIONS, SIZE, rows_of

from adain import Stylizer, weights
from adain.images import load_image, save_image
from adain.learning.comparison.compare import all_pairs, compare_methods, listed_pairs
from adain.learning.comparison.results import Compared
from adain.learning.comparison.runs import Runs
from adain.learning.evaluation.pairs import Pair
from adain.learning.gatys.options import GatysOptions
from adain.learning.gatys.run import optimize


def test_every_method_has_a_row_a_picture_and_its_clock(folder: Path, compared: Compared) -> None:
    rows = rows_of(folder)
    assert [row["method"] for row in rows] == [
        "fast, strength 0.5",
        "fast, strength 1",
        "Gatys, 1 from content",
        "Gatys, 3 from content",
        "Gatys, 2 from AdaIN",
    ]
    assert {(row["content"], row["style"]) for row in rows} == {("photo", ODD)}
    for result in compared.results:
        with Image.open(result.picture) as picture:
            assert (picture.size, picture.mode, picture.format) == ((SIZE, SIZE), "RGB", "PNG")
    seconds = [float(row["seconds"]) for row in rows]
    assert min(seconds) > 0 and seconds[3] > seconds[2] > seconds[1]


def test_adain_is_the_stylizer_and_gatys_is_gatys(pair: Pair, compared: Compared) -> None:
    content, style = (load_image(p).resized(SIZE, SIZE) for p in (pair.content, pair.style))
    stylizer = Stylizer("fast", "cpu", threads=1)
    found = {result.key: load_image(result.picture).rgb for result in compared.results}
    for alpha in (0.5, 1):
        expected = stylizer.stylize(content, stylizer.encode_style(style), alpha)
        # Half a level of rounding to 8 bits.
        np.testing.assert_allclose(found[f"fast-{alpha:g}"], expected.rgb, atol=0.51 / 255)
    expected = optimize(content, [style], GatysOptions(iterations=3, device="cpu")).picture
    # Other numbers of threads add up in another order, and the optimiser makes more of it.
    difference = np.abs(found["gatys-from-content-3"] - expected.rgb)
    assert difference.mean() < 1 / 255
    assert np.abs(found["gatys-from-content-1"] - expected.rgb).mean() > 2 * difference.mean()


def test_gatys_is_measured_by_its_own_loss(compared: Compared) -> None:
    results = {result.key: result for result in compared.results}
    last = results["gatys-from-content-3"]
    assert [point["iterations"] for point in last.curve] == [1, 2, 3]
    assert len(last.history) == 3 and not results["gatys-from-content-1"].history
    totals = [losses["total"] for losses in last.history]
    assert totals[0] > totals[1] > totals[2]
    for point, total in zip(last.curve, totals, strict=True):
        # Rounding to 8 bits changes it a little.
        assert point["gatys_loss"] == pytest.approx(total, rel=0.02)


def test_a_finished_comparison_is_not_made_again(
    folder: Path, pair: Pair, started: list[str]
) -> None:
    before = (folder / "metrics.csv").read_bytes()
    lines: list[str] = []
    compare_methods([pair], folder, OPTIONS, lines.append)
    assert started == [] and len(lines) == 4
    assert lines[:2] == [f"{folder}: 4 of 4 runs are there already", "one pair:"]
    assert (folder / "metrics.csv").read_bytes() == before


def test_an_interrupted_comparison_goes_on(
    copy: tuple[Path, Pair], started: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, pair = copy
    pictures = {path.name: path for path in folder.rglob("fast-*.png")}
    pictures["fast-0.5.png"].unlink()
    pictures["fast-1.png"].with_suffix(".json").write_text('{"made_of": ')
    (folder / "report.html").unlink()
    made = Runs.make

    def interrupted(runs: Runs, pair: Pair, method: Any, done: Any) -> None:
        if method.name == "fast-1":
            raise KeyboardInterrupt
        made(runs, pair, method, done)

    with monkeypatch.context() as patch:
        patch.setattr(Runs, "make", interrupted)
        with pytest.raises(KeyboardInterrupt):
            compare_methods([pair], folder, OPTIONS)
    assert started == ["fast-0.5"] and pictures["fast-0.5.png"].is_file()
    compare_methods([pair], folder, OPTIONS)
    assert started == ["fast-0.5", "fast-1"] and (folder / "report.html").is_file()


def test_pairs_come_from_lists_and_products(tmp_path: Path, photo: np.ndarray) -> None:
    for side in ("content", "style"):
        (tmp_path / side).mkdir()
        save_image(photo, tmp_path / side / "a.png")
    (tmp_path / "one.csv").write_text("content,style\na,a\n")
    content, style = tmp_path / "content" / "a.png", tmp_path / "style" / "a.png"
    assert listed_pairs(tmp_path / "one.csv") == all_pairs([content], [style])
    (tmp_path / "four.csv").write_text("content,style\na,a\na.png,a\na,a.png\na.png,a.png\n")
    assert len(listed_pairs(tmp_path / "four.csv", 2)) == 2
    message = error_of(lambda: listed_pairs(tmp_path / "four.csv", 5))
    assert message == "pairs: found 5; allowed is 1 to 4"
    assert "pairs.csv: not a readable CSV file" in error_of(lambda: listed_pairs(tmp_path))


def failure(pairs: Sequence[Pair], folder: Path) -> str:
    return error_of(lambda: compare_methods(pairs, folder, OPTIONS))


def test_what_cannot_be_compared_is_one_line(
    pair: Pair, tmp_path: Path, vgg19_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, broken = tmp_path / "out", tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    assert "pairs: found none" in failure([], out)
    assert "nowhere.png" in failure([Pair(pair.content, tmp_path / "nowhere.png")], out)
    assert "broken.png" in failure([Pair(broken, pair.style)], out)
    assert "broken.png/results" in failure([pair], broken)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/bin/false")
        assert "fast-0.5: found a process that ended with status 1" in failure([pair], out)
    monkeypatch.setattr(weights, "search_folders", list)
    assert "not found" in failure([pair], out)
    assert not (out / "report.html").exists()


def test_odd_names_and_a_broken_file_stop_no_comparison(
    pair: Pair, tmp_path: Path, vgg19_weights: Path
) -> None:
    """Bytes that are no UTF-8, two lines, one name twice: found out by nobody after the work."""
    data, pairs = pair.content.read_bytes(), []
    for name in (b"caf\xe9.png", b"two\nlines.png", b"same.png", b"Same.webp", b"broken.png"):
        path = tmp_path / os.fsdecode(name)
        path.write_bytes(data if name != b"broken.png" else b"no image")
        pairs.append(Pair(path, pair.style))
    options = replace(OPTIONS, alphas=(1,), iterations=(1,), adain_iterations=0)
    said: list[str] = []
    page = compare_methods(pairs, tmp_path / "report", options, said.append)
    assert "left out: " in said[0] and "broken.png" in said[0]
    found = list(dict.fromkeys(row["content"] for row in rows_of(tmp_path / "report")))
    assert found == ["caf\ufffd", "two?lines", "same", "Same (2)"]
    assert "two?lines" in page.read_text(encoding="utf-8")
    assert error_of(lambda: compare_methods(pairs[-1:], tmp_path / "none", options)).startswith(
        "no pair of readable images: "
    )
    assert not (tmp_path / "none").exists()
