"""Colours that are kept, against what the paper's equations promise."""

import numpy as np
import pytest

from adain.colours import luminance, match_colours, match_luminance, with_luminance
from adain.images import load_image
from adain.images.picture import Picture


def picture(seed: int, low: float = 0.3, high: float = 0.7) -> np.ndarray:
    random = np.random.default_rng(seed)
    mixing = random.normal(size=(3, 3)) * 0.05
    colours = random.normal(size=(40, 50, 3)) @ mixing + random.uniform(low, high, 3)
    return np.clip(colours, 0, 1).astype(np.float32)


def test_mean_and_covariance_become_the_references() -> None:
    image, reference = picture(0), picture(1)[:20]
    matched = match_colours(image, reference)
    assert matched.dtype == np.float32 and matched.shape == image.shape
    flat, wanted = matched.reshape(-1, 3), reference.reshape(-1, 3)
    np.testing.assert_allclose(flat.mean(axis=0), wanted.mean(axis=0), atol=2e-3)
    np.testing.assert_allclose(np.cov(flat.T), np.cov(wanted.T), atol=2e-4)


def test_a_picture_with_its_own_colours_stays() -> None:
    image = picture(2)
    np.testing.assert_allclose(match_colours(image, image), image, atol=1e-5)
    np.testing.assert_allclose(match_luminance(image, image), luminance(image), atol=1e-5)


def test_luminance_is_the_others_and_colours_are_ours() -> None:
    colours, light = picture(3, 0.45, 0.55), picture(4, 0.45, 0.55)
    mixed = with_luminance(colours, light)
    # A few colours do not exist, and are clipped.
    inside = ((mixed > 0) & (mixed < 1)).all(axis=2)
    assert inside.mean() > 0.9
    np.testing.assert_allclose(luminance(mixed)[inside], luminance(light)[inside], atol=1e-5)
    # I and Q: what is left without the luma.
    kept, given = mixed - luminance(mixed), colours - luminance(colours)
    np.testing.assert_allclose(kept[inside], given[inside], atol=2e-3)


def test_luma_takes_mean_and_deviation() -> None:
    image, reference = picture(5), picture(6)
    matched, wanted = match_luminance(image, reference), luminance(reference)
    assert matched.mean() == pytest.approx(wanted.mean(), abs=2e-3)
    assert matched.std() == pytest.approx(wanted.std(), abs=2e-3)


@pytest.mark.parametrize("colour", [(0, 0, 0), (1, 1, 1), (0.9, 0.1, 0.4)])
def test_one_colour_is_matched_without_nan(colour: tuple[float, float, float]) -> None:
    flat, other = np.full((8, 9, 3), colour, np.float32), picture(7)
    for matched in (
        match_colours(flat, other),
        match_colours(other, flat),
        match_luminance(flat, other),
        match_luminance(other, flat),
        with_luminance(flat, flat),
    ):
        assert np.isfinite(matched).all()
        assert matched.min() >= 0 and matched.max() <= 1
    assert np.abs(match_colours(other, flat) - np.float32(colour)).max() < 0.05


def test_luminance_keeps_the_contents_colours(stylizer, photo, painting):
    content = Picture(0.4 + 0.2 * load_image(photo).rgb)  # far from where colours are clipped
    style = match_luminance(load_image(painting).rgb, content.rgb)
    grey = Picture(luminance(content.rgb))
    expected = with_luminance(content.rgb, stylizer.stylize(grey, style).rgb)
    result = stylizer.stylize(content, painting, colours="luminance")
    assert np.array_equal(result.rgb, expected)
    chroma = [p.rgb - luminance(p.rgb) for p in (result, content)]
    inside = (result.rgb > 0).all(axis=2) & (result.rgb < 1).all(axis=2)
    assert inside.mean() > 0.7 and np.abs(chroma[0] - chroma[1])[inside].max() < 2e-3
    assert np.abs(luminance(result.rgb) - luminance(content.rgb)).mean() > 0.01
    # A Style is taken as it is.
    given = stylizer.stylize(content, stylizer.encode_style(style), colours="luminance")
    assert np.array_equal(given.rgb, expected)


def test_matched_styles_have_the_contents_colours(stylizer, photo, painting):
    style = match_colours(load_image(painting).rgb, load_image(photo).rgb)
    expected = stylizer.stylize(photo, style)
    assert np.array_equal(stylizer.stylize(photo, painting, colours="matched"), expected)

    def shift(colours: str) -> float:
        result = stylizer.stylize(photo, painting, colours=colours)
        return float(np.abs(result.mean(axis=(0, 1)) - photo.mean(axis=(0, 1))).sum())

    assert shift("matched") < shift("style")
    assert shift("luminance") < shift("style")
