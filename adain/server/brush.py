"""The brush: how many times larger than usual a style is looked at, and its strokes so broad."""

from __future__ import annotations

from collections.abc import Callable

from adain.errors import found_error
from adain.images.picture import Picture
from adain.options import STYLE_SIDE

# How much larger or smaller than usual.
BRUSHES = (0.25, 2.0)


def brushed(read: Callable[[int], Picture], brush: float) -> Picture:
    """The picture of a style, as large as a brush has it: also beyond the pixels it has.

    ``read`` gives it with a long side of at most so many pixels. Raises AdaINError for a brush
    that is none of ``BRUSHES``.
    """
    low, high = BRUSHES
    if not low <= brush <= high:
        raise found_error("brush", str(brush), f"{low} to {high}")
    usual = read(STYLE_SIDE)
    width, height = (max(1, round(n * brush)) for n in (usual.width, usual.height))
    picture = read(max(width, height))
    if (picture.width, picture.height) != (width, height):  # more pixels than it has
        picture = picture.resized(width, height)
    return picture
