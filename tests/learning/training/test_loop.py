"""Real training runs, tiny: small crops of small drawn pictures, a few steps."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from safetensors import safe_open
from tiny_training import TINY, losses

from adain.errors import AdaINError
from adain.learning.models.pretrained import load_model
from adain.learning.training.loop import train
from adain.learning.training.options import TrainOptions
from adain.learning.training.trainer import Trainer

pytestmark = pytest.mark.usefixtures("vgg19_weights")


def script(folders: tuple[Path, Path], run_dir: Path, options: dict[str, Any]) -> list[str]:
    code = (
        "from adain.learning.training.loop import train\n"
        "from adain.learning.training.options import TrainOptions\n"
        f"trainer = train({str(folders[0])!r}, {str(folders[1])!r}, {str(run_dir)!r},"
        f" TrainOptions(**{options!r}))\n"
        "print(trainer.stopped, trainer.signal, trainer.step)\n"
    )
    return [sys.executable, "-c", code]


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 900
    while not condition():
        assert process.poll() is None, "the run ended before it could be stopped"
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("model", ["fast", "vgg19"])
def test_a_killed_run_goes_on_exactly(
    folders: tuple[Path, Path], tmp_path: Path, model: str
) -> None:
    options = TINY | {"model": model, "steps": 8}
    train(*folders, tmp_path / "whole", TrainOptions(**options))

    command = script(folders, tmp_path / "killed", options)
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        log = tmp_path / "killed" / "log.jsonl"
        wait_for(lambda: log.exists() and log.read_text().count("\n") >= 4, process)
        process.send_signal(signal.SIGKILL)
    stopped = torch.load(tmp_path / "killed" / "checkpoint.pt", weights_only=True)["step"]
    assert 2 <= stopped < 8

    trainer = train(*folders, tmp_path / "killed", TrainOptions(**options))
    assert trainer.step == 8
    assert losses(tmp_path / "killed") == losses(tmp_path / "whole")
    names = ("killed", "whole")
    first, second = (load_model(model, tmp_path / name / "weights.safetensors") for name in names)
    for ours, theirs in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_sigterm_saves_and_exits(folders: tuple[Path, Path], tmp_path: Path) -> None:
    # Never saved by the clock, so what is there afterwards was saved by the signal.
    options = TINY | {"steps": 10_000, "checkpoint_minutes": 1000}
    command = script(folders, tmp_path / "run", options)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        log = tmp_path / "run" / "log.jsonl"
        wait_for(lambda: log.exists() and log.read_text().count("\n") >= 3, process)
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=600)[0].decode()
    assert process.returncode == 0
    step = losses(tmp_path / "run")[-1]["step"]
    assert said.splitlines()[-1] == f"True {signal.SIGTERM:d} {step:.0f}"
    assert torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["step"] == step


def test_what_a_run_leaves(folders: tuple[Path, Path], tmp_path: Path) -> None:
    said: list[str] = []
    train(*folders, tmp_path, TrainOptions(**TINY, steps=5), said.append)
    assert said[0] == "1 unreadable files left out:"
    assert len(said) == 2 and "broken.jpg" in said[1]
    lines = losses(tmp_path)
    assert [line["step"] for line in lines if line["kind"] == "train"] == [1, 2, 3, 4, 5]
    assert [line["step"] for line in lines if line["kind"] == "held_out"] == [4, 5]
    assert {"target", "style", "pixel", "total"} <= lines[-2].keys()
    last = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-2])
    assert last["images_per_second"] > 0 and 0 < last["fraction_of_peak"] < 1.5
    assert (tmp_path / "held_out.png").stat().st_size > 1000
    assert list(tmp_path.glob("events.out.tfevents.*"))
    with safe_open(tmp_path / "weights.safetensors", "pt") as file:
        about = file.metadata()
        assert all(file.get_tensor(name).dtype == torch.float16 for name in file.keys())  # noqa: SIM118
    # Those of the step whose held-out losses were the lowest.
    held_out = {line["step"]: line["total"] for line in lines if line["kind"] == "held_out"}
    assert about["model"] == "fast"
    assert int(about["step"]) == min(held_out, key=lambda step: held_out[step])
    assert json.loads(about["options"])["crop"] == 64
    assert len(about["training_digest"]) == 64
    assert not list(tmp_path.glob(".*"))


def test_hours_end_a_run(folders: tuple[Path, Path], tmp_path: Path) -> None:
    trainer = train(*folders, tmp_path, TrainOptions(**TINY, hours=1e-4))
    assert trainer.progress() == 1 and trainer.step >= 1 and not trainer.stopped


def test_a_constant_run_has_no_end_but_its_session(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call goes on for its session; a run that decays can branch off from its weights."""
    monkeypatch.setattr("adain.learning.training.held_out.HELD_OUT_SIZE", 64)
    monkeypatch.setattr("adain.learning.training.objective.DEVIATION_CROPS", 2)
    options = TINY | {"schedule": "constant", "session_minutes": 1e-6, "reconstruction_steps": 9}
    for step in (1, 2):
        trainer = train(*folders, tmp_path / "long", TrainOptions(**options))
        assert trainer.step == step and trainer.progress() == 0
        assert trainer.stopped and trainer.signal is None
    weights = tmp_path / "long" / "weights.safetensors"
    del options["reconstruction_steps"], options["schedule"], options["session_minutes"]
    branch = TrainOptions(**options, weights=weights, steps=1)
    # No warm-up again: what it brings has been through that.
    assert branch.warm_up == 0 and TrainOptions(steps=1).warm_up == 1500
    train(*folders, tmp_path / "branch", branch)
    held_out = [line for line in losses(tmp_path / "branch") if line["kind"] == "held_out"]
    assert [line["step"] for line in held_out] == [0, 1]


