"""Video files in, by PyAV (FFmpeg): upright sRGB frames with their times, and packets to copy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from av.video.stream import VideoStream

from adain.errors import AdaINError, failing, found_error
from adain.images.colorimetry import from_code_points
from adain.images.picture import turned
from adain.images.reading import MAX_PIXELS, check_size, fit
from adain.video.container import last_frames, missing_bytes, open_file
from adain.video.frames import About, Copied, Frame, Pixels
from adain.video.orientation import orientation_of
from adain.video.timing import (
    FrameTimes,
    PacketTimes,
    duration_of,
    rate_of,
    seconds,
    sought_exactly,
)

ALLOWED = "a video that FFmpeg reads, a GIF, APNG or WebP, or a folder of frames"
COPIED = ("audio", "subtitle", "attachment")
# H.273's numbers of transfers of high dynamic range.
_PQ, _HLG = 16, 18
# What counts as the greatest light: cd/m2, as most are graded to, and HLG's light of the scene.
_PEAKS = {_PQ: 1000.0, _HLG: 1.0}
_UNSPECIFIED = 2
# swscale's number of each matrix of H.273.
SWS_MATRIX = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
_FULL = ("yuvj420p", "yuvj422p", "yuvj444p", "yuvj440p", "yuvj411p")


class VideoFile:
    """Decodes the one video stream that players show, a frame at a time."""

    def __init__(self, path: Path, max_side: int | None = None) -> None:
        self.name = os.fspath(path)
        with failing(self.name, "no video", ALLOWED):
            self._container = open_file(self.name)
        try:
            self._open(max_side)
        except BaseException:
            self.close()
            raise

    def _open(self, max_side: int | None) -> None:
        container = self._container
        videos = [
            s
            for s in container.streams.video
            if not s.disposition & av.stream.Disposition.attached_pic
        ]
        if not videos:
            kinds = sorted({str(stream.type) for stream in container.streams}) or ["nothing"]
            found = f"no moving picture ({', '.join(kinds)} alone)"
            raise found_error(self.name, found, ALLOWED)
        stream = self._stream = videos[0]
        context = stream.codec_context
        if context is None or stream.codec is None:
            raise found_error(self.name, "a video in a codec unknown to FFmpeg", ALLOWED)
        check_size(self.name, (context.width, context.height), MAX_PIXELS)
        stream.thread_type = "AUTO"
        first = self._first_frame()
        self._coded = first.width, first.height
        check_size(self.name, self._coded, MAX_PIXELS)
        self._orientation = orientation_of(first)
        width, height = self._coded
        if max_side is not None:
            width, height = fit(self._coded, max_side)
        self._scaled = width, height
        aspect = self._stream.sample_aspect_ratio or Fraction(1)
        # Scaling that rounds a side does not bend the picture.
        aspect *= Fraction(self._coded[0] * height, self._coded[1] * width)
        if self._orientation >= 5:
            width, height, aspect = height, width, 1 / aspect
        exact = max_side is None
        self.about = About(
            width=width,
            height=height,
            has_alpha=_has_alpha(first),
            time_base=self._stream.time_base or Fraction(1, 1000),
            rate=rate_of(self._stream),
            duration=duration_of(self._stream, self._container),
            pixel_aspect=aspect if exact else aspect.limit_denominator(1000),
            container=self._container,
            index=self._stream.index,
        )
        self._colours(first)

    def _first_frame(self) -> VideoFrame:
        """The first frame, which alone tells of rotation and colours; the file is opened anew."""
        found = None
        with failing(self.name, "a video of which no frame can be decoded", "an intact video"):
            for frame in self._container.decode(self._stream):
                found = frame
                break
            # A seek to 0 would leave out what lies before the first key frame, such as sound.
            self._reopen()
        if found is None:
            raise found_error(self.name, "a video without a frame", "one frame or more")
        return found

    def _reopen(self) -> None:
        """Begin anew."""
        index = self._stream.index
        self._container.close()
        self._container = open_file(self.name)
        self._stream = cast(VideoStream, self._container.streams[index])
        self._stream.thread_type = "AUTO"

    def _colours(self, first: VideoFrame) -> None:
        about = self.about
        matrix = int(first.colorspace)
        if matrix not in SWS_MATRIX:
            # As players do: what is small comes from the times of BT.601.
            matrix = 1 if first.width >= 1280 or first.height > 576 else 6
        self._matrix = about.matrix = matrix
        about.full_range = first.color_range == ColorRange.JPEG or first.format.name in _FULL
        about.primaries, about.transfer = int(first.color_primaries), int(first.color_trc)
        self._encoding = None
        if about.transfer in _PEAKS:
            self._peak = _PEAKS[about.transfer]
            kind = "PQ" if about.transfer == _PQ else "HLG"
            about.notes.append(f"high dynamic range ({kind}) is tone-mapped to an ordinary display")
            self._encoding = from_code_points(about.primaries, about.transfer)
            about.matrix = about.primaries = about.transfer = 1
            self._full_range, about.full_range = about.full_range, False
        else:
            self._full_range = about.full_range
        if first.format.is_rgb:
            about.full_range = False
        self._depth = 16 if self._encoding is not None else 8

    def items(self, start: Fraction, end: Fraction | None) -> Iterator[Frame | Copied]:
        """Frames and packets in the order in which the file holds them.

        Raises AdaINError at once for a file that is cut off before ``end``.
        """
        self._check_not_cut(end)
        return self._items(start, end)

    def _items(self, start: Fraction, end: Fraction | None) -> Iterator[Frame | Copied]:
        if start > 0:
            with failing(self.name, f"a video that cannot be sought to {float(start):g} s", "0"):
                self._seek(start)
        packets, times = PacketTimes(self._container), FrameTimes(self._container)
        streams = [s for s in self._container.streams if s is self._stream or s.type in COPIED]
        last = Fraction(0)
        try:
            for packet in self._container.demux(streams):
                packets.move(packet)
                if packet.stream is not self._stream:
                    if packet.dts is not None:
                        yield Copied(packet, seconds(packet.pts, packet.time_base))
                    continue
                times.note(packet)
                for frame in packet.decode():
                    found = self._frame(cast(VideoFrame, frame), times, last)
                    last = found.time + found.duration
                    if end is not None and found.time >= end:
                        return
                    if found.time >= start or last > start:
                        yield found
        except av.error.FFmpegError as error:
            if end is None or last < end:  # else all that is wanted is there
                raise self._broken(last, error.strerror or str(error)) from error

    def _seek(self, start: Fraction) -> None:
        """Go where decoding gives the frame at ``start``: to a key frame at or before it.

        Formats without an index are sought by guesses, which may lie behind it.
        """
        origin = PacketTimes(self._container).origin
        for back in (0, 10) if sought_exactly(self._container) else ():
            at = int((max(Fraction(0), start - back) + origin) * 1_000_000)
            self._container.seek(at)
            time = None
            for packet in self._container.demux(self._stream):
                stamp = packet.dts if packet.pts is None else packet.pts
                time = seconds(stamp, packet.time_base)
                if time is None or packet.is_keyframe:
                    break
            if time is not None and time - origin <= start:
                self._container.seek(at)
                return
        self._reopen()
        self.about.container = self._container

    def measured(self, *, whole: bool) -> tuple[int, Fraction]:
        """How many frames its packets hold and when the last ends, without decoding them.

        ``whole`` raises AdaINError for a file that breaks off. Nothing can be read afterwards.
        """
        if whole:
            self._check_not_cut(None)
        count, last, packets = 0, Fraction(0), PacketTimes(self._container)
        with failing(self.name, "a video that cannot be read to its end", ALLOWED):
            for packet in self._container.demux(self._stream):
                packets.move(packet)
                time = seconds(packet.pts, packet.time_base)
                if packet.dts is None or time is None:
                    continue
                count += 1
                last = max(last, time + (packet.duration or 0) * packet.time_base)
        return count, last

    @property
    def coded(self) -> tuple[int, int]:
        """Width and height of the frames in the file."""
        return self._coded

    def _check_not_cut(self, end: Fraction | None) -> None:
        """Raise AdaINError where the file has fewer bytes than it states, before the work."""
        with failing(self.name, "a video that cannot be read to its end", ALLOWED):
            if (missing := missing_bytes(self.name)) is None:
                return
            with open_file(self.name) as container:
                key, complete = last_frames(container, self._stream.index)
        last = min(self._decodable(key), complete)
        if end is None or end > last:
            raise self._broken(last, missing)

    def _decodable(self, start: Fraction) -> Fraction:
        """When the last frame ends that can be decoded from ``start`` on, or 0."""
        last = Fraction(0)
        with closing(VideoFile(Path(self.name))) as file, suppress(AdaINError):
            for item in file._items(start, None):
                last = item.time + item.duration if isinstance(item, Frame) else last
        return last

    def _broken(self, last: Fraction, why: str) -> AdaINError:
        until = int(100 * last) / 100  # never after what is there
        found = f"a video that breaks off after {until:.2f} s ({why})"
        part = f", or an end at {until:.2f} s for what is there" if until else ""
        return found_error(self.name, found, f"an intact one{part}")

    def _frame(self, frame: VideoFrame, times: FrameTimes, last: Fraction) -> Frame:
        if (frame.width, frame.height) != self._coded:
            sizes = "{} x {} pixels after {} x {}".format(frame.width, frame.height, *self._coded)
            at = float(last)
            raise found_error(self.name, f"{sizes} at {at:.2f} s", "frames of one size")
        time = times.of(frame)
        base = frame.time_base or self.about.time_base
        duration = frame.duration * base if frame.duration else Fraction(0)
        if not duration and self.about.rate:
            duration = 1 / self.about.rate
        with failing(self.name, f"a frame at {float(last):.2f} s of no known form", ALLOWED):
            pixels = self._pixels(frame)
        time = last if time is None else time
        return Frame.of(pixels, time, duration, has_alpha=self.about.has_alpha)

    def _pixels(self, frame: VideoFrame) -> Pixels:
        name = ("rgba" if self.about.has_alpha else "rgb24") if self._depth == 8 else "rgb48le"
        width, height = self._scaled
        yuv = (
            {}
            if frame.format.is_rgb
            else {
                "src_colorspace": Colorspace(SWS_MATRIX[self._matrix]),
                "src_color_range": ColorRange.JPEG if self._full_range else ColorRange.MPEG,
            }
        )
        smooth = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
        shown = frame.reformat(
            width, height, name, interpolation=smooth, dst_color_range=ColorRange.JPEG, **yuv
        )
        pixels: Any = shown.to_ndarray()
        if self._encoding is not None:
            pixels = (self._encoding.to_srgb(pixels, self._peak) * 255 + 0.5).astype(np.uint8)
        return cast(Pixels, turned(pixels, self._orientation))

    def close(self) -> None:
        self._container.close()


def _has_alpha(frame: VideoFrame) -> bool:
    return any(component.is_alpha for component in frame.format.components)
