"""What training options may be, and which may change where a run goes on."""

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")


from tiny_training import TINY

from adain.errors import AdaINError
from adain.learning.training.loop import train
from adain.learning.training.options import TrainOptions
from adain.learning.training.trainer import Trainer

pytestmark = pytest.mark.usefixtures("vgg19_weights")


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
        ({"hours": float("inf")}, "hours: found inf"),
        ({"steps": 1, "style_weight": float("nan")}, "style_weight: found nan"),
        ({"steps": 1, "clip_norm": 0.0}, "clip_norm: found 0.0"),
        ({"steps": 1, "ema_decay": 1.0}, "ema_decay: found 1.0"),
        ({"steps": 1, "reconstruction_steps": -1}, "reconstruction_steps: found -1"),
        ({"steps": 1, "seed": 10**20}, f"seed: found {10**20}; allowed: -4294967296 to 4294967296"),
        ({"steps": 1, "reuse": 0}, "reuse: found 0; allowed: 1 or more"),
        ({"steps": 1, "shift_weight": -1.0}, "shift_weight: found -1.0; allowed: 0 or more"),
        ({"steps": 1, "model": "vgg19", "shift_weight": 1.0}, "shift_weight: found 1.0"),
        (
            {"steps": 1, "estimate_steps": 2, "estimate_weight": 0},
            "estimate_steps: found 2; allowed: 0 with an estimate_weight of 0",
        ),
        ({"steps": 1, "steady_weight": -1.0}, "steady_weight: found -1.0; allowed: 0 or more"),
        ({"steps": 1, "model": "vgg19", "steady_weight": 1.0}, "steady_weight: found 1.0"),
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


def test_a_run_of_another_model_is_not_continued(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    train(*folders, tmp_path, TrainOptions(**TINY, steps=1))
    with pytest.raises(AdaINError, match="holds a run of model 'fast', not 'vgg19'"):
        Trainer(*folders, tmp_path, TrainOptions(**TINY, model="vgg19", steps=1))


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"optimizer": "adam"}, "optimizer 'muon', not 'adam'"),
        ({"crop": 80, "seed": 1}, "crop 64, not 80, seed 0, not 1"),
        ({"reconstruction_steps": None}, "reconstruction_steps 2, not 1500"),
        ({"schedule": "constant"}, "schedule 'cosine', not 'constant'"),
    ],
)
def test_a_run_with_other_options_is_not_continued(
    folders: tuple[Path, Path], tmp_path: Path, change: dict[str, Any], difference: str
) -> None:
    options = TINY | {"steps": 1}
    write_checkpoint(folders, tmp_path, TrainOptions(**options))
    with pytest.raises(AdaINError, match=f"holds a run of {difference}; ") as raised:
        Trainer(*folders, tmp_path, TrainOptions(**options | change))
    assert "\n" not in str(raised.value)


def test_a_run_goes_on_for_longer_or_elsewhere(folders: tuple[Path, Path], tmp_path: Path) -> None:
    write_checkpoint(folders, tmp_path, TrainOptions(**TINY, steps=1))
    change = {"hours": 0.5, "session_minutes": 1.0, "precision": "fp32", "device": "auto"}
    change |= {"checkpoint_minutes": 9.0, "evaluate_every": 7, "learning_rate": 1e-4}
    assert Trainer(*folders, tmp_path, TrainOptions(**TINY | change)).step == 0


def test_an_older_checkpoint_had_the_defaults(folders: tuple[Path, Path], tmp_path: Path) -> None:
    """What `adain train` of before wrote: no option that came later, some that are no more."""
    options = TINY | {"steps": 1}
    write_checkpoint(folders, tmp_path, TrainOptions(**options))
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    del state["options"]["estimate_steps"], state["options"]["estimate_weight"]
    state["options"]["forgotten"] = 3
    torch.save(state, tmp_path / "checkpoint.pt")
    assert Trainer(*folders, tmp_path, TrainOptions(**options)).step == 0
    with pytest.raises(AdaINError, match="holds a run of estimate_steps 0, not 5; "):
        Trainer(*folders, tmp_path, TrainOptions(**options, estimate_steps=5))


def write_checkpoint(folders: tuple[Path, Path], run_dir: Path, options: TrainOptions) -> None:
    Trainer(*folders, run_dir, options).save()
