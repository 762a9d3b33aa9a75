"""Colours that nobody sees decide nothing."""

import numpy as np
import pytest
from sample_images import refused

from adain import Stylizer
from adain.images import load_image
from adain.images.picture import Picture
from adain.images.transparency import filled


def cutout(hidden: object, size: tuple[int, int] = (90, 110)) -> np.ndarray:
    """uint8 [H, W, 4]: a picture that is visible in a disc, faintly at its rim, over `hidden`."""
    height, width = size
    rows, columns = np.mgrid[:height, :width]
    radius = np.hypot(rows - height / 2, columns - width / 2) / min(size)
    alpha = np.clip((0.4 - radius) * 20, 0, 1)
    rgba = np.random.default_rng(0).integers(0, 256, (height, width, 4), np.uint8)
    rgba[..., 3] = np.rint(255 * alpha)
    rgba[rgba[..., 3] == 0, :3] = hidden
    return rgba


BLACK, WHITE = cutout((0, 0, 0)), cutout((255, 255, 255))
NOISE = BLACK.copy()
NOISE[NOISE[..., 3] == 0, :3] = np.random.default_rng(1).integers(
    0, 256, ((NOISE[..., 3] == 0).sum(), 3)
)


@pytest.mark.parametrize("other", [WHITE, NOISE], ids=["white", "noise"])
@pytest.mark.parametrize("colours", ["style", "matched", "luminance"])
@pytest.mark.parametrize("max_side", [None, 70])
def test_hidden_colours_decide_nothing(stylizer, painting, photo, other, colours, max_side):
    visible = load_image(BLACK, max_side=max_side).to_array()[..., 3] > 0

    def stylized(content, style):
        return stylizer.stylize(
            content, style, colours=colours, max_side=max_side, style_size=max_side
        )

    contents = [stylized(content, painting) for content in (BLACK, other)]
    assert (contents[0][visible] == contents[1][visible]).all()
    assert (stylized(photo, BLACK) == stylized(photo, other)).all()


def test_strength_0_hands_back_what_is_hidden_too(stylizer, painting):
    assert np.abs(stylizer.stylize(NOISE, painting, 0.0).astype(int) - NOISE).max() == 0
    half = np.zeros((90, 110), np.float32)
    half[:, 55:] = 1
    result = stylizer.stylize(NOISE, painting, half)
    assert (result[:, :55] == NOISE[:, :55]).all()
    assert (result[:, 55:, :3] != NOISE[:, 55:, :3]).any()


def test_a_hole_takes_the_colours_around_it():
    rgb = np.zeros((64, 64, 3), np.float32)
    rgb[:, :32], rgb[:, 32:] = (1, 0, 0), (0, 0, 1)
    alpha = np.ones((64, 64), np.float32)
    alpha[24:40, 4:20] = alpha[24:40, 44:60] = 0
    hidden = alpha == 0
    spoilt = rgb.copy()
    spoilt[hidden] = (0, 1, 0)
    result = filled(spoilt, alpha)
    assert (result[~hidden] == rgb[~hidden]).all()
    np.testing.assert_allclose(result[hidden], rgb[hidden], atol=0.15)
    assert result[..., 1].max() == 0
    assert (spoilt[hidden] == (0, 1, 0)).all(), "the source is changed"


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 1), (5, 8), (33, 17)])
def test_any_size_and_nothing_visible(size):
    rgb = np.random.default_rng(0).random((*size, 3), np.float32)
    nothing = np.zeros(size, np.float32)
    assert (filled(rgb, nothing) == 0.5).all()
    assert filled(rgb, nothing + 1) is rgb
    one = nothing.copy()
    one[-1, -1] = 0.3
    np.testing.assert_allclose(filled(rgb, one), np.broadcast_to(rgb[-1, -1], rgb.shape), atol=1e-5)


def test_what_models_are_shown_is_a_picture_without_alpha():
    picture = load_image(WHITE)
    assert picture.opaque().alpha is None and picture.alpha is not None
    plain = Picture(picture.rgb)
    assert plain.opaque() is plain
    refused(lambda: Stylizer("fast", "cpu").stylize(WHITE, []), "style", "empty")
