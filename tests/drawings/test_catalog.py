"""The demo's drawings: enough of them, full of texture, none like another, the same everywhere."""

from __future__ import annotations

import numpy as np
import pytest

from adain.drawings import catalog
from adain.drawings.primitives import SIZE

DRAWINGS = {**catalog.CONTENTS, **catalog.STYLES}


@pytest.fixture(scope="module")
def pictures() -> dict[str, np.ndarray]:
    return {name: drawing.draw() for name, drawing in DRAWINGS.items()}


def test_there_are_enough() -> None:
    assert len(catalog.STYLES) >= 16
    assert len(catalog.CONTENTS) >= 3


def test_each_says_what_it_is() -> None:
    for texts in ([d.title for d in DRAWINGS.values()], [d.description for d in DRAWINGS.values()]):
        assert all(text.strip() == text and text for text in texts)
        assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("name", DRAWINGS)
def test_it_is_a_whole_picture(pictures: dict[str, np.ndarray], name: str) -> None:
    picture = pictures[name]
    assert picture.shape == (SIZE, SIZE, 3)
    assert np.isfinite(picture).all()
    assert np.clip(picture, 0, 1).std() > 0.1


@pytest.mark.parametrize("name", catalog.STYLES)
def test_a_style_has_texture_all_over(pictures: dict[str, np.ndarray], name: str) -> None:
    # A style is the statistics of the whole picture: flat places would speak in them too.
    blocks = np.clip(pictures[name], 0, 1).reshape(16, 32, 16, 32, 3).mean(axis=4)
    flat = blocks.std(axis=(1, 3)) < 0.01
    assert flat.mean() < 0.02


def test_no_style_is_like_another(pictures: dict[str, np.ndarray]) -> None:
    looks = {}
    for name in catalog.STYLES:
        picture = np.clip(pictures[name], 0, 1)
        fine = picture - picture.reshape(128, 4, 128, 4, 3).mean(axis=(1, 3)).repeat(4, 0).repeat(
            4, 1
        )
        looks[name] = np.concatenate([picture.mean((0, 1)), picture.std((0, 1)), fine.std((0, 1))])
    for first in looks:
        for second in looks:
            if first < second:
                assert np.abs(looks[first] - looks[second]).max() > 0.02, (first, second)


@pytest.mark.parametrize("name", ["landscape", "mosaic", "marbling", "watercolour"])
def test_it_is_the_same_every_time(pictures: dict[str, np.ndarray], name: str) -> None:
    np.testing.assert_array_equal(DRAWINGS[name].draw(), pictures[name])
