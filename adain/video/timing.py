"""Time stamps of a video file, in seconds since it begins, and its frame rate."""

from __future__ import annotations

from collections import deque
from fractions import Fraction
from typing import Any, cast

from av.format import Flags
from av.video.stream import VideoStream

from adain.video.options import FPS

_ANY_ORIGIN = ("mpegts", "mpeg")
# FFmpeg's flag of formats whose times may leap, and more seconds than they go on in without one.
_LEAPS: int = cast(Any, Flags.ts_discont).value
_LEAP = 10
# FFmpeg's flag of formats without time stamps, and those in which frames have other ones after a
# seek: program streams state few, and AVI those of decoding alone.
_NO_TIMESTAMPS: int = cast(Any, Flags.no_timestamps).value
_INEXACT = ("avi", "mpeg")


def seconds(stamp: int | None, base: Fraction | None) -> Fraction | None:
    """A time stamp in units of a time base as seconds."""
    return None if stamp is None or base is None else stamp * base


def sought_exactly(container: Any) -> bool:
    """Whether frames have the times after a seek that they have without one."""
    kind = container.format
    return kind.name not in _INEXACT and not kind.flags & _NO_TIMESTAMPS


def rate_of(stream: VideoStream) -> Fraction | None:
    """The frame rate that a stream states, as far as it can be one."""
    least, most = FPS
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and least <= rate <= most:
            return rate
    return None


def duration_of(stream: VideoStream, container: Any) -> Fraction | None:
    """How long a stream states that it lasts, or else its file."""
    if stream.duration is not None:
        return seconds(stream.duration, stream.time_base)
    return None if container.duration is None else Fraction(container.duration, 1_000_000)


class PacketTimes:
    """The time stamps of packets, counted from the beginning of the file and without gaps.

    MPEG's streams begin at any time, as of the day of a broadcast. Where several are joined, times
    leap, and what follows a leap goes on from what came before it, as in FFmpeg's own tools.
    """

    def __init__(self, container: Any) -> None:
        self.origin = Fraction(0)
        if container.format.name in _ANY_ORIGIN and container.start_time is not None:
            self.origin = Fraction(container.start_time, 1_000_000)
        self._leaps = bool(container.format.flags & _LEAPS)
        # Of each stream the time of the packet before, and how long after another that came; and
        # the time stamp which it got.
        self._before: dict[int, tuple[Fraction, Fraction]] = {}
        self._last: dict[int, int] = {}

    def move(self, packet: Any) -> None:
        """Change the time stamps of the next packet to those that it is to have."""
        if packet.dts is None:
            return
        base, stream = packet.time_base, packet.stream
        if self._leaps and stream.type in ("video", "audio"):
            time = packet.dts * base - self.origin
            before, step = self._before.get(stream.index, (time, Fraction(0)))
            if abs(time - before) > _LEAP:
                self.origin += time - before - step
                time = before + step
            self._before[stream.index] = time, time - before
        if self.origin:
            moved = round(self.origin / base)
            packet.pts = None if packet.pts is None else packet.pts - moved
            packet.dts -= moved
        if self._leaps:
            # Streams of one part do not end at the same time, and files take none that goes back.
            packet.dts = max(packet.dts, self._last.get(stream.index, packet.dts - 1) + 1)
            packet.pts = None if packet.pts is None else max(packet.pts, packet.dts)
            self._last[stream.index] = packet.dts


class FrameTimes:
    """The times of frames in the order in which they are shown.

    AVI states in which order frames are decoded and nothing else. As they are as many, those shown
    take the same times, the earliest first.
    """

    def __init__(self, container: Any) -> None:
        self._decoding: deque[Fraction] | None = deque() if container.format.name == "avi" else None

    def note(self, packet: Any) -> None:
        """Tell of a packet of frames before it is decoded."""
        if self._decoding is not None and packet.size and packet.dts is not None:
            self._decoding.append(packet.dts * packet.time_base)

    def of(self, frame: Any) -> Fraction | None:
        """The time of the next frame, or None where nothing says it."""
        if self._decoding is not None:
            return self._decoding.popleft() if self._decoding else None
        return seconds(frame.pts, frame.time_base)
