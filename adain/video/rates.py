"""Frame rates: a constant one, and one that is no higher than a format is shown at."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from adain.video.frames import Copied, Frame


def at_rate(
    items: Iterator[Frame | Copied], rate: Fraction, start: Fraction, unit: Fraction
) -> Iterator[Frame | Copied]:
    """The frame that is shown at each time of a constant rate: some are dropped or repeated.

    Times are rounded to multiples of ``unit`` seconds, in Matroska to milliseconds. So a frame
    may have been meant for half a unit earlier.
    """
    shown: Frame | None = None
    number = 0
    early = min(unit, 1 / rate) / 2
    for item in items:
        if isinstance(item, Copied):
            yield item
            continue
        begins = item.time - early
        while shown is not None and start + number / rate < begins:
            yield shown.at(start + number / rate, 1 / rate)
            number += 1
        shown = item
        if number == 0:
            number = max(0, int(-(-(begins - start) * rate // 1)))
    while shown is not None and start + number / rate < shown.time + shown.duration - early:
        yield shown.at(start + number / rate, 1 / rate)
        number += 1


def spaced(
    items: Iterator[Frame | Copied], least: Fraction, notes: list[str]
) -> Iterator[Frame | Copied]:
    """Frames that are shown for ``least`` seconds or longer, in place of those that would not be.

    What follows sooner is left out, and its time is that of the frame before; it is noted.
    """
    shown: Frame | None = None
    for item in items:
        if isinstance(item, Copied):
            yield item
        elif shown is None:
            shown = item
        elif item.time < shown.time + least:
            shown = shown.at(shown.time, item.time + item.duration - shown.time)
            if not any(note.startswith("frames within") for note in notes):
                within = f"frames within {float(least):g} s of another are left out"
                notes.append(f"{within}: browsers show them for longer")
        else:
            yield shown.at(shown.time, item.time - shown.time)
            shown = item
    if shown is not None:
        yield shown.at(shown.time, max(least, shown.duration))
