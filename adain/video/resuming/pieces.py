"""Segmented encoding: what is written of a video is kept in pieces, and written again from them.

Where a stream can be cut, at packets, its encoder begins anew with each piece, so that pieces are
the same whether one run made them or several. Of animations and folders, the frames are kept.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import av
import numpy as np
from av.video.frame import VideoFrame

from adain.errors import failing
from adain.video.formats import ANIMATIONS, CONTAINERS, Container
from adain.video.frames import About, Copied, Frame, Sink, is_folder, is_pattern
from adain.video.options import VideoOptions
from adain.video.resuming.progress import Progress
from adain.video.sequences import FrameWriter
from adain.video.writing import VideoWriter

# What a stream's encoder is told beside its own options.
_TOLD = (
    *("width", "height", "pix_fmt", "time_base", "framerate", "flags", "sample_aspect_ratio"),
    *("color_range", "colorspace", "color_primaries", "color_trc"),
)
_PACKET = ("pts", "dts", "duration", "time_base", "is_keyframe")


class Kept(Sink, Protocol):
    """A sink that keeps what is written."""

    def write_again(self, frame: Frame) -> None:
        """Write what was kept of the next frame, of which the time and the alpha are told."""

    def finish_piece(self, state: Mapping[str, Any]) -> None:
        """End a piece; what comes next depends on ``state``."""


def kept_writer(
    path: Path, about: About, video: VideoOptions, recipe: Mapping[str, str]
) -> tuple[Kept, Progress]:
    """The writer of an output, and the progress that it keeps; AdaINError as of both."""
    writer: Any
    if is_folder(path) or is_pattern(path):
        writer = FrameWriter(path, about)
    elif _is_one_piece(CONTAINERS[path.suffix.lower()], about, video):
        writer = VideoWriter(path, about, video)
    else:
        writer = PieceWriter(path, about, video)
    try:
        progress = Progress(path, recipe)
        progress.replace_temporary(writer.temporary)
    except BaseException:
        writer.discard()
        raise
    if isinstance(writer, PieceWriter):
        writer.progress = progress
        return writer, progress
    return FrameKeeper(writer, progress), progress


def _is_one_piece(kind: Container, about: About, video: VideoOptions) -> bool:
    """Whether a stream cannot be put together of several: animations, and VP9 with alpha."""
    codec = video.codec or kind.alpha_encoder
    return kind.muxer in ANIMATIONS or (about.has_alpha and codec.startswith("libvpx"))


class PieceEncoder:
    """Encoders like that of a stream, one after another; time stamps go on across them."""

    def __init__(self, stream: Any, settings: Mapping[str, str]) -> None:
        self._stream, self._settings = stream, settings
        self._context: Any = None
        self._begins = 0
        # The decoding time of the packet before.
        self.last = -1 << 62

    def encode(self, frame: VideoFrame | None) -> list[Any]:
        """The packets that are ready; after None, the end of a piece, the next begins anew."""
        if self._context is None:
            if frame is None:
                return []
            self._context = self._new()
            self._begins = frame.pts or 0
        if frame is not None:
            # Some encoders write times into their streams, in few bits.
            frame.pts = (frame.pts or 0) - self._begins
        packets = list(self._context.encode(frame))
        for packet in packets:
            packet.pts += self._begins
            # Of a variable frame rate, a piece may begin its decoding before the last has ended.
            packet.dts = max(packet.dts + self._begins, self.last + 1)
            self.last = packet.dts
        if frame is None:
            self._context = None
        return packets

    def _new(self) -> Any:
        like = self._stream.codec_context
        context = av.CodecContext.create(like.codec.name, "w")
        for name in _TOLD:
            if (value := getattr(like, name)) is not None:
                setattr(context, name, value)
        context.bit_rate = like.bit_rate or 0
        context.options = dict(self._settings)
        return context


class PieceWriter(VideoWriter):
    """A VideoWriter that keeps its packets; ``progress`` is set before the first frame."""

    progress: Progress

    def __init__(self, path: Path, about: About, video: VideoOptions) -> None:
        super().__init__(path, about, video)
        self._encoder = PieceEncoder(self._stream, self._settings)
        self._count = 0

    def _encode(self, frame: VideoFrame | None) -> Any:
        return self._encoder.encode(frame)

    def write(self, frame: Frame) -> None:
        self._count += 1
        super().write(frame)

    def _put(self, packet: Any) -> None:
        head = {name: getattr(packet, name) for name in _PACKET}
        head["time_base"] = str(packet.time_base)
        self.progress.add(self._count, bytes(packet), head)
        super()._put(packet)

    def write_again(self, frame: Frame) -> None:
        self._count += 1
        self._stamp(frame)
        self._durations.clear()
        for head, data in self.progress.parts(self._count):
            packet = av.Packet(data)
            packet.stream = self._stream
            packet.time_base = Fraction(head.pop("time_base"))
            for name, value in head.items():
                setattr(packet, name, value)
            with failing(self._name, "a packet that it does not take", "another codec"):
                super()._put(packet)
            self._encoder.last = head["dts"]

    def finish_piece(self, state: Mapping[str, Any]) -> None:
        with failing(self._name, "a frame that cannot be encoded", "another codec"):
            self._mux(self._encode(None))
        self.progress.finish_piece(self._count, state)

    def finish(self) -> None:
        # The stream's own encoder gave the head of the file; some complain where it has no end.
        with suppress(av.error.FFmpegError):
            self._stream.encode(None)
        super().finish()


class FrameKeeper:
    """Keeps the frames of a sink as they are, without loss."""

    def __init__(self, sink: Sink, progress: Progress) -> None:
        self._sink, self._progress, self._count = sink, progress, 0
        self.notes, self.size = sink.notes, sink.size

    @property
    def temporary(self) -> Path:
        return self._sink.temporary

    def write(self, frame: Frame) -> None:
        self._count += 1
        self._sink.write(frame)
        self._progress.add(self._count, zlib.compress(frame.rgb.tobytes(), 1))

    def write_again(self, frame: Frame) -> None:
        self._count += 1
        ((_, data),) = self._progress.parts(self._count)
        rgb = np.frombuffer(zlib.decompress(data), np.uint8).reshape(frame.rgb.shape)
        self._sink.write(replace(frame, rgb=rgb))

    def finish_piece(self, state: Mapping[str, Any]) -> None:
        self._progress.finish_piece(self._count, state)

    def copy(self, item: Copied) -> None:
        self._sink.copy(item)

    def finish(self) -> None:
        self._sink.finish()

    def discard(self) -> None:
        self._sink.discard()
