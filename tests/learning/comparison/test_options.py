from typing import Any

import pytest
from helpers import error_of

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from adain.learning.comparison.options import CompareOptions, curve_iterations


def test_curves_are_looked_at_evenly_in_the_logarithm() -> None:
    assert curve_iterations(1) == [1]
    assert curve_iterations(10) == [1, 2, 3, 5, 7, 10]
    assert curve_iterations(300)[-4:] == [100, 147, 215, 300]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 48}, "size: found 48; allowed: an integer in 64..768"),
        ({"size": 100}, "size: found 100; allowed: a multiple of 16"),
        ({"alphas": [0.5, 2]}, "alphas: found [0.5, 2]"),
        ({"alphas": []}, "alphas: found []"),
        ({"iterations": []}, "iterations: found none"),
        ({"iterations": [50, 0]}, "iterations: found 0; allowed: an integer of at least 1"),
        ({"threads": 0}, "threads: found 0"),
        ({"models": ["slow"]}, "model: found 'slow'; allowed: fast, vgg19 or paper"),
    ],
)
def test_a_bad_option_is_one_line(options: dict[str, Any], message: str) -> None:
    assert message in error_of(lambda: CompareOptions(**options))
