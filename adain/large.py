"""Pictures larger than memory: read, stylized and written in parts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from adain import footprint
from adain.files import check_writable
from adain.images import Picture, format_of, save_image
from adain.images.streaming import DEEP_ZOOM, SUFFIXES, check_suffix, is_here, pyvips, writing
from adain.images.windows import Windows
from adain.registry import Model
from adain.tiling import Plan, StatisticsFrom, Tiles

if TYPE_CHECKING:
    from adain.network import Network


def plan_for(model: Model, outer: int, statistics_from: StatisticsFrom = "picture") -> Plan:
    """Tiles of so many pixels with their margins, by how far a model's networks reach."""
    return Plan(outer, *footprint.reach(model), statistics_from)


def in_memory(tiles: Tiles, source: Windows, *, exact: bool) -> Picture | npt.NDArray[np.uint8]:
    """All of a picture: uint8 ``[H, W, 3 or 4]``, or with ``exact`` a Picture."""
    size = source.height, source.width
    if exact:
        rgb = np.empty((*size, 3), np.float32)
        alpha = np.empty(size, np.float32) if source.has_alpha else None
        for box, part in tiles:
            rgb[box.slices] = part.rgb
            if alpha is not None:
                alpha[box.slices] = part.alpha
        return Picture(rgb, alpha)
    levels = np.empty((*size, 4 if source.has_alpha else 3), np.uint8)
    for box, part in tiles:
        levels[box.slices] = part.to_array()
    return levels


def check_output(path: str | os.PathLike[str], *, pyramid: bool = False) -> None:
    """Raise AdaINError where a large picture could not be written, before the work."""
    target = Path(path)
    if pyramid or target.suffix.lower() == DEEP_ZOOM:
        pyvips()
        check_suffix(target, pyramid=pyramid)
    else:
        format_of(str(target), target.suffix)
    check_writable(target)


def to_file(
    tiles: Tiles, source: Windows, network: Network, path: Path, quality: int, *, pyramid: bool
) -> None:
    """Write a picture row by row where libvips is here, else from memory."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES or not is_here():
        levels = in_memory(tiles, source, exact=False)
        network.sessions.give_back_memory()
        save_image(levels, path, quality=quality)
        return
    bands = 4 if source.has_alpha else 3
    with writing(path, source.width, source.height, bands) as writer:
        for rows in _rows(tiles, source.width, bands):
            writer.write(rows)
        network.sessions.give_back_memory()
        writer.finish(quality, pyramid=pyramid)


def _rows(tiles: Tiles, width: int, bands: int) -> Iterator[npt.NDArray[np.uint8]]:
    """The tiles of a row of them side by side, uint8 ``[h, W, bands]``."""
    rows = np.empty((0, width, bands), np.uint8)
    for box, part in tiles:
        if box.height > len(rows):
            rows = np.empty((box.height, width, bands), np.uint8)
        rows[: box.height, box.left : box.right] = part.to_array()
        if box.right == width:
            yield rows[: box.height]
