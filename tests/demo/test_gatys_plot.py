"""What is shown of an optimisation beside AdaIN: its sentence, its plot, its numbers."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from adain.demo import gatys_plot
from adain.demo.gatys_plot import Losses, Progress

ADAIN = Losses(content=3e5, style=4.7e6, total=5e6, seconds=0.041)


def progress_of(*totals: float, iterations: int = 50) -> Progress:
    """Losses of which a tenth is the content's, two seconds to an iteration."""
    history = [
        Losses(0.1 * total, 0.9 * total, total, 2.0 * number)
        for number, total in enumerate(totals, 1)
    ]
    return Progress("fast", iterations, ["data:,", None], (64, 48), ADAIN, history, None)


def test_the_verdict_has_the_numbers() -> None:
    def verdict(*totals: float, from_adain: bool = False, cancelled: bool = False) -> str:
        shown = progress_of(*totals)
        return gatys_plot.verdict(shown, from_adain=from_adain, cancelled=cancelled)

    assert verdict(9e6, 6e6, 4e6, 3e6) == (
        "AdaIN (fast): 41 ms. Gatys reached AdaIN's total loss after 3 iterations, 6.0 s."
    )
    assert verdict(9e6, cancelled=True) == (
        "Cancelled after 1 iteration of 50. AdaIN (fast): 41 ms."
        " Gatys has not reached AdaIN's total loss in 1 iteration, 2.0 s."
    )
    assert verdict(4e6, 2e6, from_adain=True).endswith(
        "From its picture, Gatys lowered the total loss by 60 % in 2 iterations, 4.0 s."
    )
    assert verdict(cancelled=True).startswith("Cancelled after 0 iterations of 50.")


@pytest.mark.parametrize("totals", [(), (0.0,), (5e6,), (9e9, 4e6, 1e-3)])
def test_the_plot_is_drawn_for_any_losses(totals: tuple[float, ...]) -> None:
    plot = ElementTree.fromstring(gatys_plot.plot(progress_of(*totals)))
    levels = [line for line in plot.iter("line") if "adain" in line.get("class", "")]
    assert len({line.get("y1") for line in levels}) == 3
    for line in plot.iter("polyline"):
        points = [pair.split(",") for pair in line.get("points", "").split()]
        assert len(points) == len(totals)
        assert all(0 <= float(y) <= gatys_plot.HEIGHT for _, y in points)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (0.0123, "0.0123"), (4.915e6, "4.92 M"), (999_600, "1.00 M"), (12, "12.0")],
)
def test_numbers_have_three_digits(value: float, shown: str) -> None:
    assert gatys_plot.number(value) == shown
