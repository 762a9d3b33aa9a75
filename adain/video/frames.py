"""A frame of a video, and what reads and writes frames: files of FFmpeg, animations and folders."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Pixels: TypeAlias = npt.NDArray[np.uint8]

# Where the number of a frame stands in a pattern.
NUMBER = re.compile(r"%0?\d*d")


@dataclass(frozen=True, eq=False)
class Frame:
    """An upright picture and its time: rgb uint8 [H, W, 3], alpha uint8 [H, W] or None."""

    rgb: Pixels
    time: Fraction
    duration: Fraction
    alpha: Pixels | None = None

    @classmethod
    def of(
        cls, pixels: Pixels, time: Fraction, duration: Fraction, *, has_alpha: bool = False
    ) -> "Frame":
        """A frame of pixels [H, W, 3 or 4]; where others have alpha, it has as well."""
        alpha = None
        if has_alpha and pixels.shape[2] == 4:
            alpha = np.ascontiguousarray(pixels[..., 3])
        elif has_alpha:
            alpha = np.full(pixels.shape[:2], 255, np.uint8)
        return cls(np.ascontiguousarray(pixels[..., :3]), time, duration, alpha)

    def pixels(self) -> Pixels:
        """uint8 [H, W, 3], or [H, W, 4] with alpha."""
        return self.rgb if self.alpha is None else np.dstack([self.rgb, self.alpha])

    def at(self, time: Fraction, duration: Fraction | None = None) -> "Frame":
        return replace(self, time=time, duration=self.duration if duration is None else duration)


@dataclass(frozen=True, eq=False)
class Copied:
    """A packet of a stream that is handed on as it is, of sound or subtitles."""

    packet: Any
    time: Fraction | None


@dataclass(kw_only=True)
class About:
    """What is known of a video before its frames are."""

    width: int
    height: int
    has_alpha: bool = False
    # What times are multiples of.
    time_base: Fraction = Fraction(1, 1000)
    rate: Fraction | None = None
    duration: Fraction | None = None
    # How wide a pixel is to its height.
    pixel_aspect: Fraction = Fraction(1)
    # H.273's numbers.
    matrix: int = 1
    primaries: int = 1
    transfer: int = 1
    full_range: bool = False
    # How often an animation is shown; 0 is for ever.
    loop: int = 0
    # The file of FFmpeg's whose streams and metadata can be handed on.
    container: Any = None
    # The number of the stream in it that the frames are of.
    index: int = 0
    notes: list[str] = field(default_factory=list)


class Source(Protocol):
    """What frames are read from, one after another."""

    about: About

    def items(self, start: Fraction, end: Fraction | None) -> Iterator[Frame | Copied]:
        """Frames and packets from ``start`` to ``end``, their times as they are in the file."""

    def close(self) -> None: ...


class Sink(Protocol):
    """What frames are written to; it lies beside the output until it is whole."""

    notes: list[str]
    # Width and height of the frames as they are written.
    size: tuple[int, int]

    @property
    def temporary(self) -> Path:
        """The file or folder beside the output."""

    def write(self, frame: Frame) -> None: ...

    def copy(self, item: Copied) -> None: ...

    def finish(self) -> None:
        """Write what is left, and give the output its name."""

    def discard(self) -> None:
        """Leave nothing of the output; does nothing after ``finish``."""


def is_pattern(path: Path) -> bool:
    """Whether a path is that of numbered frames, such as ``frames/%04d.png``, and not of a file."""
    return NUMBER.search(path.name) is not None and not path.is_file()


def frame_name(pattern: str, number: int) -> str:
    """The name that a frame of a pattern has; other percent signs stay what they are."""
    return NUMBER.sub(lambda found: found[0] % number, pattern, count=1)


def is_folder(path: Path) -> bool:
    """Whether a path, of an output, is that of a folder of frames that are named by themselves."""
    return not is_pattern(path) and (path.is_dir() or not path.suffix)
