"""The trainer of one network per style: tiny, and the painting alone."""

from functools import partial
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from helpers import error_of
from tiny_training import TINY, losses

from adain.learning.models.fast import Fast
from adain.learning.models.one_style import OneStyle
from adain.learning.training.loop import train
from adain.learning.training.one_style import OneStyleTrainer
from adain.learning.training.options import TrainOptions

pytestmark = pytest.mark.usefixtures("vgg19_weights")


def options(steps: int, painting: str = "stripes") -> TrainOptions:
    return TrainOptions(
        **{**TINY, "model": "fast", "painting": painting, "steps": steps, "tensorboard": False}
        | {"reconstruction_steps": 0}
    )


def test_a_run_goes_on_where_it_was_and_knows_its_painting(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    content, style = folders
    painting = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    network = OneStyle(Fast()).keep_inner(1)
    start = {name: value.clone() for name, value in network.state_dict().items()}

    def run(chosen: TrainOptions, painting: torch.Tensor) -> OneStyleTrainer:
        again = OneStyle(Fast()).keep_inner(1)
        again.load_state_dict(start)
        trainer_of = partial(OneStyleTrainer, network=again, painting=painting)
        trainer = train(content, style / "0.png", tmp_path / "run", chosen, print, trainer_of)
        assert isinstance(trainer, OneStyleTrainer)
        return trainer

    run(options(4), painting)
    log = losses(tmp_path / "run")
    assert {"style", "target", "total"} <= log[0].keys() and "pixel" not in log[0]
    held = [line for line in log if line["kind"] == "held_out"]
    assert held and held[-1]["pixel"] == 0  # at strength 0 it is the content
    assert "holds a run of painting 'stripes', not 'dots'" in error_of(
        lambda: run(options(5, "dots"), painting)
    )
    trainer = run(options(6), painting)
    assert trainer.step == 6
    assert not torch.equal(trainer.trained.state_dict()["mean"], start["mean"])
    assert trainer.objective.painting.statistics[0].shape == (1, 128, 1, 1)
