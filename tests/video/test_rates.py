"""Constant frame rates from times that a file rounds, and frames that are shown long enough."""

from fractions import Fraction

import numpy as np
import pytest

from adain.video.frames import Frame
from adain.video.rates import at_rate, spaced

PIXELS = np.zeros((1, 1, 3), np.uint8)


def frames(times, rate):
    """Each frame is as tall as its number says."""
    return [
        Frame(np.zeros((1 + n, 1, 3), np.uint8), time, 1 / rate) for n, time in enumerate(times)
    ]


def numbers(items):
    return [len(item.rgb) - 1 for item in items]


@pytest.mark.parametrize("unit", [Fraction(1, 1000), Fraction(1, 90_000), Fraction(1, 100)])
@pytest.mark.parametrize("rate", [Fraction(30), Fraction(30_000, 1001), Fraction(25)])
def test_the_files_own_rate_takes_each_frame_once(rate, unit):
    times = [round(n / rate / unit) * unit for n in range(200)]
    made = list(at_rate(iter(frames(times, rate)), rate, Fraction(0), unit))
    assert numbers(made) == list(range(200))
    assert [item.time for item in made] == [n / rate for n in range(200)]


@pytest.mark.parametrize("unit", [Fraction(1, 25), Fraction(1, 1000)])
@pytest.mark.parametrize(
    ("rate", "expected"),
    [(Fraction(25, 2), [0, 2, 4, 6, 8]), (Fraction(50), [n // 2 for n in range(20)])],
)
def test_another_rate_drops_or_repeats(rate, expected, unit):
    source = frames([Fraction(n, 25) for n in range(10)], 25)
    assert numbers(at_rate(iter(source), rate, Fraction(0), unit)) == expected


def test_it_begins_where_it_is_told_to():
    source = frames([Fraction(n, 25) for n in range(10)], 25)[4:]
    made = list(at_rate(iter(source), Fraction(25), Fraction(4, 25), Fraction(1, 1000)))
    assert numbers(made) == [4, 5, 6, 7, 8, 9] and made[0].time == Fraction(4, 25)


def test_what_is_shown_too_shortly_is_left_out():
    notes = []
    times = [Fraction(n, 100) for n in range(9)]
    made = list(spaced(iter(frames(times, 100)), Fraction(2, 100), notes))
    assert numbers(made) == [0, 2, 4, 6, 8] and len(notes) == 1
    assert {item.duration for item in made} == {Fraction(2, 100)}
    made = list(spaced(iter(frames([Fraction(n, 25) for n in range(9)], 25)), Fraction(2, 100), []))
    assert numbers(made) == list(range(9))
