"""The options of a stylization: defaults, limits and help, for library, CLI, REST and page."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias, TypedDict

from adain import maps
from adain.choices import check_choices
from adain.colours import Colours
from adain.errors import checked_integer
from adain.images import ImageSource

Strength: TypeAlias = float | ImageSource

# A style's statistics are learned, and best, at about this size; larger pictures are brought down.
STYLE_SIDE = 512


@dataclass(frozen=True, kw_only=True, eq=False)
class StylizeOptions:
    """How a content is stylized, beside the pictures themselves.

    ``alpha`` is the strength: 0 gives the content back, 1 the full style (AdaIN eq. 14); or a map
    of strengths, as an array ``[h, w]`` in [0, 1] (or uint8) or a picture, black to white.

    ``style_weights`` are the shares of several styles in their mixture (eq. 15): numbers of 0 and
    more, made to sum to 1; equal ones by default. ``masks``, one for each style, say where it goes:
    arrays ``[h, w]`` or pictures, white where it does.

    ``colours``: ``"style"``; ``"matched"``, style pictures are first given the mean and covariance
    of the content's colours; or ``"luminance"``, the content keeps its colours under a new luma.

    ``smooth``, 0 to 1: how much the content is smoothed, but for its edges, before the encoder sees
    it (`adain.smoothing`); skies and other even areas come out the calmer. From a strength of 0.1
    on, what is left of the content is the smoothed one.

    ``style_size`` and ``max_side`` are long sides in pixels that larger style pictures, and the
    content, are brought down to first; None leaves them as they are.

    Raises AdaINError where a value is none of these, as far as that can be told without pictures.
    """

    alpha: Strength = field(
        default=1.0, metadata={"help": "Strength, 0 (content) to 1.", "low": 0, "high": 1}
    )
    style_weights: Sequence[float] | None = field(
        default=None, metadata={"help": "One for each STYLE.", "low": 0}
    )
    masks: Sequence[ImageSource] | None = field(
        default=None, metadata={"help": "White where a style goes; one for each STYLE."}
    )
    colours: Colours = field(
        default="style",
        metadata={
            "help": "style; matched, the style brought to the content's colours; or luminance"
            " alone."
        },
    )
    smooth: float = field(
        default=0.0,
        metadata={
            "help": "Smoothing of the content but for its edges, 0 to 1: calmer skies.",
            "low": 0,
            "high": 1,
        },
    )
    style_size: int | None = field(
        default=STYLE_SIDE,
        metadata={
            "help": "Bring the styles' long sides down to this: the smaller, the finer the"
            " strokes.",
            "low": 1,
        },
    )
    max_side: int | None = field(
        default=None,
        metadata={"help": "Bring the content's long side down to this first.", "low": 1},
    )

    def __post_init__(self) -> None:
        if not maps.is_map(self.alpha):
            maps.check_strength(self.alpha)
        if self.style_weights is not None:
            maps.check_shares(self.style_weights)
        if self.masks is not None:
            maps.check_masks(self.masks)
        check_choices(self)
        object.__setattr__(self, "smooth", maps.check_smooth(self.smooth))
        for name in ("style_size", "max_side"):
            value = getattr(self, name)
            if value is not None:
                checked_integer(name, value, about(name)["low"])


def style_side_for(width: int, height: int) -> int:
    """A style's long side for a content of this size, by choice: posters want larger strokes.

    How large strokes are in pixels is the style's size; so they keep their share of the picture up
    to twice `STYLE_SIDE`, beyond which a model's receptive field sees too little of one.
    """
    return min(max(STYLE_SIDE, max(width, height) // 2), 2 * STYLE_SIDE)


class StylizeKeywords(TypedDict, total=False):
    """The keywords of `Stylizer.stylize`, for type checkers alone: overloads would repeat them."""

    style_weights: Sequence[float] | None
    masks: Sequence[ImageSource] | None
    colours: Colours
    smooth: float
    style_size: int | None
    max_side: int | None


def about(name: str) -> dict[str, Any]:
    """The ``default`` and ``help`` of an option, and ``low`` and ``high`` where it has limits."""
    (found,) = (each for each in fields(StylizeOptions) if each.name == name)
    return {"default": found.default, **found.metadata}
