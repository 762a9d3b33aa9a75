"""Style transfer by optimisation: its losses by numpy and differences, its pictures for real."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from torch import Tensor

from adain.errors import AdaINError
from adain.images.picture import Picture
from adain.learning import losses
from adain.learning.gatys import inputs as gatys_inputs
from adain.learning.gatys.objective import GatysOptions, Objective
from adain.learning.gatys.run import Progress, gatys, total_iterations
from adain.learning.models import vgg
from adain.learning.models.networks import VGG19Encoder
from adain.learning.models.pretrained import load_vgg19_encoder
from adain.learning.tensors import to_tensor

Array = npt.NDArray[np.float64]


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def picture(width: int, height: int, seed: int) -> Picture:
    """Waves of a few colours."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / 16
    waves = [np.sin(a * x + b * y + c) for a, b, c in generator.uniform(-3, 3, (3, 3))]
    return Picture((0.5 + 0.4 * np.stack(waves, axis=2)).astype(np.float32))


@pytest.fixture(scope="module")
def network(vgg19_weights: object) -> vgg.VGG19Layers:
    return vgg.load_vgg19_layers()


# The losses


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
    objective = Objective(network, random(1, 3, 32, 48), [random(1, 3, 40, 32, seed=1)], chosen)
    image, direction = random(1, 3, 32, 48, seed=2), random(1, 3, 32, 48, seed=3) - 0.5
    _, gradient = objective.evaluate(image)
    step = 1e-6
    ahead, behind = (objective.evaluate(image + s * step * direction)[0] for s in (1, -1))
    slope = (gradient * direction).sum().item()
    assert (ahead - behind) / (2 * step) == pytest.approx(slope, rel=1e-4)


# The network


@torch.inference_mode()
def test_the_layers_are_those_of_adains_encoder(network: vgg.VGG19Layers) -> None:
    image, encoder = random(1, 3, 48, 64).float(), load_vgg19_encoder()
    assert isinstance(encoder, VGG19Encoder)
    seen = network(image, ["relu1_1", "relu2_1", "relu3_1", "relu4_1"])
    for ours, theirs in zip(seen.values(), encoder.relu_features(image), strict=True):
        assert torch.equal(ours, theirs)


def test_checkpointing_changes_nothing(network: vgg.VGG19Layers) -> None:
    objective = [
        Objective(
            network,
            random(1, 3, 32, 32).float(),
            [random(1, 3, 32, 32, seed=1).float()],
            GatysOptions(),
            checkpointing=checkpointing,
        )
        for checkpointing in (False, True)
    ]
    image = random(1, 3, 32, 32, seed=2).float()
    (plain, gradient), (saved, same) = (o.evaluate(image) for o in objective)
    assert plain == pytest.approx(saved)
    torch.testing.assert_close(gradient, same)


# The pictures


def test_the_loss_falls_and_the_picture_fits(network: vgg.VGG19Layers) -> None:
    content, style = picture(48, 40, 0), picture(64, 32, 1)
    content = Picture(content.rgb, np.linspace(0, 1, 48 * 40, dtype=np.float32).reshape(40, 48))
    seen: list[Progress] = []
    result = gatys(content, [style], GatysOptions(iterations=12), callback=seen.append, vgg=network)
    assert (result.picture.width, result.picture.height) == (48, 40)
    assert result.picture.alpha is content.alpha
    assert result.picture.rgb.min() >= 0 and result.picture.rgb.max() <= 1
    totals = [losses["total"] for losses in result.history]
    assert len(totals) == 12 and all(b <= a for a, b in pairwise(totals))
    assert totals[-1] < 0.7 * totals[0]
    assert [p.iteration for p in seen] == list(range(1, 13)) and seen[0].iterations == 12
    assert not result.stopped


@pytest.mark.parametrize("colour", [(0, 0, 0), (1, 1, 1), (0.8, 0.1, 0.3)])
@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_flat_styles_and_contents_stay_finite(
    network: vgg.VGG19Layers, colour: tuple[float, float, float], optimizer: str
) -> None:
    flat = Picture(np.full((32, 32, 3), colour, np.float32))
    options = GatysOptions(iterations=4, optimizer=optimizer)  # type: ignore[arg-type]
    for content, style in ((picture(32, 32, 0), flat), (flat, picture(32, 32, 0)), (flat, flat)):
        result = gatys(content, [style], options, vgg=network)
        assert np.isfinite(result.picture.rgb).all()
        assert all(np.isfinite(list(step.values())).all() for step in result.history)


