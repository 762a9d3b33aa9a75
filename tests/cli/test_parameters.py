"""What can be checked before the work is: in every command that writes."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch", reason="the learning side needs PyTorch")

from adain.cli.main import cli
from adain.cli.run import run

PICTURE = {"folder.png": "a folder or device", "no/out.png": "no folder", "notes/out.png": ""}
FILE = {"folder.png": "a folder or device", "no/out": "no folder", "/proc/nothing/out": ""}
FOLDER = {"notes": "a file", "notes/run": "", "/proc/nothing/run": "", "dead": "a link to nothing"}
# What does the work of each command, its arguments, and outputs that it must refuse before.
COMMANDS = {
    "stylize": ("stylizer.Stylizer", "photo.png photo.png -o {}", PICTURE),
    "gatys": ("learning.gatys.run.optimize", "photo.png photo.png -o {}", PICTURE),
    "gatys --log": (
        "learning.gatys.run.optimize",
        "photo.png photo.png -o out.png --log {}",
        FILE,
    ),
    "train": ("learning.training.loop.train", "eval/content eval/style --steps 1 -o {}", FOLDER),
    "pack": (
        "learning.training.pack.load_image",
        "eval/content -o {} --megabytes 1",
        {**FOLDER, "eval": "not empty"},
    ),
    "pack two": (
        "learning.training.pack.write_rounded",
        "eval/content eval/style -o {} --megabytes 9 --vgg",
        {**FOLDER, "eval": "not empty"},
    ),
    "export": ("learning.onnx.export.export_model", "--model fast -o {}", FOLDER),
    "quantize": (
        "learning.onnx.quantize.quantize_model",
        "eval/content eval/style --model vgg19 -o {}",
        FOLDER,
    ),
    "gallery": ("learning.evaluation.gallery.write_gallery", "eval -o {}", FOLDER),
    "compare": (
        "learning.comparison.compare.compare_methods",
        "photo.png --style photo.png -o {}",
        {**FOLDER, "report": "a folder or device"},
    ),
    "evaluate": ("learning.evaluation.evaluate.evaluate_models", "eval --csv {}", FILE),
    "curves": ("learning.evaluation.curves.draw", "run -o {}", PICTURE),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one of each input, a file, a folder and a dead link, in which commands run."""
    photo = Image.fromarray(np.zeros((40, 40, 3), np.uint8))
    photo.save(tmp_path / "photo.png")
    for side in ("content", "style"):
        (tmp_path / "eval" / side).mkdir(parents=True)
        photo.save(tmp_path / "eval" / side / "a.png")
    (tmp_path / "eval" / "pairs.csv").write_text("content,style\na,a\n")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "log.jsonl").write_text('{"step": 1, "kind": "train", "style": 1.0}\n')
    (tmp_path / "notes").write_text("a file")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "report" / "metrics.csv").mkdir(parents=True)
    os.symlink("nowhere", tmp_path / "dead")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("command", "output"), [(name, output) for name in COMMANDS for output in COMMANDS[name][2]]
)
def test_an_output_that_cannot_be_is_refused_before_the_work(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    output: str,
) -> None:
    if output.startswith("/proc") and not os.path.isdir("/proc"):
        pytest.skip("no /proc on this system")
    work, arguments, outputs = COMMANDS[command]

    def worked(*_: object, **__: object) -> None:
        raise RuntimeError(f"{command} did its work first")

    monkeypatch.setattr(f"adain.{work}", worked)
    before = sorted(folder.rglob("*"))
    name = command.split()[0]
    assert run(cli, [name, *(word.format(output) for word in arguments.split())]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("Error: ") and said.err.count("\n") == 1 and said.out == ""
    assert output.split("/")[0] in said.err and outputs[output] in said.err
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("quality", ["0", "101"])
@pytest.mark.parametrize("command", ["stylize", "gatys"])
def test_the_quality_is_checked_before_the_work(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    quality: str,
) -> None:
    monkeypatch.setattr(f"adain.{COMMANDS[command][0]}", None)
    arguments = [command, "photo.png", "photo.png", "-o", "out.jpg", "--quality", quality]
    assert run(cli, arguments) == 2
    assert f"quality: found {quality}; allowed: " in capsys.readouterr().err
