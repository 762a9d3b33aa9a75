"""Steps of training: what they learn, what they cost, and which weights are kept."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")


from tiny_training import TINY

from adain.learning.models.layers import SubPixels
from adain.learning.training.loop import train
from adain.learning.training.options import TrainOptions
from adain.learning.training.trainer import Trainer

pytestmark = pytest.mark.usefixtures("vgg19_weights")


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


def test_flat_areas_stay_without_a_grid(folders: tuple[Path, Path], tmp_path: Path) -> None:
    """Whatever a step makes of them, the sums of kernels that lie side by side are the same."""
    trainer = Trainer(*folders, tmp_path, TrainOptions(**TINY, steps=100))
    layers = [layer for layer in trainer.trained.modules() if isinstance(layer, SubPixels)]
    assert len(layers) == 2
    before = [layer.weight.clone() for layer in layers]
    trainer.train_step()
    for layer, start in zip(layers, before, strict=True):
        assert not torch.equal(layer.weight, start)
        trained = layer.weight.clone()
        layer.equalise()
        torch.testing.assert_close(layer.weight, trained)


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


def test_the_style_networks_steps_are_counted_as_they_are(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    """Crops of many sizes: each step's work is its own, and so are the pictures it looks at."""
    options = TrainOptions(**TINY, steps=9, estimate_steps=9)
    trainer = Trainer(*folders, tmp_path, options)
    found = {}
    for step in range(9):
        trainer.step = step
        assert trainer.images_per_step() == options.batch_size
        found[trainer.objective.estimate_crop(step)] = trainer.flops()
    smallest, largest = min(found), max(found)
    assert 64 <= smallest < largest <= 128
    assert found[largest] / found[smallest] == pytest.approx((largest / smallest) ** 2, rel=0.05)


def test_a_style_network_without_a_weight_stays_as_it_is(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    options = TrainOptions(**TINY | {"reconstruction_steps": 0}, steps=1, estimate_weight=0)
    trainer = Trainer(*folders, tmp_path, options)
    trainer.step = 1  # those of step 0 have no style to learn
    before = {name: tensor.clone() for name, tensor in trainer.trained.state_dict().items()}
    assert trainer.train_step()["estimate"] > 0
    changed = {
        name.split(".")[0]
        for name, tensor in trainer.trained.state_dict().items()
        if not torch.equal(tensor, before[name])
    }
    assert changed == {"encoder", "decoder"}


def test_totals_of_other_weights_do_not_compare(folders: tuple[Path, Path], tmp_path: Path) -> None:
    train(*folders, tmp_path, TrainOptions(**TINY, steps=1))
    same = Trainer(*folders, tmp_path, TrainOptions(**TINY, steps=2))
    assert 0 < same.best < float("inf")
    other = Trainer(*folders, tmp_path, TrainOptions(**TINY, steps=2, style_weight=20.0))
    assert other.step == 1 and other.best == float("inf")
