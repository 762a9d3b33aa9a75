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

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from safetensors import safe_open
from torch import Tensor

from adain.errors import AdaINError
from adain.images import save_image
from adain.learning.models.pretrained import load_model
from adain.learning.training.feature_pool import Seen
from adain.learning.training.loop import train
from adain.learning.training.options import TrainOptions
from adain.learning.training.trainer import Trainer

pytestmark = pytest.mark.usefixtures("vgg19_weights")
# Everything logged and saved at every step, and both phases within the first few.
TINY: dict[str, Any] = {
    "crop": 64,
    "batch_size": 2,
    "reconstruction_steps": 2,
    "held_out": 2,
    "log_every": 1,
    "evaluate_every": 4,
    "checkpoint_minutes": 0,
    "device": "cpu",
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Smooth contents and striped styles."""
    content, style = tmp_path_factory.mktemp("content"), tmp_path_factory.mktemp("style")
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[0:96, 0:80] / 96
    for number in range(6):
        colour = generator.random(3)
        smooth = np.stack([rows, columns, 1 - rows], axis=2) * colour
        stripes = (np.sin(40 * (rows + number * columns)) > 0)[..., None] * colour
        save_image(smooth.astype(np.float32), content / f"{number}.png")
        save_image(stripes.astype(np.float32), style / f"{number}.png")
    (style / "broken.jpg").write_bytes(b"not an image")
    return content, style


def losses(run_dir: Path) -> list[dict[str, float]]:
    """The log without what depends on the clock."""
    lines = [json.loads(line) for line in (run_dir / "log.jsonl").read_text().splitlines()]
    clocked = {"images_per_second", "teraflops", "fraction_of_peak"}
    return [{k: v for k, v in line.items() if k not in clocked} for line in lines]


def script(folders: tuple[Path, Path], run_dir: Path, options: dict[str, Any]) -> list[str]:
    code = (
        "from adain.learning.training.loop import train\n"
        "from adain.learning.training.options import TrainOptions\n"
        f"train({str(folders[0])!r}, {str(folders[1])!r}, {str(run_dir)!r},"
        f" TrainOptions(**{options!r}))\n"
    )
    return [sys.executable, "-c", code]


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 180
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
        said = process.communicate(timeout=120)[0].decode()
    assert process.returncode == 0
    step = losses(tmp_path / "run")[-1]["step"]
    assert f"stopped at step {step:.0f} and saved" in said
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


@pytest.mark.parametrize("model", ["fast", "vgg19"])
@pytest.mark.parametrize("reconstruction_steps", [0, 1])
def test_a_batch_is_learned(
    folders: tuple[Path, Path], tmp_path: Path, model: str, reconstruction_steps: int
) -> None:
    """The same step again and again draws the same batch, whose loss must fall."""
    options = TINY | {"reconstruction_steps": reconstruction_steps, "ramp_steps": 1}
    trainer = Trainer(*folders, tmp_path, TrainOptions(**options, model=model, steps=1000))
    totals = []
    for _ in range(16):
        # Of two pairs in a batch, those of step 0 are to be reconstructed, those of step 1 not.
        trainer.step = 1 - reconstruction_steps
        totals.append(trainer.train_step()["total"].item())
    assert totals[-1] < 0.9 * totals[0]


def test_averaged_weights_follow_the_trained_ones(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    trainer = Trainer(*folders, tmp_path, TrainOptions(**TINY, steps=100))
    start = [p.clone() for p in trainer.ema.module.parameters()]
    for _ in range(3):
        trainer.train_step()
    for before, average, now in zip(
        start, trainer.ema.module.parameters(), trainer.trained.parameters(), strict=True
    ):
        assert not torch.equal(average, before) and not torch.equal(average, now)


def test_hours_end_a_run(folders: tuple[Path, Path], tmp_path: Path) -> None:
    trainer = train(*folders, tmp_path, TrainOptions(**TINY, hours=1e-4))
    assert trainer.progress() == 1 and trainer.step >= 1


def test_a_constant_run_has_no_end_but_its_session(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call goes on for its session; a run that decays can branch off from its weights."""
    monkeypatch.setattr("adain.learning.training.held_out.HELD_OUT_SIZE", 64)
    monkeypatch.setattr("adain.learning.training.objective.DEVIATION_CROPS", 2)
    options = TINY | {"schedule": "constant", "session_minutes": 1e-6, "reconstruction_steps": 9}
    said: list[str] = []
    for step in (1, 2):
        trainer = train(*folders, tmp_path / "long", TrainOptions(**options), said.append)
        assert trainer.step == step and trainer.progress() == 0
        assert f"stopped at step {step} and saved; the same command goes on from here" in said
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


def test_a_run_of_another_model_is_not_continued(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    train(*folders, tmp_path, TrainOptions(**TINY, steps=1))
    with pytest.raises(AdaINError, match="holds a run of model 'fast', not 'vgg19'"):
        Trainer(*folders, tmp_path, TrainOptions(**TINY, model="vgg19", steps=1))


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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 1, "model": "slow"}, "model: found 'slow'; allowed: fast or vgg19"),
        ({"steps": 1, "crop": 100}, "crop: found 100"),
        ({"steps": 0}, "steps: found 0"),
        ({"hours": -1.0}, "hours: found -1.0"),
        ({}, "either steps or hours"),
        ({"steps": 1, "hours": 1.0}, "either steps or hours"),
        ({"steps": 1, "batch_size": 0}, "batch_size: found 0"),
        ({"steps": 1, "learning_rate": 0.0}, "learning_rate: found 0.0"),
        ({"steps": 1, "precision": "fp16"}, "precision: found 'fp16'; allowed: auto, bf16 or fp32"),
        ({"steps": 1, "optimizer": "sgd"}, "optimizer: found 'sgd'; allowed: muon or adam"),
        ({"steps": 1, "crop": 1024}, "crop: found 1024; allowed: a multiple of 16 in 64..512"),
        ({"steps": 1, "schedule": "linear"}, "schedule: found 'linear'; allowed: cosine or"),
        ({"steps": 1, "hours": 1.0, "schedule": "constant"}, "either steps or hours, and not both"),
        ({"steps": 1, "zoom": 0.5}, "zoom: found 0.5; allowed: 1 to 8"),
        ({"steps": 1, "session_minutes": 0.0}, "session_minutes: found 0.0"),
        ({"steps": 1, "reconstruction_steps": -1}, "reconstruction_steps: found -1"),
        ({"steps": 1, "reuse": 0}, "reuse: found 0; allowed: 1 or more"),
        ({"steps": 1, "shift_weight": -1.0}, "shift_weight: found -1.0; allowed: 0 or more"),
        ({"steps": 1, "model": "vgg19", "shift_weight": 1.0}, "shift_weight: found 1.0"),
    ],
)
def test_options_are_checked(options: dict[str, Any], message: str) -> None:
    with pytest.raises(AdaINError) as error:
        TrainOptions(**options)
    assert message in str(error.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA can run here")
def test_cuda_where_there_is_none(folders: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(AdaINError, match="PyTorch sees no CUDA device"):
        Trainer(*folders, tmp_path, TrainOptions(**TINY | {"device": "cuda"}, steps=1))


def test_the_command_trains(folders: tuple[Path, Path], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "adain", "train", *map(str, folders), "-o", str(tmp_path)]
    command += ["--steps", "2", "--crop", "64", "--batch-size", "1", "--reconstruction-steps", "1"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, env=os.environ, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "weights.safetensors").is_file()
    assert "weights.safetensors: step 2" in done.stdout


def test_the_best_weights_are_kept(folders: tuple[Path, Path], tmp_path: Path) -> None:
    """Weights are written where the held-out losses are the lowest so far, and not elsewhere."""
    trainer = Trainer(*folders, tmp_path, TrainOptions(**TINY, steps=100))
    weights = tmp_path / "weights.safetensors"
    first = trainer.evaluate()[0]["total"]
    before = weights.read_bytes()
    for parameter in trainer.ema.module.parameters():
        torch.nn.init.zeros_(parameter)
    assert trainer.evaluate()[0]["total"] > first
    assert weights.read_bytes() == before
    trainer.best = float("inf")
    trainer.evaluate()
    assert weights.read_bytes() != before


def test_a_run_starts_from_given_weights(folders: tuple[Path, Path], tmp_path: Path) -> None:
    train(*folders, tmp_path / "first", TrainOptions(**TINY, steps=1))
    weights = tmp_path / "first" / "weights.safetensors"
    options = TrainOptions(**TINY, steps=1, seed=1, weights=weights)
    trainer = Trainer(*folders, tmp_path / "second", options)
    given = load_model("fast", weights).state_dict()
    for name, tensor in trainer.trained.state_dict().items():
        assert torch.equal(tensor, given[name])


def test_flops_of_a_step(folders: tuple[Path, Path], tmp_path: Path) -> None:
    """`vgg19` at 64 px: VGG-19 to relu4_1 takes 0.98 GMAC, the decoder 0.70."""
    options = TINY | {"model": "vgg19", "batch_size": 8, "reconstruction_steps": 1}
    trainer = Trainer(*folders, tmp_path, TrainOptions(**options, steps=10))
    # Forwards through both, and through the decoder backwards for weights and features.
    warm_up = trainer.flops()
    assert warm_up == pytest.approx(2e9 * 16 * (0.98 + 3 * 0.70), rel=0.1)
    assert trainer.images_per_step() == 16
    trainer.step = 1
    # 6 of 8 go through VGG-19 and back to the picture; 4 contents and 4 styles are seen anew.
    expected = 2e9 * (6 * 2 * 0.98 + 8 * 3 * 0.70 + 8 * 0.98)
    assert trainer.flops() == pytest.approx(expected, rel=0.1)
    assert trainer.images_per_step() == 8


def test_totals_of_other_weights_do_not_compare(folders: tuple[Path, Path], tmp_path: Path) -> None:
    train(*folders, tmp_path, TrainOptions(**TINY, steps=1))
    same = Trainer(*folders, tmp_path, TrainOptions(**TINY, steps=2))
    assert 0 < same.best < float("inf")
    other = Trainer(*folders, tmp_path, TrainOptions(**TINY, steps=2, style_weight=20.0))
    assert other.step == 1 and other.best == float("inf")


def test_a_picture_that_moves_with_its_content_costs_nothing(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    """A lattice that stays where it is does, and the log says how much."""
    trainer = Trainer(*folders, tmp_path, TrainOptions(**TINY, steps=1, shift_weight=1.0))
    image = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    seen, one = Seen(image, image, [], []), torch.ones(2, 1, 1, 1)
    lattice = torch.zeros(64, 64)
    lattice[::8, ::8] = 1

    class Brightened(torch.nn.Module):
        amount = 0.0

        def forward(
            self, content: Tensor, style: Tensor, alpha: Tensor, exact: Tensor | None
        ) -> tuple[Tensor, Tensor]:
            assert exact is None
            return 0.5 * content + self.amount * lattice, style

    network = Brightened()
    found = []
    for amount in (0.0, 0.1, 0.2):
        network.amount = amount
        generator = torch.Generator().manual_seed(1)
        shift, stylised, estimate = trainer.objective.shift_loss(
            network, seen, seen, one, generator
        )
        assert shift is not None and estimate is not None
        assert torch.equal(estimate, image)
        torch.testing.assert_close(stylised, 0.5 * image + amount * lattice)
        found.append(shift.mean().item())
    # Bright points of the lattice lie once in either picture, in one pixel of 64.
    assert found == pytest.approx([0, 0.1 * 2 / 64, 0.2 * 2 / 64], rel=0.3, abs=1e-6)


def test_the_shift_loss_is_trained_and_logged(folders: tuple[Path, Path], tmp_path: Path) -> None:
    train(*folders, tmp_path, TrainOptions(**TINY, steps=4, shift_weight=2.0))
    lines = [line for line in losses(tmp_path) if "shift" in line]
    assert [(line["step"], line["kind"]) for line in lines] == [
        (3, "train"), (4, "train"), (4, "held_out"),
    ]  # fmt: skip
    held = lines[-1]
    total = held["target"] + 10 * held["style"] + 30 * held["pixel"] + 2 * held["shift"]
    assert held["total"] == pytest.approx(total)
    assert held["shift"] > 0
