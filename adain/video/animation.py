"""Animated pictures in, by Pillow: GIF, APNG and WebP, which FFmpeg reads in part or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from PIL import Image

from adain.errors import failing
from adain.images.formats import format_of_bytes
from adain.images.reading import MAX_PIXELS, check_size, decode
from adain.video.frames import About, Frame

FORMATS = ("GIF", "PNG", "WEBP")
# Browsers show a GIF's frames of no duration, or 10 ms, for this long.
_GIF_LEAST, _GIF_SHOWN = 20, 100


def is_animation(path: Path) -> bool:
    """Whether a file is a picture of a format that may be animated, by its first bytes."""
    allowed = "a video"
    with failing(os.fspath(path), "a file that cannot be read", allowed), open(path, "rb") as file:
        return format_of_bytes(file.read(64)) in FORMATS


class AnimationFile:
    """Decodes an animation a frame at a time."""

    def __init__(self, path: Path, max_side: int | None = None) -> None:
        self.name, self._max_side = os.fspath(path), max_side
        with failing(self.name, "a broken animation", "an intact one"):
            self._image = image = Image.open(path)
            check_size(self.name, image.size, MAX_PIXELS)
            count = int(getattr(image, "n_frames", 1))
            # A PNG may hold a picture for programs that know no animations.
            first = int(count > 1 and bool(getattr(image, "default_image", False)))
            self._numbers = range(first, count)
            image.seek(first)
            picture = decode(image, self.name, max_side)
        loop = image.info.get("loop")
        if image.format == "GIF":
            # The number of repetitions, where it stands at all.
            loop = 1 if loop is None else 0 if loop == 0 else loop + 1
        self.about = About(
            width=picture.width,
            height=picture.height,
            has_alpha=picture.alpha is not None,
            loop=int(loop or 0),
        )

    def items(self, start: Fraction, end: Fraction | None) -> Iterator[Frame]:
        time, image = Fraction(0), self._image
        for number in self._numbers:
            if end is not None and time >= end:
                return
            at = f"a frame at {float(time):.2f} s that cannot be decoded"
            with failing(self.name, at, "an intact animation"):
                image.seek(number)
                picture = decode(image, self.name, self._max_side)
                duration = Fraction(image.info.get("duration") or 0)
            if image.format == "GIF" and duration < _GIF_LEAST:
                duration = Fraction(_GIF_SHOWN)
            duration = (duration or Fraction(_GIF_SHOWN)) / 1000
            if time + duration > start:
                has_alpha = self.about.has_alpha
                yield Frame.of(picture.to_array(), time, duration, has_alpha=has_alpha)
            time += duration

    def close(self) -> None:
        self._image.close()