def test_the_same_seed_gives_the_same_picture(network: vgg.VGG19Layers) -> None:
    options = GatysOptions(iterations=3, init="noise", seed=4)
    first, second, other = (
        gatys(picture(32, 40, 0), [picture(40, 32, 1)], o, vgg=network).picture.rgb
        for o in (options, options, replace(options, seed=5))
    )
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_no_iterations_give_the_start(network: vgg.VGG19Layers) -> None:
    content = picture(40, 32, 0)
    result = gatys(content, [picture(32, 32, 1)], GatysOptions(iterations=0), vgg=network)
    np.testing.assert_allclose(result.picture.rgb, content.rgb)
    assert result.history == []


def test_a_callback_that_returns_true_ends_the_run(network: vgg.VGG19Layers) -> None:
    result = gatys(
        picture(32, 32, 0),
        [picture(32, 32, 1)],
        GatysOptions(iterations=50),
        callback=lambda progress: progress.iteration == 3,
        vgg=network,
    )
    assert result.stopped and len(result.history) == 3


def test_the_adain_start_is_nearer_to_the_style(network: vgg.VGG19Layers) -> None:
    content, grain = picture(64, 64, 0), np.random.default_rng(1).random((64, 64, 3), np.float32)
    style = Picture(0.3 * grain + 0.7 * picture(64, 64, 1).rgb)
    first = {}
    for init in ("content", "adain"):
        options = GatysOptions(init=init)  # type: ignore[arg-type]
        objective = Objective(network, to_tensor(content), [to_tensor(style)], options)
        start = gatys_inputs.start(content, [style], options)
        objective.evaluate(start)
        first[init] = objective.latest["style"]
    assert first["adain"] < 0.7 * first["content"]


def test_shares_of_styles_mix_their_grams(network: vgg.VGG19Layers) -> None:
    content, styles = picture(32, 32, 0), [to_tensor(picture(32, 32, seed)) for seed in (1, 2)]
    only = Objective(network, to_tensor(content), styles[:1], GatysOptions())
    both = Objective(network, to_tensor(content), styles, GatysOptions(style_weights=[2, 0]))
    image = to_tensor(picture(32, 32, 3))
    assert both.evaluate(image)[0] == pytest.approx(only.evaluate(image)[0])
    even = Objective(network, to_tensor(content), styles, GatysOptions(style_weights=[3, 3]))
    other = Objective(network, to_tensor(content), styles[1:], GatysOptions())
    for name in GatysOptions().style_layers:
        mean = (only.targets[0].grams[name] + other.targets[0].grams[name]) / 2
        torch.testing.assert_close(even.targets[0].grams[name], mean)


def test_masks_say_where_a_style_goes(network: vgg.VGG19Layers) -> None:
    """Red on the left and blue on the right, as two masks have it."""
    content = Picture(np.full((48, 64, 3), 0.5, np.float32))
    red, blue = (
        Picture(np.full((32, 32, 3), colour, np.float32)) for colour in ((1, 0, 0), (0, 0, 1))
    )
    left = np.zeros((48, 64, 3), np.float32)
    left[:, :32] = 1
    options = GatysOptions(iterations=25, content_weight=0.0)
    masks = [Picture(left), Picture(1 - left)]
    rgb = gatys(content, [red, blue], options, masks=masks, vgg=network).picture.rgb
    redness = (rgb[..., 0] - rgb[..., 2]).mean(axis=0)
    assert redness[:24].mean() > 0.2 and redness[-24:].mean() < -0.2


@pytest.mark.parametrize("colours", ["matched", "luminance"])
def test_colours_are_kept(network: vgg.VGG19Layers, colours: str) -> None:
    content = Picture(picture(40, 40, 0).rgb * np.float32([1, 0.5, 0.2]))
    style = Picture(picture(40, 40, 1).rgb * np.float32([0.2, 0.5, 1]))
    options = GatysOptions(iterations=10)

    def redness(chosen: str) -> float:
        rgb = gatys(content, [style], replace(options, colours=chosen), vgg=network).picture.rgb
        return float(rgb[..., 0].mean() - rgb[..., 2].mean())

    wanted = float(content.rgb[..., 0].mean() - content.rgb[..., 2].mean())
    assert abs(redness(colours) - wanted) < 0.5 * abs(redness("style") - wanted)


