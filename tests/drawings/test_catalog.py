"""The demo's drawings: enough of them, full of texture, none like another, the same everywhere."""

from __future__ import annotations

import numpy as np
import pytest

from adain.drawings import catalog
from adain.drawings.catalog import Drawing
from adain.drawings.photographs import PHOTOGRAPHS
from adain.drawings.primitives import SIZE
from adain.registry import DEFAULT_MODEL

OFFERED = {**catalog.CONTENTS, **catalog.STYLES}
DRAWINGS = {name: drawing for name, drawing in OFFERED.items() if isinstance(drawing, Drawing)}


@pytest.fixture(scope="module")
def pictures() -> dict[str, np.ndarray]:
    return {name: drawing.draw() for name, drawing in DRAWINGS.items()}


def test_there_are_enough() -> None:
    assert len(catalog.STYLES) >= 16
    assert len(catalog.CONTENTS) >= 3


def test_each_says_what_it_is() -> None:
    for texts in ([o.title for o in OFFERED.values()], [o.description for o in OFFERED.values()]):
        assert all(text.strip() == text and text for text in texts)
        assert len(set(texts)) == len(texts)


def test_no_two_have_one_name() -> None:
    drawings = len(catalog.CONTENTS) - len(PHOTOGRAPHS)
    assert drawings >= 3 and len(OFFERED) == len(catalog.CONTENTS) + len(catalog.STYLES)


def test_the_photographs_are_the_first_contents() -> None:
    assert list(catalog.CONTENTS)[: len(PHOTOGRAPHS)] == list(PHOTOGRAPHS)
    # They come as they are, beside what is drawn.
    for name, photograph in PHOTOGRAPHS.items():
        assert catalog.file_of(name) == photograph.path
    assert catalog.file_of("landscape").parent == catalog.folder()


def test_the_pairs_to_try_are_of_photographs_and_shipped() -> None:
    for pair in catalog.PAIRS:
        assert pair.content in PHOTOGRAPHS and pair.style in catalog.STYLES
        assert 0 < pair.strength <= 1
        assert pair.model == DEFAULT_MODEL  # which needs no download
    assert catalog.PAIRS[0].content == next(iter(catalog.CONTENTS))
    contents = [pair.content for pair in catalog.PAIRS]
    styles = [pair.style for pair in catalog.PAIRS]
    assert len(set(contents)) == len(set(styles)) == len(catalog.PAIRS) == 4


def test_a_drawing_needs_no_credit() -> None:
    assert not any(drawing.credit for drawing in DRAWINGS.values())


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
