"""Style transfer by optimisation: its losses by numpy and differences, its pictures for real."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")


from waves import picture

from adain.images.picture import Picture
from adain.learning.gatys import inputs, run
from adain.learning.gatys.footprint import Plan
from adain.learning.gatys.objective import GatysObjective
from adain.learning.gatys.options import GatysOptions
from adain.learning.gatys.run import GatysProgress, optimize
from adain.learning.models import vgg
from adain.learning.tensors import to_tensor


def test_the_loss_falls_and_the_picture_fits(network: vgg.VGG19Layers) -> None:
    content, style = picture(48, 40, 0), picture(64, 32, 1)
    content = Picture(content.rgb, np.linspace(0, 1, 48 * 40, dtype=np.float32).reshape(40, 48))
    seen: list[GatysProgress] = []
    result = optimize(
        content, [style], GatysOptions(iterations=12), callback=seen.append, vgg=network
    )
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
        result = optimize(content, [style], options, vgg=network)
        assert np.isfinite(result.picture.rgb).all()
        assert all(np.isfinite(list(step.values())).all() for step in result.history)


def test_the_same_seed_gives_the_same_picture(network: vgg.VGG19Layers) -> None:
    options = GatysOptions(iterations=3, init="noise", seed=4)
    first, second, other = (
        optimize(picture(32, 40, 0), [picture(40, 32, 1)], o, vgg=network).picture.rgb
        for o in (options, options, replace(options, seed=5))
    )
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_no_iterations_give_the_start(network: vgg.VGG19Layers) -> None:
    content = picture(40, 32, 0)
    result = optimize(content, [picture(32, 32, 1)], GatysOptions(iterations=0), vgg=network)
    np.testing.assert_allclose(result.picture.rgb, content.rgb)
    assert result.history == []


def test_a_callback_that_returns_true_ends_the_run(network: vgg.VGG19Layers) -> None:
    result = optimize(
        picture(32, 32, 0),
        [picture(32, 32, 1)],
        GatysOptions(iterations=50),
        callback=lambda progress: progress.iteration == 3,
        vgg=network,
    )
    assert result.stopped and len(result.history) == 3


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
    # Masks of another size are stretched, as those of a Stylizer are.
    small = [mask.resized(mask.width // 2, mask.height // 2) for mask in masks]
    for given in (masks, small):
        rgb = optimize(content, [red, blue], options, masks=given, vgg=network).picture.rgb
        redness = (rgb[..., 0] - rgb[..., 2]).mean(axis=0)
        assert redness[:24].mean() > 0.2 and redness[-24:].mean() < -0.2


@pytest.mark.parametrize("colours", ["matched", "luminance"])
def test_colours_are_kept(network: vgg.VGG19Layers, colours: str) -> None:
    content = Picture(picture(40, 40, 0).rgb * np.float32([1, 0.5, 0.2]))
    style = Picture(picture(40, 40, 1).rgb * np.float32([0.2, 0.5, 1]))
    options = GatysOptions(iterations=10)

    def redness(chosen: str) -> float:
        rgb = optimize(content, [style], replace(options, colours=chosen), vgg=network).picture.rgb
        return float(rgb[..., 0].mean() - rgb[..., 2].mean())

    wanted = float(content.rgb[..., 0].mean() - content.rgb[..., 2].mean())
    assert abs(redness(colours) - wanted) < 0.5 * abs(redness("style") - wanted)


def test_several_sizes_end_at_the_contents(
    network: vgg.VGG19Layers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "COARSEST_SIDE", 32)
    seen: list[GatysProgress] = []
    options = GatysOptions(iterations=4)
    result = optimize(
        picture(90, 65, 0), [picture(40, 50, 1)], options, callback=seen.append, vgg=network
    )
    assert [p.side for p in seen] == [45] * 4 + [90] * 2
    assert (result.picture.width, result.picture.height) == (90, 65)


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_tiles_end_at_the_picture_of_the_whole(
    network: vgg.VGG19Layers, optimizer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gradients are equal but for rounding, which iterations make more of."""
    content, style, told = picture(130, 33, 0), picture(32, 32, 1), list[GatysProgress]()
    options = GatysOptions(iterations=3, style_scale=0.4, optimizer=optimizer)  # type: ignore[arg-type]
    whole = optimize(content, [style], options, vgg=network)
    monkeypatch.setattr(run, "plan", lambda *_: Plan(tile=224))
    tiled = optimize(content, [style], options, vgg=network, callback=told.append)
    assert told[0].tile == 224
    for ours, theirs in zip(tiled.history, whole.history, strict=True):
        assert ours["total"] == pytest.approx(theirs["total"], rel=1e-4)
    assert np.abs(tiled.picture.rgb - whole.picture.rgb).mean() < 1e-3


def test_bf16_ends_near_float32(network: vgg.VGG19Layers) -> None:
    content, style, options = picture(48, 48, 0), picture(48, 48, 1), GatysOptions(iterations=20)
    judge = GatysObjective(network, to_tensor(content), [to_tensor(style)], options)
    totals = {}
    for precision in ("fp32", "bf16"):
        chosen = replace(options, precision=precision)  # type: ignore[arg-type]
        result = optimize(content, [style], chosen)
        totals[precision] = judge.evaluate(to_tensor(result.picture))[0]
    assert totals["bf16"] == pytest.approx(totals["fp32"], rel=0.1)
