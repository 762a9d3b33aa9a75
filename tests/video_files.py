"""Small videos that tests draw and encode, and what they read of those that come out."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

av = pytest.importorskip("av")
pytest.importorskip("cv2")

BASE = Fraction(1, 90_000)
# Of a variable frame rate.
TIMES = [0, 3600, 9000, 9090, 20000, 23600, 30000, 40000, 43600, 50000, 60000, 70000]


def drawn(number: int, width: int = 64, height: int = 48, shot: int = 0) -> np.ndarray:
    """A frame, uint8 [H, W, 3]: a smooth scene that moves by a pixel; its corner is red."""
    y, x = np.mgrid[0:height, 0:width]
    x = x + number
    levels = np.stack([90 + 60 * np.sin(x / 7), 120 + 50 * np.cos(y / 5), 60 + x], axis=-1)
    if shot:
        levels = 255 - levels[::-1] * 0.6
    levels[: height // 4, : width // 4] = (220, 30, 20)
    return np.clip(levels, 0, 255).astype(np.uint8)


def scene(seed: int = 0) -> np.ndarray:
    """A picture with structure at several scales, for clips to be rendered from."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[0:200, 0:320].astype(np.float32)
    planes = []
    for _ in range(3):
        waves = [
            np.sin(a * x / scale + b * y / scale + c)
            for scale, (a, b, c) in zip(
                (40, 16, 7, 4), generator.uniform(-2, 2, (4, 3)), strict=True
            )
        ]
        planes.append(0.5 + 0.11 * np.sum(waves, axis=0))
    return np.clip(np.stack(planes, axis=-1), 0, 1).astype(np.float32)


def encode(
    path: Path,
    frames: Sequence[np.ndarray],
    times: Sequence[int] | None = None,
    *,
    codec: str = "libx264",
    form: str = "yuv420p",
    aspect: Fraction | None = None,
    turn: float | None = None,
    full: bool = False,
    matrix: int = 1,
    sound: bool = False,
    transfer: int = 1,
    options: dict[str, str] | None = None,
    **container: Any,
) -> Path:
    """Write a video of these frames, at 25 a second where no ``times`` in BASE are given."""
    with av.open(str(path), "w", **container) as out:
        stream = out.add_stream(codec, rate=25, options=options or {})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = form
        context = stream.codec_context
        base = Fraction(1, 25) if codec == "mpeg2video" else BASE
        stream.time_base = context.time_base = base
        if aspect is not None:
            context.sample_aspect_ratio = aspect
        if form.startswith("yuv"):
            context.color_range, context.colorspace = 2 if full else 1, matrix
            context.color_primaries, context.color_trc = (1 if transfer == 1 else 9), transfer
        if turn is not None:
            stream.set_display_rotation(turn)
        if sound:
            noise = out.add_stream("aac", rate=8000, layout="mono")
            out.metadata["title"] = "A title"
            noise.metadata["language"] = "nor"
            half = {"start": 0, "end": 400, "time_base": Fraction(1, 1000)}
            out.set_chapters(
                [
                    {"id": 1, "metadata": {"title": "One"}, **half},
                    {"id": 2, "metadata": {"title": "Two"}, **half, "start": 400, "end": 800},
                ]
            )
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(
                pixels, format="rgb24" if pixels.shape[2] == 3 else "rgba"
            )
            if form != frame.format.name:
                yuv = {"dst_colorspace": matrix, "dst_color_range": 2 if full else 1}
                frame = frame.reformat(format=form, **(yuv if form.startswith("yuv") else {}))
            frame.pts = 3600 * number if times is None else times[number]
            frame.time_base = BASE
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if sound:
            samples = np.random.default_rng(0).normal(0, 0.1, (1, 6400)).astype(np.float32)
            audio = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            audio.rate, audio.pts = 8000, 0
            out.mux(noise.encode(audio))
            out.mux(noise.encode(None))
    return path


def decoded(path: Path) -> tuple[list[Fraction], list[np.ndarray]]:
    """The times of the frames, from 0 on, and their pixels as stored."""
    with av.open(str(path)) as container:
        frames = list(container.decode(container.streams.video[0]))
        times = [frame.pts * frame.time_base for frame in frames]
        return times, [frame.to_ndarray(format="rgb24") for frame in frames]


def packets(path: Path, kind: str) -> list[tuple[bytes, Fraction]]:
    """The packets of the first stream of a kind, and their times."""
    with av.open(str(path)) as container:
        stream = getattr(container.streams, kind)[0]
        found = [packet for packet in container.demux(stream) if packet.dts is not None]
        return [(bytes(packet), packet.pts * packet.time_base) for packet in found]
