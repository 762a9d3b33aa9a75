"""The options of a video: defaults, limits and help, beside those of each of its pictures."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from fractions import Fraction
from typing import Any

from adain.colours import Colours
from adain.errors import checked_integer, found_error
from adain.images import ImageSource
from adain.style import Style

STEADY = 0.9
# Frames a second, the fewest and the most.
FPS = 0.01, 1000.0
# What x264 takes for good; other encoders have scales of their own.
CRF = 20
# Moved more often, pictures run into each other.
MOST_BETWEEN = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class VideoOptions:
    """How a video is stylized, beside `StylizeOptions`, which says how each of its pictures is.

    ``steady``, 0 to 1, is the share of the picture before, moved along the optical flow, in each
    picture: 0 stylizes each frame for itself, which flickers; 1 takes as much as may be.

    ``stylize_every`` is of how many frames the networks make one whole. The others are the frame
    before, moved along the flow, with what flow cannot follow stylized anew: faster, and steadier,
    but what changes without motion, such as light, comes late. It goes with ``steady``.

    ``start`` and ``end`` are seconds of the video: what lies between them is written, from time 0
    on. ``fps`` gives all frames the same duration, and drops or repeats some for it; None leaves
    every frame its time. ``codec`` is an encoder of FFmpeg's, ``crf`` its constant rate factor: the
    less, the larger and better.

    ``style_at`` are further styles by the second at which the video is wholly in them; between two
    times their styles are mixed. What the video begins in is the style at 0.

    Raises AdaINError where a value is none of these.
    """

    steady: float = field(
        default=STEADY, metadata={"help": "0 (each frame for itself, flickers) to 1."}
    )
    stylize_every: int = field(
        default=1, metadata={"help": "Stylize one of so many frames whole: faster."}
    )
    start: float | None = field(default=None, metadata={"help": "Where to begin, in seconds."})
    end: float | None = field(default=None, metadata={"help": "Where to end, in seconds."})
    fps: float | None = field(
        default=None, metadata={"help": "Frames a second. [default: every frame keeps its time]"}
    )
    codec: str | None = field(
        default=None,
        metadata={"help": "FFmpeg's encoder, such as libx264. [default: by the output's suffix]"},
    )
    crf: int | None = field(
        default=None,
        metadata={"help": f"Quality, 0 (best) to 63. [default: {CRF}, or the encoder's]"},
    )
    style_at: Mapping[float, Style | ImageSource] = field(
        default_factory=dict, metadata={"help": "The style to have come to at a time."}
    )

    def __post_init__(self) -> None:
        _check_number("steady", self.steady, 0, 1)
        checked_integer("stylize_every", self.stylize_every, 1, MOST_BETWEEN)
        if self.stylize_every > 1 and self.steady == 0:
            raise found_error("stylize_every", f"{self.stylize_every} with steady 0", "1")
        for name in ("start", "end"):
            _check_number(name, getattr(self, name), 0, None)
        if self.end is not None and self.end <= (self.start or 0):
            raise found_error("end", f"{self.end:g} s", f"more than {self.start or 0:g} s")
        _check_number("fps", self.fps, *FPS)
        if self.crf is not None:
            checked_integer("crf", self.crf, 0, 63)
        for time in self.style_at:
            _check_number("style_at", time, 0, None)

    @property
    def begins(self) -> Fraction:
        return exact(self.start or 0)

    @property
    def ends(self) -> Fraction | None:
        return None if self.end is None else exact(self.end)

    @property
    def rate(self) -> Fraction | None:
        """The frame rate as a fraction, 29.97 as the 30000/1001 it stands for."""
        if self.fps is None:
            return None
        ntsc = Fraction(round(self.fps * 1.001) * 1000, 1001)
        near = abs(float(ntsc) - self.fps) < 0.005 and round(self.fps) != self.fps
        return ntsc if near else Fraction(self.fps).limit_denominator(1000)


def exact(seconds: float) -> Fraction:
    """The decimal number of seconds that was meant: 0.1 is a tenth."""
    return Fraction(repr(float(seconds)))


def about(name: str) -> str:
    """The help of an option."""
    (found,) = (each for each in fields(VideoOptions) if each.name == name)
    text: str = found.metadata["help"]
    return text


def parse_time(text: str, name: str) -> float:
    """Seconds of ``12.5``, ``1:30`` or ``1:02:03.5``; AdaINError, which starts with ``name``."""
    if not re.fullmatch(r"(\d+:){0,2}\d+(\.\d*)?", text, re.ASCII):
        raise found_error(name, repr(text), "seconds, such as 12.5, or a time, such as 1:02:03.5")
    seconds = 0.0
    for part in text.split(":"):
        seconds = 60 * seconds + float(part)
    return seconds


def parse_style_at(texts: Iterable[str], name: str, *, alone: bool = False) -> dict[float, str]:
    """The style to have come to at each time, of ``TIME=STYLE``; where ``alone``, of ``TIME`` too,
    whose style is "".

    AdaINError, which starts with ``name``, for text of another form and a time that comes twice.
    """
    found: dict[float, str] = {}
    for text in texts:
        when, equals, style = text.partition("=")
        if not style and (equals or not alone):
            allowed = "a time and a style, such as 12.5=wave.jpg"
            raise found_error(name, repr(text), allowed)
        time = parse_time(when, name)
        if time in found:
            raise found_error(name, f"two styles at {time:g} s", "one for each time")
        found[time] = style
    return found


def check_changing(*, masked: bool, colours: Colours) -> None:
    """Raise AdaINError for what styles that change over time do not go with."""
    if masked or colours == "matched":
        found = "styles at times beside " + ("masks" if masked else "colours 'matched'")
        raise found_error("style_at", found, "a strength, or colours 'luminance'")


def _check_number(name: str, value: Any, low: float, high: float | None) -> None:
    if value is None:
        return
    allowed = f"a number of {low:g} and more" if high is None else f"a number in {low:g}..{high:g}"
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not (math.isfinite(number) and number >= low and (high is None or number <= high)):
        raise found_error(name, repr(value)[:80], allowed)
