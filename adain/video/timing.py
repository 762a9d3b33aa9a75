"""Time stamps of a video file, in seconds since it begins, and its frame rate."""

from __future__ import annotations

from collections import deque
from fractions import Fraction
from typing import Any

from av.video.stream import VideoStream

from adain.video.frames import Copied
from adain.video.options import FPS

# MPEG's streams begin at any time, as of the day of a broadcast.
_ANY_ORIGIN = ("mpegts", "mpeg")


def origin_of(container: Any) -> Fraction:
    """The time stamp in seconds at which a file begins."""
    if container.format.name in _ANY_ORIGIN and container.start_time is not None:
        return Fraction(container.start_time, 1_000_000)
    return Fraction(0)


def seconds(stamp: int | None, base: Fraction | None) -> Fraction | None:
    """A time stamp in units of a time base as seconds."""
    return None if stamp is None or base is None else stamp * base


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


def copied(packet: Any, origin: Fraction) -> Copied:
    """A packet to hand on, whose time stamps count from the beginning of the file."""
    if origin:
        moved = round(origin / packet.time_base)
        packet.pts = None if packet.pts is None else packet.pts - moved
        packet.dts = packet.dts - moved
    return Copied(packet, seconds(packet.pts, packet.time_base))


class FrameTimes:
    """The times of frames in the order in which they are shown.

    AVI states in which order frames are decoded and nothing else. As they are as many, those shown
    take the same times, the earliest first.
    """

    def __init__(self, container: Any) -> None:
        self._origin = origin_of(container)
        self._decoding: deque[Fraction] | None = deque() if container.format.name == "avi" else None

    def note(self, packet: Any) -> None:
        """Tell of a packet of frames before it is decoded."""
        if self._decoding is not None and packet.size and packet.dts is not None:
            self._decoding.append(packet.dts * packet.time_base)

    def of(self, frame: Any) -> Fraction | None:
        """The time of the next frame, or None where nothing says it."""
        if self._decoding is not None:
            return self._decoding.popleft() if self._decoding else None
        time = seconds(frame.pts, frame.time_base)
        return None if time is None else time - self._origin
