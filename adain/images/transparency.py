"""What a model is shown where a picture is transparent.

What lies under alpha 0 nobody sees, and it is chance: black, white, or what was cut away. A model
has no input for alpha, its convolutions reach across the edge of what is visible, and it takes the
statistics of all pixels. Weights for the statistics, by alpha, would mend only the last, in each
exported file. So the hidden pixels are filled before: the colours around them go on, blurred the
more the farther away (the pull-push of Gortler et al. 1996, "The Lumigraph"). Compositing over
white or black would instead bring a colour into the style that is not in it, and an outline around
what is visible. Visible pixels keep their colours, however faint they are: at strength 0 they are
the content's.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
# Sums of colours times weights [H, W, 3], and of weights [H, W, 1].
Level: TypeAlias = tuple[FloatArray, FloatArray]

HIDDEN = 0.5 / 255  # alpha below it is 0 of 255


# The level that whole pictures are brought to in tiles: a colour for so many pixels each way.
_LEVEL = 6
GRID = 2**_LEVEL


def filled(rgb: FloatArray, alpha: FloatArray) -> FloatArray:
    """float32 [H, W, 3] with new colours where alpha [H, W] hides the old; itself if none is."""
    hidden = alpha < HIDDEN
    if not hidden.any():
        return rgb
    pulled = _pulled([_visible(rgb, alpha)], 64)
    if not pulled[0][1].any():
        return np.full_like(rgb, 0.5)
    total, weight = pulled.pop()
    return _inside(rgb, hidden, _pushed(total / weight, pulled))


class Filler:
    """`filled` for the tiles of a picture, with what lies around them, to the bit.

    Each pixel of the picture is first given to `add` once, in boxes that start at multiples of
    `GRID` pixels and end at such or at the picture's border; then `filled` takes such boxes too.
    """

    def __init__(self, width: int, height: int) -> None:
        rows, columns = -(-height // GRID), -(-width // GRID)
        self._sums = (
            np.zeros((rows, columns, 3), np.float32),
            np.zeros((rows, columns, 1), np.float32),
        )
        self._colour: FloatArray | None = None

    def add(self, top: int, left: int, rgb: FloatArray, alpha: FloatArray) -> None:
        pulled = _pulled([_visible(rgb, alpha)], _LEVEL)[-1]
        for sums, values in zip(self._sums, pulled, strict=True):
            rows, columns = values.shape[:2]
            y, x = top // GRID, left // GRID
            sums[y : y + rows, x : x + columns] = values

    def filled(self, top: int, left: int, rgb: FloatArray, alpha: FloatArray) -> FloatArray:
        hidden = alpha < HIDDEN
        if not hidden.any():
            return rgb
        if not self._sums[1].any():
            return np.full_like(rgb, 0.5)
        if self._colour is None:
            pulled = _pulled([self._sums], 64)
            total, weight = pulled.pop()
            self._colour = _pushed(total / weight, pulled)
        pulled = _pulled([_visible(rgb, alpha)], _LEVEL)[:-1]
        rows, columns = (-(-side // GRID) for side in alpha.shape)
        y, x = top // GRID, left // GRID
        colour = self._colour[y : y + rows, x : x + columns]
        return _inside(rgb, hidden, _pushed(colour, pulled))


def _visible(rgb: FloatArray, alpha: FloatArray) -> Level:
    """Colours times their weights, and the weights: 0 where nothing is seen."""
    hidden = alpha < HIDDEN
    weight = np.where(hidden, 0, alpha).astype(np.float32)[..., None]
    return np.where(hidden[..., None], 0, rgb) * weight, weight


def _pulled(levels: list[Level], count: int) -> list[Level]:
    """With up to ``count`` further levels, each of half the size, down to a single pixel."""
    for _ in range(count):
        total, weight = levels[-1]
        if count > _LEVEL and max(weight.shape) == 1:
            break
        levels.append((_halved(total), _halved(weight)))
    return levels


def _pushed(colour: FloatArray, levels: list[Level]) -> FloatArray:
    """The colours of the first of the levels, where the last is half of those of ``colour``."""
    for total, weight in reversed(levels):
        height, width = weight.shape[:2]
        wide = colour.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
        own = np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)
        share = np.minimum(weight, 1)
        colour = own * share + wide * (1 - share)
    return colour


def _inside(rgb: FloatArray, hidden: npt.NDArray[np.bool_], colour: FloatArray) -> FloatArray:
    result = rgb.copy()
    result[hidden] = np.clip(colour[hidden], 0, 1)
    return result


def _halved(plane: FloatArray) -> FloatArray:
    """Half as many rows and columns, each the sum of two, and the last of an odd number alone."""
    height, width = plane.shape[:2]
    padded = np.pad(plane, ((0, height % 2), (0, width % 2), (0, 0)))
    blocks = padded.reshape(-(-height // 2), 2, -(-width // 2), 2, -1)
    return np.asarray(blocks.sum(axis=(1, 3)), np.float32)
