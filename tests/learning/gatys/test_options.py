"""What the options of an optimisation may be."""

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")


from adain.errors import AdaINError
from adain.learning.gatys.options import GatysOptions


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"iterations": -1}, "iterations: found -1"),
        ({"init": "zeros"}, "init: found 'zeros'"),
        (
            {"style_shares": [1, -1]},
            r"found \[1.0, -1.0\]; allowed: numbers of 0 and more",
        ),
        ({"style_shares": [0, 0]}, "not all 0"),
        ({"style_shares": [3, -1]}, r"style weights: found \[3.0, -1.0\]"),
        ({"style_layers": {"relu9_1": 1}}, "layer: found 'relu9_1'"),
        ({"style_weight": float("nan")}, "style_weight: found nan"),
        ({"precision": "fp8"}, "precision: found 'fp8'"),
        ({"colours": "none"}, "colours: found 'none'"),
        ({"optimizer": "sgd"}, "optimizer: found 'sgd'"),
        ({"seed": 2**64}, f"seed: found {2**64}"),
        ({"memory_limit": "much"}, "memory_limit: found 'much'"),
    ],
)
def test_bad_options_are_one_line(options: dict[str, object], found: str) -> None:
    with pytest.raises(AdaINError, match=found):
        GatysOptions(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "shares", [[1, float("inf")], [float("nan"), 1], [0, 0], [2, -1], [float("inf")] * 2]
)
def test_shares_are_finite_and_not_all_0(shares: list[float]) -> None:
    with pytest.raises(AdaINError, match=r"style weights: found .*; allowed: "):
        GatysOptions(style_shares=shares)
