"""What is to be made of a content: styles, shares, masks and strength, read and checked once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from adain import contract, maps
from adain.colours import luminance, with_luminance
from adain.errors import found_error
from adain.images import Picture
from adain.options import StylizeOptions
from adain.resampling import Box
from adain.smoothing import smoothed
from adain.style import Style

if TYPE_CHECKING:
    # Help of a command is to be had without ONNX Runtime.
    from adain.network import Encoded

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Recipe:
    """What is to be made of a content, checked: styles, shares, masks and strength."""

    sources: Sequence[Any]
    strength: float | FloatArray
    shares: Sequence[float]
    masks: Sequence[FloatArray] | None
    options: StylizeOptions
    # What the decoder is told instead of a content's own statistics. Such contents are frames of a
    # video, which nobody asks for twice: they are not kept.
    statistics: Callable[[FloatArray], FloatArray] | None = None

    @classmethod
    def of(cls, style: Any, options: StylizeOptions) -> Recipe:
        """``style`` is a source or a list of these; AdaINError where options do not go with it."""
        sources = list(style) if maps.is_several(style) else [style]
        if not sources:
            raise found_error("style", "an empty list", "one style or more")
        if options.colours == "matched" and any(isinstance(source, Style) for source in sources):
            allowed = "a picture, whose colours can be matched"
            raise found_error("style", "a Style with colours 'matched'", allowed)
        strength = maps.load_strength(options.alpha)
        shares = maps.shares(options.style_weights, len(sources))
        return cls(sources, strength, shares, maps.load_masks(options.masks, len(sources)), options)

    def mixture(self, styles: Sequence[Style]) -> Style:
        """The styles by their shares (AdaIN eq. 15)."""
        first, *others = (share * part for share, part in zip(self.shares, styles, strict=True))
        return sum(others, first)

    def vectors(self, styles: Sequence[Style], size: int) -> FloatArray:
        """The styles that the decoder takes, ``[S, K]``: their mixture without masks."""
        if self.masks is None:
            styles = [self.mixture(styles)]
        return np.stack([part.vector[:size] for part in styles])

    def strengths(self, width: int, height: int, box: Box | None = None) -> FloatArray:
        return maps.style_strengths(self.strength, self.masks, self.shares, width, height, box)

    def told(self, encoded: Encoded) -> Encoded:
        """What the decoder is told, for what the encoder gave of a content in one piece."""
        if self.statistics is None:
            return encoded
        own: Any = encoded[contract.STATISTICS]
        own = own if isinstance(own, np.ndarray) else own.numpy()
        return encoded | {contract.STATISTICS: self.statistics(own)}

    @property
    def keeps_colours(self) -> bool:
        return self.options.colours == "luminance"

    def seen(self, shown: FloatArray) -> FloatArray:
        """What the networks are given of a content: itself, or its luma."""
        return luminance(shown) if self.keeps_colours else shown

    def smoothed(self, seen: FloatArray) -> FloatArray:
        """What the encoder is shown; at small strengths ``seen`` itself is blended in."""
        return smoothed(seen, self.options.smooth)

    def finished(
        self, picture: Picture, shown: FloatArray, rgb: FloatArray, strengths: FloatArray
    ) -> Picture:
        """What is handed back of a picture that was ``shown``, for the decoder's ``rgb``."""
        if self.keeps_colours:
            rgb = with_luminance(shown, rgb)
        if picture.alpha is not None:
            # What nobody sees is handed back as well, where nothing is asked for.
            rgb = np.where((strengths.sum(axis=0) == 0)[..., None], picture.rgb, rgb)
        return Picture(rgb, picture.alpha)

    @property
    def is_even(self) -> bool:
        """Whether all places are told the same."""
        return self.masks is None and isinstance(self.strength, float)
