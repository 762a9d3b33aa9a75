"""The losses of training that need more than a formula."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from tiny_training import TINY, losses
from torch import Tensor

from adain.learning.losses import style_loss
from adain.learning.models.fast import StatisticsEstimator
from adain.learning.models.layers import channel_statistics
from adain.learning.training.consistency import Share
from adain.learning.training.feature_pool import VGGFeatures, vgg_features
from adain.learning.training.loop import train
from adain.learning.training.options import TrainOptions
from adain.learning.training.trainer import Trainer

pytestmark = pytest.mark.usefixtures("vgg19_weights")


def test_a_picture_that_moves_with_its_content_costs_nothing(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    """A lattice that stays where it is does, and the log says how much."""
    trainer = Trainer(*folders, tmp_path, TrainOptions(**TINY, steps=1, shift_weight=1.0))
    image = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    seen, one = VGGFeatures(image, image, [], []), torch.ones(2, 1, 1, 1)
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
        losses, stylised, estimate = trainer.objective.consistency_losses(
            network, seen, seen, one, generator, Share(2, slice(None))
        )
        assert losses.keys() == {"shift"} and estimate is not None
        assert torch.equal(estimate, image)
        torch.testing.assert_close(stylised, 0.5 * image + amount * lattice)
        found.append(losses["shift"].mean().item())
    # Bright points of the lattice lie once in either picture, in one pixel of 64.
    assert found == pytest.approx([0, 0.1 * 2 / 64, 0.2 * 2 / 64], rel=0.3, abs=1e-6)


def test_the_style_loss_asks_for_statistics_between_as_far_as_the_strength_says(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    """A network that gives its content back is off by the strength's share of the difference."""
    objective = Trainer(
        *folders, tmp_path, TrainOptions(**TINY | {"batch_size": 8}, steps=3)
    ).objective

    class Unchanged(torch.nn.Module):
        def forward(
            self, content: Tensor, style: Tensor, alpha: Tensor, exact: Tensor | None
        ) -> tuple[Tensor, Tensor]:
            self.alpha = alpha.flatten()
            ours, theirs = (vgg_features(objective.vgg, image) for image in (content, style))
            self.whole = style_loss(ours.statistics, theirs.statistics)
            return content, theirs.style

    network = Unchanged()
    found = objective.losses(network, 2)["style"].item()
    full, between = network.alpha[2:6], network.alpha[6:]
    assert network.alpha[:2].tolist() == [0, 1]
    assert full.tolist() == 4 * [1] and ((between > 0) & (between < 1)).all()
    expected = (network.alpha**2 * network.whole)[2:].mean().item()
    assert found == pytest.approx(expected, rel=1e-4)


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


def test_the_steady_loss_is_trained_and_logged_beside_it(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    options = TrainOptions(**TINY, steps=4, shift_weight=2.0, steady_weight=3.0)
    train(*folders, tmp_path, options)
    held = losses(tmp_path)[-1]
    total = held["target"] + 10 * held["style"] + 30 * held["pixel"] + 2 * held["shift"]
    assert held["steady"] > 0
    assert held["total"] == pytest.approx(total + 3 * held["steady"])
    trained = [line for line in losses(tmp_path) if line["kind"] == "train" and "steady" in line]
    assert [line["step"] for line in trained] == [3, 4]


def test_a_style_network_that_gives_the_features_of_vgg19_has_nothing_to_learn(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    options = TrainOptions(**TINY, steps=4, estimate_steps=2)
    objective = Trainer(*folders, tmp_path, options).objective

    class Exact(torch.nn.Module):
        factor = 1.0

        def forward(
            self, content: None, style: Tensor, alpha: Tensor
        ) -> tuple[list[Tensor], Tensor]:
            layers = [self.factor * layer for layer in objective.vgg.relu_features(style)]
            statistics = [channel_statistics(layer) for layer in layers]
            return StatisticsEstimator.places(layers), torch.cat(statistics[::-1], dim=1)

    network = Exact()
    losses = objective.losses(network, 1)
    assert losses.keys() == {"estimate", "feature", "absolute", "total"}
    assert [loss.item() for loss in losses.values()] == pytest.approx(4 * [0], abs=1e-5)
    network.factor = 0.9
    assert min(loss.item() for loss in objective.losses(network, 1).values()) > 1e-3
