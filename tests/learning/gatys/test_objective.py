"""The optimisation's losses by numpy, their gradients by differences."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from torch import Tensor
from waves import picture, random

from adain.learning import losses
from adain.learning.gatys import objective
from adain.learning.gatys.objective import GatysObjective
from adain.learning.gatys.options import GatysOptions
from adain.learning.models import vgg
from adain.learning.tensors import to_tensor

Array = npt.NDArray[np.float64]


def numpy_gram(features: Array, guide: Array | None = None) -> Array:
    flat = features.reshape(features.shape[0], -1)
    places = flat.shape[1]
    if guide is not None:
        flat, places = flat * guide.reshape(1, -1), (guide**2).sum()
    return flat @ flat.T / places


def test_content_loss_is_equation_1() -> None:
    ours, target = random(1, 5, 4, 3), random(1, 5, 4, 3, seed=1)
    expected = 0.5 * ((ours.numpy() - target.numpy()) ** 2).sum()
    assert losses.gatys_content_loss(ours, target).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("guided", [False, True])
def test_style_loss_is_equation_4(guided: bool) -> None:
    """For one size of both images, in which the paper states it."""
    ours, style = random(1, 6, 4, 7), random(1, 6, 4, 7, seed=1)
    guide = random(1, 1, 4, 7, seed=2) if guided else None
    found = losses.gatys_style_loss(losses.gatys_gram(ours, guide), losses.gatys_gram(style)).item()
    weight = None if guide is None else guide.numpy()[0, 0]
    difference = numpy_gram(ours.numpy()[0], weight) - numpy_gram(style.numpy()[0])
    assert found == pytest.approx((difference**2).sum() / (4 * 6**2), rel=1e-5)
    if not guided:
        raw = [x.numpy()[0].reshape(6, -1) for x in (ours, style)]
        g, a = (x @ x.T for x in raw)
        assert found == pytest.approx(((g - a) ** 2).sum() / (4 * 6**2 * 28**2), rel=1e-5)


def test_total_variation() -> None:
    image = random(2, 3, 5, 4)
    array = image.numpy()
    expected = (np.diff(array, axis=2) ** 2).sum(axis=(1, 2, 3))
    expected += (np.diff(array, axis=3) ** 2).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(losses.total_variation(image).numpy(), expected)


@pytest.mark.parametrize(
    "loss",
    [
        lambda x: losses.gatys_content_loss(x, random(1, 3, 5, 6, seed=1).float()),
        lambda x: losses.gatys_style_loss(
            losses.gatys_gram(x), losses.gatys_gram(random(1, 3, 4, 4, seed=1))
        ),
        lambda x: losses.gatys_style_loss(
            losses.gatys_gram(x, random(1, 1, 5, 6, seed=2)),
            losses.gatys_gram(random(1, 3, 4, 4, seed=1)),
        ),
        losses.total_variation,
    ],
    ids=["content", "style", "guided style", "total variation"],
)
def test_gradients_by_finite_differences(
    loss: Callable[[Tensor], Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The losses take sums in float32, which differences would drown in.
    monkeypatch.setattr(Tensor, "float", Tensor.double)
    image = random(1, 3, 5, 6).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: loss(x).sum(), (image,), eps=1e-6, atol=1e-6)


@pytest.mark.parametrize("options", [{}, {"tv_weight": 3.0}, {"pooling": "average"}])
def test_the_gradient_of_the_whole(
    vgg19_weights: object, options: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Along a random direction, in float64 through VGG-19."""
    monkeypatch.setattr(Tensor, "float", Tensor.double)
    chosen = GatysOptions(**options)  # type: ignore[arg-type]
    network = vgg.load_vgg19_layers(pooling=chosen.pooling).double()
    made = GatysObjective(network, random(1, 3, 32, 48), [random(1, 3, 40, 32, seed=1)], chosen)
    image, direction = random(1, 3, 32, 48, seed=2), random(1, 3, 32, 48, seed=3) - 0.5
    _, gradient = made.evaluate(image)
    step = 1e-6
    ahead, behind = (made.evaluate(image + s * step * direction)[0] for s in (1, -1))
    slope = (gradient * direction).sum().item()
    assert (ahead - behind) / (2 * step) == pytest.approx(slope, rel=1e-4)


