"""What the page and the service ask of the models, in their words: brush and picture sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adain import AdaINError, Style
from adain.images import ImageSource, Picture
from adain.options import StylizeOptions
from adain.registry import DEFAULT_MODEL
from adain.server.brush import brushed
from adain.server.engine import Engine

# Sides a result may have.
SIZES = {"512": 512, "768": 768, "1024": 1024, "1536": 1536, "2048": 2048, "As uploaded": None}
SIZE = "768"


@dataclass(frozen=True)
class Look:
    """What a person chooses beside the pictures.

    ``brush`` is how many times larger than usual a style is looked at, and so how much broader its
    strokes are. ``size`` is the long side of the result, of ``SIZES``.
    """

    strength: float = StylizeOptions.alpha  # type: ignore[assignment]
    model: str = DEFAULT_MODEL
    keep_colours: bool = False
    brush: float = 1.0
    size: str = SIZE

    @property
    def max_side(self) -> int | None:
        if self.size not in SIZES:
            raise AdaINError(f"size: found {self.size!r}, allowed: {', '.join(SIZES)}")
        return SIZES[self.size]

    def options(self, masks: Sequence[ImageSource] | None) -> StylizeOptions:
        """The options of the Stylizer; styles come at the size that the brush has given them."""
        return StylizeOptions(
            alpha=self.strength,
            masks=masks,
            colours="luminance" if self.keep_colours else "style",
            style_size=None,
            max_side=self.max_side,
        )


def style_of(engine: Engine, source: Path, look: Look) -> Style | Picture:
    """A style as `Stylizer` takes it: encoded, or as a picture where colours are to be kept."""

    def load() -> Picture:
        return brushed(lambda side: engine.picture(source, side), look.brush)

    if look.keep_colours:
        return load()
    return engine.style(source, look.model, load, look.brush)


def stylize(
    engine: Engine,
    content: Path,
    styles: Sequence[Path],
    look: Look,
    *,
    masks: Sequence[ImageSource] | None = None,
) -> Picture:
    """One stylization; masks as `Stylizer` has them."""
    options = look.options(masks)
    picture = engine.picture(content, options.max_side)
    seen = [style_of(engine, path, look) for path in styles]
    with engine.queue.computing():
        return engine.stylizer(look.model).stylize_with(picture, seen, options)
