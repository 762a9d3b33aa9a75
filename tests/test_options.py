"""StylizeOptions: defaults, what is refused without a picture, and one way through."""

import inspect
from dataclasses import fields

import numpy as np
import pytest
from helpers import error_of

from adain import Stylizer, load_image
from adain.cli.stylize import stylize as command
from adain.images import Picture
from adain.options import StylizeKeywords, StylizeOptions, about

NAMES = [field.name for field in fields(StylizeOptions)]


def test_the_keywords_of_stylize_are_the_options() -> None:
    signature = inspect.signature(Stylizer.stylize).parameters
    assert list(signature)[3:] == NAMES
    assert [signature[name].default for name in NAMES] == [about(n)["default"] for n in NAMES]
    assert [*StylizeKeywords.__annotations__] == NAMES[1:]


def test_the_command_has_the_same_defaults() -> None:
    options = {option.name: option for option in command.params}
    for name in NAMES:
        assert options[name].help == about(name)["help"]
        assert options[name].multiple or options[name].default == about(name)["default"]


@pytest.mark.parametrize(
    ("values", "start"),
    [
        ({"alpha": 1.5}, "alpha: found 1.5; allowed: a number from 0 "),
        ({"alpha": [0.5]}, "alpha: found [0.5]; "),
        ({"style_weights": [1, -1]}, "style weights: found [1.0, -1.0]; "),
        ({"style_weights": 1}, "style weights: found 1; "),
        ({"masks": "mask.png"}, "masks: found a single str; allowed: a list"),
        ({"colours": "mine"}, "colours: found 'mine'; allowed: style, matched or luminance"),
        ({"smooth": -0.1}, "smooth: found -0.1; allowed: a number from 0 (none) to 1"),
        ({"smooth": "0.5"}, "smooth: found '0.5'; "),
        ({"smooth": float("nan")}, "smooth: found nan; "),
        ({"style_size": 0}, "style_size: found 0; allowed: an integer of at least 1"),
        ({"max_side": 2.5}, "max_side: found 2.5; allowed: an integer of at least 1"),
    ],
)
def test_what_is_refused_without_a_picture(values: dict[str, object], start: str) -> None:
    assert error_of(lambda: StylizeOptions(**values)).startswith(start)


def test_an_amount_of_smoothing_is_one_number_whatever_its_type() -> None:
    for value in (np.float32(0.5), np.float16(0.5), 0.5):
        found = StylizeOptions(smooth=value).smooth
        assert type(found) is float and found == 0.5
    assert type(StylizeOptions(smooth=0).smooth) is float


def test_a_picture_is_taken_wherever_an_image_is(
    stylizer: Stylizer, photo: np.ndarray, painting: np.ndarray
) -> None:
    content, style, map_ = load_image(photo), load_image(painting), load_image(photo[..., 0])
    result = stylizer.stylize(content, style, map_, masks=[map_], max_side=64)
    assert isinstance(result, Picture) and (result.width, result.height) == (64, 48)
    expected = stylizer.stylize(photo, painting, photo[..., 0], masks=[photo[..., 0]], max_side=64)
    assert np.array_equal(result.to_array(), expected)
    options = StylizeOptions(alpha=map_, masks=[map_], max_side=64)
    assert np.array_equal(stylizer.stylize_with(content, style, options).rgb, result.rgb)
    assert np.array_equal(
        stylizer.encode_style(style).vector, stylizer.encode_style(painting).vector
    )
