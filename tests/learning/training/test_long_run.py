"""The long run: real turns of `adain train`, a step each, and what it starts from."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from safetensors.torch import save_file

from adain.errors import AdaINError
from adain.images import save_image
from adain.learning.models.fast import Fast
from adain.learning.training import long_run
from adain.learning.training.long_run import train_in_turn


def stand_in(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Have a few lines of Python, told folder, model and options, in the place of training."""

    def command(content: Path, style: Path, run_dir: Path, model: str, turn: float) -> list[str]:
        return [sys.executable, "-c", code, str(run_dir), model]

    monkeypatch.setattr(long_run, "_command", command)


TRAIN = """
import sys
from pathlib import Path
run_dir = Path(sys.argv[1])
run_dir.mkdir(parents=True, exist_ok=True)
(run_dir / "checkpoint.pt").touch()
with (run_dir.parent / "calls").open("a") as file:
    file.write(" ".join([sys.argv[2], *sys.argv[3:]]) + "\\n")
"""


def test_models_take_turns_and_keep_their_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, TRAIN)
    folder, runs = tmp_path / "weights", tmp_path / "runs"
    folder.mkdir()
    # `fast` of the shape that is trained, and of `vgg19` nothing that could be.
    save_file(Fast().state_dict(), folder / "fast.safetensors")
    said: list[str] = []

    def run(turns: int, *options: str) -> None:
        train_in_turn(
            tmp_path, tmp_path, ["fast", "vgg19"], turns=turns, runs=runs, folder=folder,
            options=options, report=said.append,
        )  # fmt: skip

    run(3, "--crop", "64")
    (folder / "fast.safetensors").unlink()
    run(1)
    start = f"fast --weights {runs / 'fast' / 'start.safetensors'}"
    calls = (runs / "calls").read_text().splitlines()
    assert calls == [f"{start} --crop 64", "vgg19 --crop 64", f"{start} --crop 64", start]
    assert len(said) == 1 and said[0].startswith("vgg19 starts from scratch, or from --weights")


def test_weights_of_another_shape_start_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, TRAIN)
    save_file(Fast(64).state_dict(), tmp_path / "fast.safetensors")
    said: list[str] = []
    options = {"turns": 1, "runs": tmp_path / "runs", "folder": tmp_path, "report": said.append}
    train_in_turn(tmp_path, tmp_path, ["fast"], **options)
    assert "fast starts from scratch, or from --weights FILE" in said[0]
    assert (tmp_path / "runs" / "calls").read_text() == "fast\n"
    # Where they are asked for by name, that is a mistake.
    (tmp_path / "runs" / "fast" / "checkpoint.pt").unlink()
    with pytest.raises(AdaINError, match="not weights of this model"):
        train_in_turn(
            tmp_path, tmp_path, ["fast"], weights=tmp_path / "fast.safetensors", **options
        )


def test_training_that_fails_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "raise SystemExit(2)")
    with pytest.raises(AdaINError, match="fast: `adain train` ended with status 2"):
        train_in_turn(tmp_path, tmp_path, ["fast"], runs=tmp_path, folder=tmp_path, report=print)


def test_weights_are_considered_once_they_have_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # New weights in the first and the third turn.
    stand_in(
        monkeypatch,
        TRAIN + "turn = len((run_dir.parent / 'calls').read_text().splitlines())\n"
        "(run_dir / 'weights.safetensors').write_text(str((turn + 1) // 2 if turn != 2 else 1))",
    )
    monkeypatch.setattr(long_run, "Judge", lambda *arguments: arguments)
    monkeypatch.setattr(
        long_run, "consider", lambda judge, weights, folder: f"{judge[0]} {weights.read_text()}"
    )
    said: list[str] = []
    train_in_turn(
        tmp_path, tmp_path, ["fast"], turns=3, runs=tmp_path / "runs", folder=tmp_path,
        report=said.append,
    )  # fmt: skip
    assert said[1:] == ["fast 1", "fast 2"]


# Says when its training has begun, which ends by SIGTERM alone.
STOPPED = """
import sys
from pathlib import Path
from adain.learning.training import long_run
code = ("import signal, sys, time; "
        "signal.signal(signal.SIGTERM, lambda *received: sys.exit(print('saved', flush=True))); "
        "print('training', flush=True); [time.sleep(0.1) for _ in range(3000)]")
long_run._command = lambda *arguments: [sys.executable, "-c", code]
long_run.train_in_turn(Path("."), Path("."), ["fast"], runs=Path("runs"), folder=Path("."))
print("ended", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_training_first(tmp_path: Path, number: signal.Signals) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    with subprocess.Popen(
        [sys.executable, "-c", STOPPED], stdout=subprocess.PIPE, text=True, cwd=tmp_path,
        env=environment,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        while (line := process.stdout.readline()).strip() != "training":
            assert line
        process.send_signal(number)
        assert process.communicate(timeout=300)[0].split() == ["saved", "ended"]
    assert process.returncode == 0


@pytest.mark.usefixtures("vgg19_weights")
def test_a_real_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("adain.learning.training.held_out.HELD_OUT_SIZE", 64)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[3]))
    generator = np.random.default_rng(0)
    for folder in (tmp_path / "content", tmp_path / "style"):
        folder.mkdir()
        for number in range(2):
            save_image(generator.random((64, 64, 3)).astype(np.float32), folder / f"{number}.png")
    said: list[str] = []
    train_in_turn(
        tmp_path / "content", tmp_path / "style", ["vgg19"], turn=1e-6, turns=1,
        options=["--crop", "64", "--batch-size", "1", "--device", "cpu"], report=said.append,
    )  # fmt: skip
    assert torch.load("runs/long/vgg19/checkpoint.pt", weights_only=True)["step"] == 1
    assert "kept as weights/candidates/vgg19-decoder.safetensors" in said[1]
    assert Path("weights/MODEL_CARD.md").read_text().count("| vgg19 | 1 |") == 1
