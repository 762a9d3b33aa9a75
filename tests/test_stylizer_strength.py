"""Strength 0 gives the content's own pixels back, and what lies next to it comes close to them."""

from itertools import pairwise

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from adain import Stylizer, registry, weights
from adain.contract import FADE
from adain.images.picture import Picture

RIGHT = np.zeros((4, 6), np.float32)
RIGHT[:, 3:] = 1
COLOURS = ("style", "luminance")


@pytest.fixture(scope="module", params=[*registry.TRAINED, "fast fp16"])
def machine(request: pytest.FixtureRequest) -> Stylizer:
    """Each model on the CPU, and one in half precision."""
    name, _, precision = request.param.partition(" ")
    with pytest.MonkeyPatch.context() as patch:
        if name == "vgg19":
            patch.setenv("ADAIN_WEIGHTS", str(request.getfixturevalue("vgg19_files")))
        return Stylizer(name, device="cpu", precision=precision or "fp32")


@pytest.fixture
def lines() -> np.ndarray:
    """What a network brings back worst: uint8 [61, 77, 3], thin lines and noise."""
    levels = np.random.default_rng(0).integers(0, 256, (61, 77, 3), np.uint8)
    levels[::4, :40] = 0
    levels[1::4, :40] = 255
    return levels


@pytest.mark.parametrize("colours", COLOURS)
def test_strength_0_is_the_content(machine, lines, painting, colours):
    result = machine.stylize(lines, painting, 0, colours=colours)
    assert np.array_equal(result, lines)
    assert not np.array_equal(machine.stylize(lines, painting, 1, colours=colours), lines)


def test_strength_0_is_the_content_as_it_is_and_not_smoothed(machine, lines, painting):
    assert np.array_equal(machine.stylize(lines, painting, 0, smooth=1.0), lines)
    whole = [machine.stylize(lines, painting, smooth=smooth) for smooth in (0.0, 1.0)]
    assert not np.array_equal(*whole)


@pytest.mark.parametrize("colours", COLOURS)
def test_floats_are_kept_to_the_bit(machine, lines, painting, colours):
    content = Picture((lines / 255 * 0.9 + 0.0123).astype(np.float32))
    result = machine.stylize(content, painting, 0, colours=colours)
    assert np.array_equal(result.rgb, content.rgb)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (16, 16), (61, 77)])
def test_every_size(machine, lines, painting, size):
    content = lines[: size[0], : size[1]]
    assert np.array_equal(machine.stylize(content, painting, 0.0), content)


@pytest.mark.parametrize("colours", COLOURS)
def test_outside_a_mask_is_the_content(machine, lines, painting, colours):
    content = np.dstack([lines, np.full(lines.shape[:2], 255, np.uint8)])
    mask = np.zeros(lines.shape[:2], np.uint8)
    mask[20:45, 30:33] = 255  # narrower than what one of the features stands for
    for how in (
        {"masks": [mask]},
        {"alpha": mask},
        {"masks": [mask, mask * 0], "style": [painting, painting[::-1]]},
    ):
        result = machine.stylize(content, **({"style": painting} | how), colours=colours)
        changed = (result[..., :3] != lines).any(axis=-1)
        assert not changed[mask == 0].any() and changed[mask > 0].mean() > 0.9


def test_a_mask_of_another_size(machine, lines, painting):
    result = machine.stylize(lines, painting, masks=[RIGHT])
    # A pixel of the mask, and the one that it is interpolated with.
    assert np.array_equal(result[:, :26], lines[:, :26])
    assert not np.array_equal(result[:, 40:], lines[:, 40:])


def test_strength_goes_over_from_the_content_without_a_step(machine, lines, painting):
    content = Picture(lines.astype(np.float32) / 255)
    alphas = np.linspace(0, 2 * FADE, 41)
    results = [machine.stylize(content, painting, float(alpha)).rgb for alpha in alphas]
    steps = [np.abs(b - a).mean() for a, b in pairwise(results)]
    whole = np.abs(results[20] - content.rgb).mean()
    # The steepest of smoothstep is one and a half times its mean; and it begins flat.
    assert max(steps) < 2.5 * whole / 20 and steps[0] < 0.2 * whole / 20


def test_from_a_tenth_on_it_is_the_networks(machine, lines, painting, monkeypatch):
    run, given = machine._sessions.run, {}

    def spy(part, outputs, inputs, **options):
        given.update(inputs)
        return run(part, outputs, inputs, **options)

    monkeypatch.setattr(machine._sessions, "run", spy)
    result = machine.stylize(Picture(lines.astype(np.float32) / 255), painting, FADE).rgb
    inputs = given | {"strength": np.ones((1, 1, 1, 1), np.float32)}
    (network,) = run("decoder", ["stylized"], inputs)
    assert np.array_equal(result, network[0, :, :61, :77].transpose(1, 2, 0))


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("alpha", [0.0, -1.0, np.nan, -np.inf, 10.0, np.inf])
def test_the_whole_file_takes_any_strength(lines, painting, precision, alpha):
    file = weights.find(weights.onnx_file("fast", "whole", precision), get="")
    whole = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])

    def run(strength: float) -> np.ndarray:
        feeds = {"content": lines[None], "style": painting[None]}
        return whole.run(None, feeds | {"alpha": np.array([strength], np.float32)})[0][0]

    assert np.array_equal(run(alpha), run(1.0) if alpha > 1 else lines)


def test_saved_and_read_again(stylizer, lines, painting, tmp_path):
    Image.fromarray(lines).save(tmp_path / "photo.png")
    stylizer.stylize(tmp_path / "photo.png", painting, 0).save(tmp_path / "out.png")
    assert np.array_equal(Image.open(tmp_path / "out.png"), lines)
