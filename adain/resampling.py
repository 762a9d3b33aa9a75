"""Bilinear resampling of a part of a map, to the bit as Pillow resamples the whole.

Pillow takes a part of its source in float32, and what it makes of it is off by 1e-6: tiles would
differ from the whole. This is its triangle filter with the coefficients of the whole.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


class Box(NamedTuple):
    """A part of a picture, in pixels."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def grown(self, margin: int, width: int, height: int) -> Box:
        """This box with a margin all around, as far as a picture of this size goes."""
        return Box(
            max(0, self.top - margin),
            max(0, self.left - margin),
            min(self.bottom + margin, height),
            min(self.right + margin, width),
        )

    def within(self, other: Box) -> Box:
        """This box as seen from the corner of another."""
        top, left = other.top, other.left
        return Box(self.top - top, self.left - left, self.bottom - top, self.right - left)


def resampled_part(plane: FloatArray, width: int, height: int, box: Box) -> FloatArray:
    """The part ``box`` of a map ``[h, w]`` that is brought to ``height`` x ``width``."""
    rows, row_weights = _taps(plane.shape[0], height, box.top, box.bottom)
    # Only the rows that count: a map may be as large as the picture.
    first, last = int(rows.min()), int(rows.max()) + 1
    columns, column_weights = _taps(plane.shape[1], width, box.left, box.right)
    across = _weighted(plane[first:last].T, columns, column_weights).T
    return np.ascontiguousarray(_weighted(across, rows - first, row_weights))


def _taps(
    side: int, wanted: int, start: int, end: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Of the outputs ``start`` to ``end``: which of a side's values each takes, and how much."""
    if side == wanted:
        return np.arange(start, end)[:, None], np.ones((end - start, 1))
    scale = side / wanted
    support = max(scale, 1.0)
    centres = (np.arange(start, end) + 0.5) * scale
    first = np.maximum((centres - support + 0.5).astype(np.int64), 0)
    last = np.minimum((centres + support + 0.5).astype(np.int64), side)
    places = first[:, None] + np.arange(math.ceil(support) * 2 + 1)
    distance = np.abs((places - centres[:, None] + 0.5) * (1.0 / support))
    weights = np.where((distance < 1) & (places < last[:, None]), 1 - distance, 0)
    total = np.zeros(len(weights))
    for column in weights.T:  # in Pillow's order
        total += column
    weights /= total[:, None]
    return np.minimum(places, side - 1), weights


def _weighted(
    values: FloatArray, places: npt.NDArray[np.int64], weights: npt.NDArray[np.float64]
) -> FloatArray:
    """Sums of rows ``[n, m]``, one for each of the places' rows, as float32."""
    if places.shape[1] == 1:
        return values[places[:, 0]]
    total = np.zeros((len(places), values.shape[1]))
    for place, weight in zip(places.T, weights.T, strict=True):
        total += values[place] * weight[:, None]
    return total.astype(np.float32)
