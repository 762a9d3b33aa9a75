"""Live stylization: the newest frame of a camera is stylized next, and what came before is dropped.

A thread reads the camera into a slot of one frame. So what is shown is as old as one frame of the
camera and one of the networks, however fast either is.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from adain.errors import found_error
from adain.images import Picture
from adain.options import StylizeOptions
from adain.style import Style
from adain.video.frames import Frame, Pixels
from adain.video.options import STEADY, VideoOptions
from adain.video.painter import Painter

if TYPE_CHECKING:
    from adain.stylizer import StyleSource, Stylizer

# Of frames a second and latency: the last so many.
_RECENT = 30
_STEP = 0.1


@dataclass
class LiveStatus:
    """How live it is: frames ``shown`` of those ``seen``, and of the latest their rate and age."""

    seen: int = 0
    shown: int = 0
    # When each of the latest was shown, and how long after the camera gave it, in seconds.
    times: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Frames a second."""
        spent = self.times[-1] - self.times[0] if len(self.times) > 1 else 0.0
        return (len(self.times) - 1) / spent if spent else 0.0

    @property
    def latency(self) -> float:
        """The median of seconds from the camera to what is shown."""
        return statistics.median(self.latencies) if self.latencies else 0.0

    def __str__(self) -> str:
        return f"{self.rate:.1f} frames/s, {1000 * self.latency:.0f} ms behind"

    def note(self, came: float) -> None:
        now = time.monotonic()
        self.shown += 1
        for kept, value in ((self.times, now), (self.latencies, now - came)):
            kept.append(value)
            del kept[:-_RECENT]


# Takes a stylized frame, uint8 [H, W, 3], and the status; gives the keys pressed since.
Show = Callable[[Pixels, LiveStatus], str | None]


class _Slot:
    """Room for the newest frame of a camera, which a thread puts there."""

    def __init__(self, camera: Iterable[Pixels], status: LiveStatus) -> None:
        self._camera, self._status = camera, status
        self._changed = threading.Condition()
        self._frame: tuple[Pixels, float] | None = None
        self._ended, self._error = False, None
        self._thread = threading.Thread(target=self._fill, daemon=True)
        self._thread.start()

    def _fill(self) -> None:
        error: Any = None
        try:
            for frame in self._camera:
                with self._changed:
                    self._frame = frame, time.monotonic()
                    self._status.seen += 1
                    self._changed.notify()
                    if self._ended:
                        return
        except BaseException as raised:
            error = raised
        finally:
            with self._changed:
                self._ended, self._error = True, error
                self._changed.notify()

    def take(self) -> tuple[Pixels, float] | None:
        """The newest frame and when it came, once there is one; None after the last."""
        with self._changed:
            self._changed.wait_for(lambda: self._frame is not None or self._ended)
            frame, self._frame = self._frame, None
            if frame is None and self._error is not None:
                raise self._error
            return frame

    def close(self) -> None:
        with self._changed:
            self._ended = True
        self._thread.join(2)


def stylize_live(
    camera: Iterable[Pixels],
    styles: Sequence[StyleSource],
    show: Show,
    options: StylizeOptions | None = None,
    *,
    steady: float = STEADY,
    stylizer: Stylizer | None = None,
) -> LiveStatus:
    """Show the frames of a camera in one of several styles, the first at the beginning.

    ``camera`` gives frames, uint8 [H, W, 3], to a thread, whenever it has one, as those of
    `adain.video.live.cameras` do. ``show`` gives the keys that were pressed: ``1`` to ``9`` choose
    a style, ``-`` and ``+`` (or ``[`` and ``]``) change the strength, ``q`` ends.

    Raises AdaINError for styles that cannot be read, and what ``camera`` and ``show`` raise.
    """
    from adain.stylizer import Stylizer

    options = options or StylizeOptions()
    if not styles:
        raise found_error("styles", "none", "one or more")
    stylizer = stylizer or Stylizer(cached_contents=0)
    size = options.style_size
    encoded = [
        each if isinstance(each, Style) else stylizer.encode_style(each, max_side=size)
        for each in styles
    ]
    chosen, video = 0, VideoOptions(steady=steady)
    painter = Painter(stylizer, encoded[chosen], options, video)
    status = LiveStatus()
    slot = _Slot(camera, status)
    try:
        while (taken := slot.take()) is not None:
            frame, came = taken
            made = painter.paint(Frame(frame, Fraction(0), Fraction(0)))
            pixels = Picture(made).to_array()
            status.note(came)
            before = chosen, options
            for key in show(pixels, status) or "":
                if key == "q":
                    return status
                if key in "123456789"[: len(encoded)]:
                    chosen = int(key) - 1
                elif key in "[]-+=" and isinstance(options.alpha, float | int):
                    alpha = options.alpha + (-_STEP if key in "[-" else _STEP)
                    options = replace(options, alpha=round(min(1.0, max(0.0, alpha)), 6))
            if (chosen, options) != before:
                painter = Painter(stylizer, encoded[chosen], options, video)
    finally:
        slot.close()
    return status
