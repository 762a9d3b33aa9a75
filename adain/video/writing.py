"""Video files out, by PyAV (FFmpeg): encoded frames with their times, and packets as they were."""

from __future__ import annotations

import io
import os
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.codec.codec import UnknownCodecError
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from PIL import Image

from adain.errors import failing, found_error
from adain.files import Replacement, check_writable
from adain.video.finishing import complete
from adain.video.formats import (
    ANIMATIONS,
    CONTAINERS,
    CRF_ENCODERS,
    QMAX_ENCODERS,
    loop_option,
)
from adain.video.frames import About, Copied, Frame, Pixels
from adain.video.options import CRF, VideoOptions
from adain.video.reading import COPIED, SWS_MATRIX

# Fields of a file's head that tell of its container, which is another now.
_OWN = ("major_brand", "minor_version", "compatible_brands", "encoder")
# Shown by players without a word; more exact would be 4:4:4, which many do not show at all.
_PLAIN, _WITH_ALPHA = "yuv420p", ("bgra", "rgba", "argb", "yuva444p10le", "yuva420p")


class VideoWriter:
    """Encodes frames into a file beside the output, which gets its name when it is whole."""

    def __init__(self, path: Path, about: About, options: VideoOptions) -> None:
        """Raises AdaINError where the container, the encoder and its options do not go together."""
        self._name = os.fspath(path)
        self._about = about
        self.notes: list[str] = []
        self._kind = CONTAINERS[path.suffix.lower()]
        self._shift, self._end = options.begins, options.ends
        self._format = "gif"
        check_writable(path)
        kind = self._kind
        heads = {key: str(value) for key, value in kind.options.items()}
        if kind.muxer in ANIMATIONS:
            heads.update(loop_option(kind.muxer, about.loop))
        elif kind.muxer in ("mp4", "mov"):
            # Where the first frame is later than 0, an edit list says so, in this unit.
            heads["movie_timescale"] = str(min(about.time_base.denominator, 2**31 - 1))
        with failing(self._name, "a file that cannot be written", "a file in a writable folder"):
            self._replacement = Replacement(path)
            self._container = av.open(
                os.fspath(self._replacement.temporary), "w", format=kind.muxer, options=heads
            )
        try:
            self._add_video(options)
            self._streams: dict[int, Any] = {}
            if about.container is not None and kind.muxer not in ANIMATIONS:
                self._add_copies(about.container)
            with failing(self._name, "streams that its container does not take", "such as .mkv"):
                self._container.start_encoding()
        except BaseException:
            self.discard()
            raise
        self._durations: dict[int, Fraction] = {}
        self._last, self._lasts = -1 << 62, Fraction(0)
        self._finished = False

    def _add_video(self, options: VideoOptions) -> None:
        about, kind = self._about, self._kind
        name = options.codec or (kind.alpha_encoder if about.has_alpha else "") or kind.encoder
        try:
            codec = av.Codec(name, "w")
        except UnknownCodecError:
            raise found_error("codec", repr(name), "a video encoder of FFmpeg's") from None
        formats = [f.name for f in codec.video_formats or ()] if codec.type == "video" else []
        if not formats:
            raise found_error("codec", repr(name), "a video encoder of FFmpeg's")
        self._format = self._pixel_format(formats)
        if name == "libsvtav1":
            # It reports to stderr, and takes no option of its own for it.
            os.environ.setdefault("SVT_LOG", "1")
        settings = dict((CRF_ENCODERS | QMAX_ENCODERS).get(name, {}))
        if name in CRF_ENCODERS:
            settings["crf"] = str(CRF if options.crf is None else options.crf)
            if options.crf is None and name != "libx264":
                settings.pop("crf") if name == "libx265" else settings.update(crf="30")
        elif options.crf is not None:
            raise found_error("crf", f"one for {name}", f"one for {', '.join(CRF_ENCODERS)}")
        base = kind.time_base or about.time_base
        rate = options.rate or about.rate or Fraction(25)
        if options.rate is not None and kind.time_base is None:
            base = 1 / options.rate
        try:
            stream: Any = self._container.add_stream(name, rate=rate, options=settings)
        except ValueError as error:
            raise found_error("codec", f"{name} for {self._name}", "one it takes") from error
        # 4:2:0 halves the sides: an odd one gets its last row or column twice.
        even = 2 if "420" in self._format else 1
        width, height = (-(-side // even) * even for side in (about.width, about.height))
        self.size = width, height
        if self.size != (about.width, about.height):
            self.notes.append(
                f"{about.width} x {about.height} pixels are padded to {width} x {height}:"
                f" {self._format} needs even sides"
            )
        self._settings = settings
        stream.width, stream.height = self.size
        stream.pix_fmt = self._format
        context = stream.codec_context
        context.time_base = stream.time_base = self._base = base
        if about.pixel_aspect != 1:
            context.sample_aspect_ratio = about.pixel_aspect
        if self._format.startswith("yuv"):
            context.color_range = ColorRange.JPEG if about.full_range else ColorRange.MPEG
            context.colorspace = about.matrix
            context.color_primaries, context.color_trc = about.primaries, about.transfer
        self._stream = stream

    def _pixel_format(self, formats: list[str]) -> str:
        if self._kind.muxer == "gif":
            return "pal8"
        # FFmpeg does not list what libvpx takes in WebM's second stream.
        if self._about.has_alpha:
            for name in _WITH_ALPHA:
                if name in formats:
                    return name
            self.notes.append("the alpha channel is left out: the encoder takes none")
        if self._kind.muxer in ("apng",):
            return "rgb24"
        if self._kind.muxer == "webp":
            return "bgra"
        return _PLAIN if _PLAIN in formats else formats[0]

    def _add_copies(self, source: Any) -> None:
        out = self._container
        out.metadata.update({k: v for k, v in source.metadata.items() if k.lower() not in _OWN})
        for stream in source.streams:
            if stream.type == "data" and not source.chapters():
                self.notes.append("a stream of data is left out")
            if stream.type == "video" and stream.index != self._about.index:
                self.notes.append("a second picture, such as a cover, is left out")
            if stream.type not in COPIED:
                continue
            if stream.type == "attachment" and not self._kind.attachments:
                left = f"{self._kind.muxer} takes none"
                self.notes.append(f"an attachment, such as a font, is left out: {left}")
                continue
            context = stream.codec_context
            codec = "?" if context is None else context.codec.canonical_name
            try:
                if self._kind.takes is not None and codec not in self._kind.takes:
                    raise ValueError(codec)
                _try(self._kind.muxer, stream)
                copy = out.add_stream_from_template(stream)
            except (ValueError, TypeError, av.error.FFmpegError):
                left = f"{stream.type} in {codec} is left out"
                self.notes.append(f"{left}: {self._kind.muxer} takes none")
                continue
            copy.metadata.update(stream.metadata)
            copy.disposition = stream.disposition
            self._streams[stream.index] = copy
        chapters = []
        for chapter in source.chapters():
            base = chapter["time_base"] or Fraction(1)
            start, end = (chapter[key] * base - self._shift for key in ("start", "end"))
            if end > 0 and (self._end is None or start + self._shift < self._end):
                times = {"start": max(0, round(start / base)), "end": round(end / base)}
                chapters.append(chapter | times)
        if chapters and not self._kind.chapters:
            self.notes.append(f"chapters are left out: {self._kind.muxer} takes none")
        out.set_chapters(chapters)

    @property
    def temporary(self) -> Path:
        return self._replacement.temporary

    def write(self, frame: Frame) -> None:
        encoded = self._encodable(frame)
        encoded.pts, encoded.time_base = self._stamp(frame), self._base
        with failing(self._name, "a frame that cannot be encoded", "another codec"):
            self._mux(self._encode(encoded))

    def _stamp(self, frame: Frame) -> int:
        """The time of the next frame, in units of the time base."""
        self._last = max(round(frame.time / self._base), self._last + 1)
        self._durations[self._last] = self._lasts = frame.duration
        return self._last

    def _encode(self, frame: VideoFrame | None) -> Any:
        """The packets that are ready now; None ends the stream."""
        return self._stream.encode(frame)

    def _encodable(self, shown: Frame) -> VideoFrame:
        if self._format == "pal8":
            return _with_palette(shown)
        pixels = _padded(shown.pixels() if self._format in _WITH_ALPHA else shown.rgb, self.size)
        frame = VideoFrame.from_ndarray(pixels, format="rgb24" if pixels.shape[2] == 3 else "rgba")
        if frame.format.name == self._format:
            return frame
        about = self._about
        if not self._format.startswith("yuv"):
            return frame.reformat(format=self._format)
        coded = frame.reformat(
            format=self._format,
            interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND,
            src_color_range=ColorRange.JPEG,
            dst_colorspace=Colorspace(SWS_MATRIX[about.matrix]),
            dst_color_range=ColorRange.JPEG if about.full_range else ColorRange.MPEG,
        )
        coded.colorspace = about.matrix
        return coded

    def _mux(self, packets: Any) -> None:
        for packet in packets:
            duration = self._durations.pop(packet.pts, None)
            if duration:
                packet.duration = round(duration / packet.time_base)
            self._put(packet)

    def _put(self, packet: Any) -> None:
        self._container.mux_one(packet)

    def copy(self, item: Copied) -> None:
        copy = self._streams.get(item.packet.stream.index)
        if copy is None:
            return
        packet = item.packet
        if self._kind.constant_rate and item.time is not None and item.time < 0:
            return  # what AAC begins with: with it all pictures would come a frame late
        if self._shift or self._end is not None:
            time = item.time
            if time is None or time < self._shift or (self._end is not None and time >= self._end):
                return
            moved = round(self._shift / packet.time_base)
            packet.pts, packet.dts = packet.pts - moved, packet.dts - moved
        packet.stream = copy
        with failing(self._name, f"a packet of {copy.type} that it does not take", "such as .mkv"):
            self._container.mux_one(packet)

    def finish(self) -> None:
        with failing(self._name, "a file that cannot be written", "room for it"):
            self._mux(self._encode(None))
            self._container.close()
            alpha, muxer = self._about.has_alpha, self._kind.muxer
            complete(self._replacement.temporary, muxer, self._lasts, has_alpha=alpha)
            self._replacement.commit()
        self._finished = True

    def discard(self) -> None:
        if getattr(self, "_finished", False):
            return
        with suppress(Exception):
            self._container.close()
        self._replacement.discard()


def _try(muxer: str, stream: Any) -> None:
    """Raise what FFmpeg does where a container cannot hold a stream, as without its extradata."""
    with av.open(io.BytesIO(), "w", format=muxer) as trial:
        trial.add_stream_from_template(stream)
        trial.start_encoding()


def _padded(pixels: Pixels, size: tuple[int, ...]) -> Pixels:
    missing = [(0, size[1] - pixels.shape[0]), (0, size[0] - pixels.shape[1]), (0, 0)]
    if not any(after for _, after in missing):
        return pixels
    return np.pad(pixels, missing, mode="edge")


def _with_palette(shown: Frame) -> VideoFrame:
    """The 256 colours of a GIF, dithered; with alpha the last one is transparent."""
    rgb, alpha = shown.rgb, shown.alpha
    image = Image.fromarray(rgb).quantize(256 if alpha is None else 255)
    found = np.frombuffer(image.palette.tobytes(), np.uint8)  # type: ignore[union-attr]
    colours = np.zeros((256, 4), np.uint8)
    colours[:, 0] = 255
    colours[: len(found) // 3, 1:] = found.reshape(-1, 3)
    indices = np.array(image, np.uint8)
    if alpha is not None:
        colours[255] = 0
        indices[alpha < 128] = 255
    return VideoFrame.from_ndarray((indices, colours), format="pal8")  # type: ignore[arg-type]
