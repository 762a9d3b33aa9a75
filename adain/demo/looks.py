"""What the page and the service ask of the models, in their words: brush and picture sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from adain import AdaINError, Style
from adain.images.picture import FloatArray, Picture
from adain.server.engine import Engine
from adain.stylizer import STYLE_SIDE, Colours

# How much larger or smaller than usual a style may be looked at; sides a result may have.
BRUSHES = (0.25, 2.0)
SIZES = {"512": 512, "768": 768, "1024": 1024, "1536": 1536, "2048": 2048, "As uploaded": None}
SIZE = "768"


@dataclass(frozen=True)
class Look:
    """What a person chooses beside the pictures.

    ``brush`` is how many times larger than usual a style is looked at, and so how much broader its
    strokes are. ``size`` is the long side of the result, of ``SIZES``.
    """

    strength: float = 1.0
    model: str = "fast"
    keep_colours: bool = False
    brush: float = 1.0
    size: str = SIZE

    @property
    def max_side(self) -> int | None:
        if self.size not in SIZES:
            raise AdaINError(f"size: found {self.size!r}, allowed: {', '.join(SIZES)}")
        return SIZES[self.size]

    @property
    def colours(self) -> Colours:
        return "luminance" if self.keep_colours else "style"


class Made(NamedTuple):
    """The content as it was used, the result, and what computed it: "" where nothing had to."""

    content: Picture
    result: Picture
    device: str


def style_picture(engine: Engine, source: Path, look: Look) -> FloatArray:
    """The picture of a style, float32 ``[h, w, 3]``, as large as the look's brush has it."""
    low, high = BRUSHES
    if not low <= look.brush <= high:
        raise AdaINError(f"brush: found {look.brush}, allowed: {low} to {high}")
    usual = engine.picture(source, STYLE_SIDE)
    width, height = (max(1, round(n * look.brush)) for n in (usual.width, usual.height))
    picture = engine.picture(source, max(width, height))
    if (picture.width, picture.height) != (width, height):  # more pixels than it has
        picture = picture.resized(width, height)
    return picture.rgb


def style_of(engine: Engine, source: Path, look: Look) -> Style | FloatArray:
    """A style as `Stylizer` takes it: encoded, or as a picture where colours are to be kept."""

    def seen() -> FloatArray:
        return style_picture(engine, source, look)

    if look.keep_colours:
        return seen()
    return engine.style(source, look.model, seen, look.brush)


def stylize(
    engine: Engine,
    content: Path,
    styles: Sequence[Path],
    look: Look,
    *,
    weights: Sequence[float] | None = None,
    masks: Sequence[Any] | None = None,
) -> Made:
    """One stylization; weights and masks as `Stylizer` has them."""
    picture = engine.picture(content, look.max_side)
    seen = [style_of(engine, path, look) for path in styles]
    stylizer = engine.stylizer(look.model)
    with engine.queue.computing():
        result = stylizer.stylize_picture(
            picture, seen, look.strength, style_weights=weights, masks=masks,
            colours=look.colours, style_size=None,
        )  # fmt: skip
    return Made(picture, result, stylizer.device)