def test_checkpointing_changes_nothing(network: vgg.VGG19Layers) -> None:
    both = [
        GatysObjective(
            network,
            random(1, 3, 32, 32).float(),
            [random(1, 3, 32, 32, seed=1).float()],
            GatysOptions(),
            checkpointing=checkpointing,
        )
        for checkpointing in (False, True)
    ]
    image = random(1, 3, 32, 32, seed=2).float()
    (plain, gradient), (saved, same) = (o.evaluate(image) for o in both)
    assert plain == pytest.approx(saved)
    torch.testing.assert_close(gradient, same)


def test_shares_of_styles_mix_their_grams(network: vgg.VGG19Layers) -> None:
    content, styles = picture(32, 32, 0), [to_tensor(picture(32, 32, seed)) for seed in (1, 2)]
    only = GatysObjective(network, to_tensor(content), styles[:1], GatysOptions())
    both = GatysObjective(network, to_tensor(content), styles, GatysOptions(style_shares=[2, 0]))
    image = to_tensor(picture(32, 32, 3))
    assert both.evaluate(image)[0] == pytest.approx(only.evaluate(image)[0])
    even = GatysObjective(network, to_tensor(content), styles, GatysOptions(style_shares=[3, 3]))
    other = GatysObjective(network, to_tensor(content), styles[1:], GatysOptions())
    for found, *both in zip(*(o.targets[0].grams for o in (even, only, other)), strict=True):
        torch.testing.assert_close(found, sum(both) / 2)


def of_both(
    network: vgg.VGG19Layers, options: GatysOptions, size: tuple[int, int], *, masked: bool = False
) -> list[tuple[dict[str, float], Tensor]]:
    """Losses and gradient in one piece, and by the smallest tiles; sides are no multiples of 16."""
    content, image = random(1, 3, *size), random(1, 3, *size, seed=2)
    styles = [random(1, 3, 33, 100, seed=1), random(1, 3, 40, 32, seed=3)]
    guides = [random(1, 1, *size, seed=seed) for seed in (4, 5)] if masked else None
    found = []
    for tile in (None, 2 * objective.MARGIN + 64):
        made = GatysObjective(network, content, styles, options, guides, tile=tile)
        _, gradient = made.evaluate(image)
        found.append((made.latest, gradient))
    return found


@pytest.mark.parametrize(
    ("options", "size", "masked"),
    [
        ({"tv_weight": 3.0, "pooling": "average"}, (33, 203), False),
        ({"style_shares": [3, 1]}, (75, 67), True),
        (
            {"style_layers": {"relu2_2": 1.0, "relu3_3": 0.5}, "checkpointing": True},
            (40, 205),
            True,
        ),
    ],
)
def test_the_gradient_by_tiles_is_that_of_the_whole(
    vgg19_weights: object,
    options: dict[str, object],
    size: tuple[int, int],
    masked: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In float64: what is left is rounding, of sums in another order."""
    monkeypatch.setattr(Tensor, "float", Tensor.double)
    chosen = GatysOptions(**options)  # type: ignore[arg-type]
    network = vgg.load_vgg19_layers(pooling=chosen.pooling).double()
    (losses, whole), (tiled_losses, tiled) = of_both(network, chosen, size, masked=masked)
    assert tiled_losses == pytest.approx(losses, rel=1e-12)
    assert float((tiled - whole).abs().max() / whole.abs().max()) < 1e-12


def test_a_margin_of_a_stride_less_would_not_do(
    vgg19_weights: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objective, "MARGIN", objective.MARGIN - 16)
    monkeypatch.setattr(Tensor, "float", Tensor.double)
    network = vgg.load_vgg19_layers().double()
    (_, whole), (_, tiled) = of_both(network, GatysOptions(), (32, 203))
    assert float((tiled - whole).abs().max() / whole.abs().max()) > 1e-9


def test_tiles_in_float32_and_their_losses_without_a_gradient(network: vgg.VGG19Layers) -> None:
    content, style, image = (to_tensor(picture(170, 34, seed)) for seed in range(3))
    options = GatysOptions(tv_weight=2.0)
    plain, tiled = (
        GatysObjective(network, content, [style], options, tile=tile) for tile in (None, 224)
    )
    (_, expected), (_, found) = plain.evaluate(image), tiled.evaluate(image)
    assert float((found - expected).abs().max() / expected.abs().max()) < 1e-5
    with torch.no_grad():
        losses = {name: loss.item() for name, loss in tiled.losses(image).items()}
    assert losses == pytest.approx(plain.latest, rel=1e-5)
