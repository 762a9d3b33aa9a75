"""Statistics that the decoder is told instead of a content's own, as frames of a shot are."""

from dataclasses import replace

import numpy as np
import pytest

from adain import AdaINError
from adain.images.windows import of_array
from adain.options import StylizeOptions
from adain.recipe import Recipe


def made(stylizer, content, recipe):
    return stylizer.stylize_recipe(of_array(content, "the content"), recipe, exact=True).rgb


def test_statistics_of_another_content(runs, photo, painting):
    stylizer, counter = runs
    recipe, told = Recipe.of(painting, StylizeOptions()), []

    def own(statistics):
        told.append(statistics)
        return statistics

    plain = made(stylizer, photo, recipe)
    assert np.array_equal(made(stylizer, photo, replace(recipe, statistics=own)), plain)
    made(stylizer, 255 - photo, replace(recipe, statistics=own))
    as_other = made(stylizer, photo, replace(recipe, statistics=lambda _: told[1]))
    assert np.abs(as_other - plain).max() > 0.05
    # None of those contents is kept for another call: only the first.
    assert counter["encoder"] == 4
    made(stylizer, photo, recipe)
    assert counter["encoder"] == 4


def test_features_of_a_content_are_kept_by_how_much_it_was_smoothed(runs, photo, painting):
    stylizer, counter = runs
    for smooth, passes in ((0.0, 1), (0.5, 2), (0.5, 2), (0.0, 2)):
        for alpha in (1.0, 0.4):
            recipe = Recipe.of(painting, StylizeOptions(smooth=smooth, alpha=alpha))
            made(stylizer, photo, recipe)
            assert counter["encoder"] == passes


def test_colours_are_matched_of_a_picture_alone(stylizer, painting):
    style = stylizer.encode_style(painting)
    with pytest.raises(AdaINError, match="a Style with colours 'matched'"):
        Recipe.of([painting, style], StylizeOptions(colours="matched"))
