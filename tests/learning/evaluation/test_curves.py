import io
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adain.cli.curves import curves as command
from adain.cli.run import run
from adain.errors import AdaINError
from adain.learning.evaluation import curves

matplotlib = pytest.importorskip("matplotlib", reason="curves are drawn with matplotlib")


def write_log(folder: Path, *lines: dict[str, object]) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def falling(folder: Path, start: int = 10, count: int = 100) -> Path:
    """A log as `adain train` writes it, whose losses fall: 4 / step, twice and half of that."""
    lines: list[dict[str, object]] = []
    for step in range(start, start + 10 * count, 10):
        losses = {"target": 4 / step, "style": 8 / step, "pixel": 2 / step}
        lines.append({"step": step, "kind": "train", **losses, "total": 1, "images_per_second": 3})
        if step % 100 == 0:
            lines.append({"step": step, "kind": "held_out", **losses})
    return write_log(folder, *lines)


def test_stages_are_joined_in_order(tmp_path: Path) -> None:
    curve = curves.Curve()
    curve.extend(falling(tmp_path / "a") / "log.jsonl")
    curve.extend(falling(tmp_path / "again from the beginning") / "log.jsonl")
    curve.extend(falling(tmp_path / "from a checkpoint", start=2010) / "log.jsonl")
    assert curve.starts == [0, 1000, 2000]
    assert curve.end == 3000
    steps = [line[0].tolist() for line in curve.lines("held_out", "style")]
    assert steps == [list(range(first, first + 1000, 100)) for first in (100, 1100, 2100)]
    _, losses = next(curve.lines("train", "target"))
    np.testing.assert_allclose(losses, 4 / np.arange(10, 1001, 10))


def test_lines_may_lack_what_they_like_and_the_last_may_be_half(tmp_path: Path) -> None:
    folder = write_log(
        tmp_path / "run",
        {"step": 10, "pixel": 0.5},
        {"step": 20, "kind": "train", "style": 0, "target": math.nan, "pixel": math.inf},
        {"step": 20, "kind": "pictures"},
        {"step": 30, "kind": "train", "style": 3},
    )
    with (folder / "log.jsonl").open("a") as file:
        file.write('{"step": 40, "ki')
    curve = curves.Curve()
    curve.extend(folder / "log.jsonl")
    lines = {name: next(curve.lines("train", name)) for name in curves.PANELS}
    found = {name: [axis.tolist() for axis in line] for name, line in lines.items()}
    assert found == {"pixel": [[10], [0.5]], "style": [[30], [3]], "target": [[], []]}
    assert Image.open(io.BytesIO(curves.draw({"run": curve}))).width == curves.WIDTH


def test_smoothing_keeps_what_is_smooth_and_calms_noise() -> None:
    falling = np.exp(-np.arange(200.0) / 30)
    np.testing.assert_allclose(curves.smoothed(falling)[5:-5], falling[5:-5])
    noise = np.exp(np.random.default_rng(0).normal(size=2000))
    assert np.log(curves.smoothed(noise)).std() < 0.2
    assert curves.smoothed(np.array([])).size == 0
    assert curves.smoothed(np.array([2.0])).tolist() == pytest.approx([2])


def test_the_command_writes_a_picture(tmp_path: Path) -> None:
    runs = [falling(tmp_path / "a"), falling(tmp_path / "b"), falling(tmp_path / "c")]
    output = tmp_path / "curves.png"
    labels = ["--label", "joined", "--label", "joined", "--label", "alone"]
    assert run(command, [*map(str, runs), "-o", str(output), *labels]) == 0
    with Image.open(output) as picture:
        assert picture.format == "PNG" and picture.size == (curves.WIDTH, curves.HEIGHT)
        colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 20)}
    first, second, third = (tuple(bytes.fromhex(colour[1:])) for colour in curves.COLOURS[:3])
    assert first in colours and second in colours and third not in colours


@pytest.mark.parametrize(
    ("log", "arguments", "message"),
    [
        (None, [], "log.jsonl: not a readable log: No such file"),
        ("", [], "log.jsonl: found no losses"),
        ('{"step": 1}\nloss 3\n', [], "log.jsonl: line 2: found 'loss 3'; allowed: a JSON object"),
        ('{"kind": "train"}\n', [], "log.jsonl: line 1: found"),
        ("[1]\n", [], "log.jsonl: line 1: found '[1]'"),
        ('{"step": 1, "pixel": "low"}\n', [], "log.jsonl: line 1: found"),
        ('{"step": 1}\n', ["--label", "a", "--label", "b"], "--label: found 2 for 1 runs"),
        ('{"step": 1}\n', ["-o", "curves.jpg"], "curves.jpg: found the suffix '.jpg'"),
        ('{"step": 1, "pixel": 0}\n', [], "logs: found no positive loss"),
        (
            '{"step": 1, "pixel": 1}\n',
            ["-o", "no/where/curves.png"],
            "no/where/curves.png: found no folder",
        ),
    ],
)
def test_a_mistake_is_one_line_and_status_2(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    log: str | None,
    arguments: list[str],
    message: str,
) -> None:
    if log is not None:
        (tmp_path / "log.jsonl").write_text(log)
    given = [str(tmp_path), "-o", str(tmp_path / "curves.png"), *arguments]
    assert run(command, given) == 2
    printed = capsys.readouterr()
    assert message in printed.err and printed.err.count("\n") == 1
    assert not (tmp_path / "curves.png").exists()


def test_without_matplotlib_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(AdaINError, match=r"needs matplotlib.*pip install 'adain\[learn\]'"):
        curves.draw({})
