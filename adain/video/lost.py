"""Where flow cannot follow the content: the parts of a frame that have to be stylized anew."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from adain.resampling import Box

FloatArray = npt.NDArray[np.float32]

# A multiple of every model's stride, so that parts have the lattice of the whole.
_CELL = 16
# A cell is lost where so much of it is: less is a seam, and gone with the next whole frame.
_LOST = 0.12
# More than this share of a frame to stylize in parts: then the whole costs hardly more.
_MOST = 0.5


def lost_parts(weight: FloatArray, reach: int = 0) -> list[tuple[Box, Box]] | None:
    """Boxes that hold what cannot be followed, each with the box around it to stylize it from.

    ``weight`` [H, W] is how far pixels can be followed, 0 to 1. None: the whole frame. A margin of
    16 pixels is less than networks reach: with ``fast`` pictures of parts were 0.4/255 off. It
    grows by ``reach``, of what comes before the networks.
    """
    margin = _CELL + -(-reach // _CELL) * _CELL
    height, width = weight.shape
    down, across = -(-height // _CELL), -(-width // _CELL)
    missing = [down * _CELL - height, across * _CELL - width]
    whole = cv2.copyMakeBorder(weight, 0, missing[0], 0, missing[1], cv2.BORDER_REPLICATE)
    cells = cv2.resize(whole, (across, down), interpolation=cv2.INTER_AREA) < 1 - _LOST
    parts, area = [], 0
    for top, left, bottom, right in _boxes(cells):
        box = Box(_CELL * top, _CELL * left, min(_CELL * bottom, height), min(_CELL * right, width))
        outer = box.grown(margin, width, height)
        parts.append((box, outer))
        area += outer.width * outer.height
    return None if area > _MOST * width * height else parts


def _boxes(cells: npt.NDArray[np.bool_]) -> list[tuple[int, int, int, int]]:
    """Boxes of cells that hold all that are set: strips along the border, and what lies within.

    A camera that moves uncovers strips, and one box of all four would be the whole frame.
    """
    down, across = cells.shape
    strips = [(0, 0, 1, across), (down - 1, 0, down, across)]
    strips += [(1, 0, down - 1, 1), (1, across - 1, down - 1, across)]
    found = []
    for top, left, bottom, right in strips:
        rows, columns = np.nonzero(cells[top:bottom, left:right])
        if len(rows):
            ends = rows.max() + 1, columns.max() + 1
            found.append((top + rows.min(), left + columns.min(), top + ends[0], left + ends[1]))
    inner = np.ascontiguousarray(cells[1:-1, 1:-1], np.uint8)
    if inner.any():
        _, _, boxes, _ = cv2.connectedComponentsWithStats(inner, connectivity=8)
        for left, top, width, height, _ in boxes[1:]:
            found.append((1 + top, 1 + left, 1 + top + height, 1 + left + width))
    return [tuple(int(side) for side in box) for box in found]  # type: ignore[misc]