def test_two_processes_do_not_train_in_one_folder(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    fcntl = pytest.importorskip("fcntl")
    other = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    try:
        with pytest.raises(AdaINError, match="found another process that trains there"):
            train(*folders, tmp_path, TrainOptions(**TINY, steps=1))
    finally:
        os.close(other)
    assert not list(tmp_path.iterdir())


def test_a_diverged_run_keeps_its_last_checkpoint(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    options = TINY | {"reconstruction_steps": 0}
    train(*folders, tmp_path, TrainOptions(**options, steps=1))
    before = (tmp_path / "checkpoint.pt").read_bytes()
    with pytest.raises(AdaINError, match=r"found a loss of (nan|inf).*lower the learning rate"):
        train(*folders, tmp_path, TrainOptions(**options, steps=40, learning_rate=1e30))
    after = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert all(torch.isfinite(tensor).all() for tensor in after["trained"].values())
    assert len(before) > 0


def test_the_command_trains(folders: tuple[Path, Path], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "adain", "train", *map(str, folders), "-o", str(tmp_path)]
    command += ["--steps", "2", "--crop", "64", "--batch-size", "1", "--reconstruction-steps", "1"]
    said = "stopped at step 1 and saved; the same command goes on from here\n"
    for more, step in ((["--session-minutes", "1e-6"], 1), ([], 2)):
        done = subprocess.run(
            [*command, *more], capture_output=True, text=True, timeout=900, check=False
        )
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "weights.safetensors").is_file()
        assert f"weights.safetensors: step {step}" in done.stdout
        assert (said in done.stdout) is (step == 1)


def test_a_run_starts_from_given_weights(folders: tuple[Path, Path], tmp_path: Path) -> None:
    train(*folders, tmp_path / "first", TrainOptions(**TINY, steps=1))
    weights = tmp_path / "first" / "weights.safetensors"
    options = TrainOptions(**TINY, steps=1, seed=1, weights=weights)
    trainer = Trainer(*folders, tmp_path / "second", options)
    given = load_model("fast", weights).state_dict()
    for name, tensor in trainer.trained.state_dict().items():
        assert torch.equal(tensor, given[name])
