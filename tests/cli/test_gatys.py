"""``adain gatys`` and ``adain compare`` as a user runs them."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch", reason="the learning side needs PyTorch")

from adain.cli.main import cli
from adain.cli.run import run
from adain.learning.gatys import objective
from adain.learning.gatys import run as optimisation
from adain.learning.gatys.footprint import Plan
from adain.tiling import grid

pytestmark = pytest.mark.usefixtures("vgg19_weights")


def waves(path: Path, mode: str, size: tuple[int, int], seed: int) -> Path:
    """A picture of any mode; 16 bits for ``I;16``."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[: size[1], : size[0]] / 9
    channels = {"L": 1, "RGB": 3, "RGBA": 4, "I;16": 1}[mode]
    a, b, c = generator.uniform(-2, 2, (3, channels))
    unit = 0.5 + 0.45 * np.sin(x[..., None] * a + y[..., None] * b + c)
    levels = (65535 * unit).astype(np.uint16) if mode == "I;16" else (255 * unit).astype(np.uint8)
    Image.fromarray(levels.squeeze()).save(path)
    return path


def gatys(*arguments: object) -> int:
    return run(cli, ["gatys", *map(str, arguments)])


@pytest.mark.parametrize("mode", ["L", "RGBA", "I;16"])
def test_pictures_of_any_kind(
    tmp_path: Path, mode: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content = waves(tmp_path / "content.png", mode, (70, 45), 0)
    styles = [
        waves(tmp_path / "a.png", "RGB", (40, 64), 1),
        waves(tmp_path / "b.png", mode, (50, 33), 2),
    ]
    output, log = tmp_path / "out.png", tmp_path / "log.jsonl"
    options = ["--iterations", 2, "--max-side", 64, "--log", log]
    assert gatys(content, *styles, "-o", output, *options) == 0
    with Image.open(output) as image:
        assert image.size == (64, 41)
        assert image.mode == ("RGBA" if mode == "RGBA" else "RGB")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert len(lines) == 2 and lines[1]["total"] < lines[0]["total"]
    assert "64 x 41, 2 iterations" in capsys.readouterr().out


def test_an_interrupted_run_keeps_its_picture(tmp_path: Path) -> None:
    content = waves(tmp_path / "content.png", "RGB", (64, 64), 0)
    style = waves(tmp_path / "style.png", "RGB", (64, 64), 1)
    output = tmp_path / "out.png"
    command = [sys.executable, "-m", "adain", "gatys", content, style, "-o", output]
    process = subprocess.Popen(
        [*map(str, command), "--iterations", "100000", "--save-every", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    deadline = time.monotonic() + 120
    while not output.exists() and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.1)
    before = output.read_bytes()
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "interrupted" in printed
    with Image.open(output) as image:
        assert image.size == (64, 64)
    assert len(before) > 0


@pytest.mark.parametrize("iterations", [0, 2])
def test_by_tiles_it_ends_at_the_next_one(
    tmp_path: Path,
    iterations: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is written is the picture of the iterations before, if there are any."""
    content = waves(tmp_path / "content.png", "RGB", (120, 33), 0)
    style = waves(tmp_path / "style.png", "RGB", (64, 64), 1)
    monkeypatch.setattr(optimisation, "plan", lambda *_: Plan(tile=224))
    wanted, output = tmp_path / "wanted.png", tmp_path / "out.png"
    seen: list[object] = []
    last = math.inf

    def counted(*arguments: int) -> Iterator[object]:
        for boxes in grid(*arguments):
            seen.append(boxes)
            if len(seen) == last:
                signal.raise_signal(signal.SIGINT)
            yield boxes

    monkeypatch.setattr(objective, "grid", counted)
    # One tile of the style; for each iteration one for the sums of the whole, two for the gradient.
    done = 1 + 3 * iterations
    pictures = [content, style, "--style-scale", 0.4, "--optimizer", "adam"]
    assert gatys(*pictures, "-o", wanted, "--iterations", iterations) == 0 and len(seen) == done
    for more in range(3):
        seen.clear()
        last = done + more
        assert gatys(*pictures, "-o", output, "--iterations", 9) == 130 and len(seen) == last
        assert "interrupted" in capsys.readouterr().out
        assert output.exists() is (iterations > 0)
        if iterations:
            assert output.read_bytes() == wanted.read_bytes()


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--style-share", "1", "--style-share", "-1"], "found [1.0, -1.0]"),
        (["--mask", "missing.png"], "missing.png"),
        (["--style-layer", "relu7_1"], "relu7_1"),
        (["--style-layer", "relu1_1=much"], "relu1_1=much"),
        (["--iterations", "-1"], "iterations: found -1"),
        (["--save-every", "0"], "--save-every: found 0"),
        (["--init", "mean"], "init: found 'mean'"),
        (["--memory-limit", "much"], "memory_limit: found 'much'"),
    ],
)
def test_mistakes_are_one_line(
    tmp_path: Path, options: list[str], found: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content = waves(tmp_path / "content.png", "RGB", (40, 40), 0)
    styles = [waves(tmp_path / f"{seed}.png", "RGB", (40, 40), seed) for seed in (1, 2)]
    output = tmp_path / "out.png"
    assert gatys(content, *styles, "-o", output, *options) == 2
    printed = capsys.readouterr().err
    assert [line for line in printed.splitlines() if "Error" in line] and found in printed
    assert "Traceback" not in printed and not output.exists()


@pytest.mark.parametrize("option", ["-o", "--log"])
@pytest.mark.parametrize("name", ["content.png", "style.png", "mask.png"])
def test_an_input_is_never_written(
    tmp_path: Path, option: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content, style, mask = (
        waves(tmp_path / f"{name}.png", "RGB", (40, 40), seed)
        for seed, name in enumerate(("content", "style", "mask"))
    )
    before = (tmp_path / name).read_bytes()
    written = {"-o": tmp_path / "out.png", option: tmp_path / name}
    arguments = [value for pair in written.items() for value in pair]
    assert gatys(content, style, "--mask", mask, *arguments, "--iterations", 1) == 2
    assert f"{name}: found one of the inputs; allowed: another file" in capsys.readouterr().err
    assert (tmp_path / name).read_bytes() == before and not (tmp_path / "out.png").exists()


def test_the_log_is_not_the_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = waves(tmp_path / "content.png", "RGB", (40, 40), 0)
    output = tmp_path / "out.png"
    assert gatys(content, content, "-o", output, "--log", output, "--iterations", 1) == 2
    assert "out.png: found the picture to write as well" in capsys.readouterr().err
    assert not output.exists()


def test_no_iterations_write_the_content(tmp_path: Path) -> None:
    content = waves(tmp_path / "content.png", "RGB", (40, 36), 0)
    output = tmp_path / "out.png"
    assert gatys(content, content, "-o", output, "--iterations", 0) == 0
    with Image.open(output) as ours, Image.open(content) as theirs:
        assert np.array_equal(np.asarray(ours), np.asarray(theirs))


def test_without_vgg19_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ADAIN_WEIGHTS", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    content = waves(tmp_path / "content.png", "RGB", (40, 40), 0)
    assert gatys(content, content, "-o", tmp_path / "out.png", "--iterations", 1) == 2
    assert "adain models get vgg19" in capsys.readouterr().err


def test_compare_takes_pictures_or_pairs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(cli, ["compare", "-o", str(tmp_path / "report")]) == 2
    assert "give contents and --style, or --pairs" in capsys.readouterr().err
    arguments = ["compare", "a.png", "--style", "b.png", "--count", "1", "-o", str(tmp_path / "a")]
    assert run(cli, arguments) == 2
    assert "--count goes with --pairs" in capsys.readouterr().err
    content = waves(tmp_path / "content.png", "RGB", (64, 64), 0)
    style = waves(tmp_path / "style.png", "RGB", (64, 64), 1)
    (tmp_path / "contact-sheet.png").write_bytes(content.read_bytes())
    arguments = ["compare", tmp_path / "contact-sheet.png", "--style", style, "-o", tmp_path]
    assert run(cli, [str(argument) for argument in arguments]) == 2
    assert "contact-sheet.png: found one of the inputs" in capsys.readouterr().err
    report = tmp_path / "report"
    arguments = ["compare", content, "--style", style, "-o", report, "--size", 64]
    arguments += ["--model", "fast", "--alpha", 1, "--iterations", 2, "--adain-iterations", 1]
    assert run(cli, [str(argument) for argument in arguments]) == 0
    files = {"report.html", "metrics.csv", "losses.png", "contact-sheet.png"}
    assert files <= set(os.listdir(report))