def test_sizes_go_from_coarse_to_fine() -> None:
    options = GatysOptions(iterations=100)
    assert gatys_inputs.sizes(700, 500, options) == [(700, 500, 100)]
    steps = [(500, 300, 100), (1000, 600, 50), (2001, 1200, 25)]
    assert gatys_inputs.sizes(2001, 1200, options) == steps
    assert total_iterations(2001, 1200, options) == 175
    one = replace(options, coarse_to_fine=False)
    assert gatys_inputs.sizes(2001, 1200, one) == [(2001, 1200, 100)]


def test_several_sizes_end_at_the_contents(
    network: vgg.VGG19Layers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gatys_inputs, "COARSEST_SIDE", 32)
    seen: list[Progress] = []
    options = GatysOptions(iterations=4)
    result = gatys(
        picture(90, 65, 0), [picture(40, 50, 1)], options, callback=seen.append, vgg=network
    )
    assert [p.side for p in seen] == [45] * 4 + [90] * 2
    assert (result.picture.width, result.picture.height) == (90, 65)


def test_bf16_ends_near_float32(network: vgg.VGG19Layers) -> None:
    content, style, options = picture(48, 48, 0), picture(48, 48, 1), GatysOptions(iterations=20)
    judge = Objective(network, to_tensor(content), [to_tensor(style)], options)
    totals = {}
    for precision in ("fp32", "bf16"):
        chosen = replace(options, precision=precision)  # type: ignore[arg-type]
        result = gatys(content, [style], chosen)
        totals[precision] = judge.evaluate(to_tensor(result.picture))[0]
    assert totals["bf16"] == pytest.approx(totals["fp32"], rel=0.1)


# What cannot be


SMALL = Picture(np.zeros((16, 64, 3), np.float32))


@pytest.mark.parametrize(
    ("styles", "masks", "options", "found"),
    [
        ([], None, {}, "styles: found none"),
        ([SMALL], None, {}, "style: found 64 x 16 pixels"),
        ([picture(32, 32, 0)], None, {"style_weights": [1, 1]}, "2 for 1 styles"),
        ([picture(32, 32, 0)], [], {}, "masks: found 0 for 1 styles"),
        ([picture(32, 32, 0)], [picture(32, 33, 0)], {}, "mask 1: found 32 x 33 pixels"),
    ],
)
def test_bad_inputs_are_one_line(
    styles: list[Picture], masks: list[Picture] | None, options: dict[str, object], found: str
) -> None:
    with pytest.raises(AdaINError, match=found) as raised:
        gatys(picture(32, 32, 0), styles, GatysOptions(**options), masks=masks)  # type: ignore[arg-type]
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"iterations": -1}, "iterations: found -1"),
        ({"init": "zeros"}, "init: found 'zeros'"),
        ({"style_weights": [1, -1]}, "which sum to 0"),
        ({"style_weights": [0, 0]}, "which sum to 0"),
        ({"style_weights": [3, -1]}, r"style weights: found \[3, -1\]"),
        ({"style_layers": {"relu9_1": 1}}, "layer: found 'relu9_1'"),
        ({"style_weight": float("nan")}, "style_weight: found nan"),
        ({"precision": "fp8"}, "precision: found 'fp8'"),
        ({"colours": "none"}, "colours: found 'none'"),
        ({"optimizer": "sgd"}, "optimizer: found 'sgd'"),
    ],
)
def test_bad_options_are_one_line(options: dict[str, object], found: str) -> None:
    with pytest.raises(AdaINError, match=found):
        GatysOptions(**options)  # type: ignore[arg-type]


def test_too_large_a_picture_is_refused_before_it_starts(
    network: vgg.VGG19Layers, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, style = picture(64, 64, 0), picture(32, 32, 1)
    plain = gatys_inputs.memory_needed(network, 64, 64, GatysOptions())
    least = gatys_inputs.memory_needed(network, 64, 64, GatysOptions(), checkpointing=True)
    assert least < plain
    large = [
        gatys_inputs.memory_needed(network, 512, 512, GatysOptions(), checkpointing=c)
        for c in (False, True)
    ]
    assert large[1] < 0.75 * large[0]
    device, options = torch.device("cpu"), GatysOptions()
    monkeypatch.setattr(gatys_inputs, "available_memory", lambda device: plain - 1)
    assert gatys_inputs.choose_checkpointing(network, 64, 64, options, device)
    monkeypatch.setattr(gatys_inputs, "available_memory", lambda device: least // 4)
    with pytest.raises(AdaINError, match=r"a long side of about 30 pixels"):
        gatys(content, [style], vgg=network)
