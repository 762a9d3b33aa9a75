"""Tiling with overlap: pictures larger than memory, the same to the bit as in one piece.

Nothing in a decoder looks at statistics of the picture it works on: those of the content are an
input of it. So one pass over tiles gathers them, and another makes the pixels. A tile overlaps its
neighbours by the receptive field of the networks, starts at a multiple of their stride, and ends at
the picture's border where its own reflection and padding are the whole picture's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from adain import contract, maps
from adain.colours import Moments
from adain.feature_statistics import Area, FeatureStatistics
from adain.images import Picture
from adain.images.transparency import GRID, Filler
from adain.images.windows import Windows
from adain.recipe import Recipe
from adain.resampling import Box
from adain.smoothing import REACH
from adain.style import Style

if TYPE_CHECKING:
    # Help of a command is to be had without ONNX Runtime.
    from adain.network import Encoded, Network

FloatArray = npt.NDArray[np.float32]
# Boxes of a picture, row by row, and what becomes of them.
Tiles: TypeAlias = Iterator[tuple[Box, Picture]]
# From so many pixels on, a picture in one piece has the statistics that its tiles would have.
EXACT = 2_000_000
# Whose statistics the decoder is told: all of the picture's; those of some tiles; or those of a
# small version, whose features are others.
StatisticsFrom: TypeAlias = Literal["picture", "sample", "thumbnail"]
# How many tiles are a sample, at most.
SAMPLE = 16
# The long side of a thumbnail whose statistics stand for the picture's, at most.
THUMBNAIL = 1024


@dataclass(frozen=True)
class Plan:
    """How a picture is cut: pixels of a tile and its margin, and how far the networks reach.

    ``statistics_from`` says whose statistics the decoder is told; all but the picture's estimate
    them.
    """

    outer: int
    encoder_reach: int
    reach: int
    statistics_from: StatisticsFrom = "picture"


def grid(width: int, height: int, outer: int, margin: int) -> Iterator[tuple[Box, Box]]:
    """Boxes that cover a picture, row by row, each with the box that it is computed from."""
    inner = max(GRID, (outer - 2 * margin) // GRID * GRID)
    steps = [_step(side, inner) for side in (height, width)]
    for top in range(0, height, steps[0]):
        for left in range(0, width, steps[1]):
            box = Box(top, left, min(top + steps[0], height), min(left + steps[1], width))
            yield box, box.grown(margin, width, height)


def _step(side: int, inner: int) -> int:
    """A side in equal parts of up to ``inner`` pixels: no sliver with margins is left over."""
    parts = math.ceil(side / inner)
    return int(math.ceil(side / parts / GRID) * GRID)


def _spread(count: int, wanted: int) -> list[int]:
    """So many of the numbers below ``count``, evenly spread; all where they are fewer."""
    return sorted({int((n + 0.5) * count / wanted) for n in range(wanted)})


class Tiling:
    """A picture that is stylized tile by tile."""

    def __init__(self, network: Network, source: Windows, recipe: Recipe, plan: Plan) -> None:
        self._network, self._source, self._recipe, self._plan = network, source, recipe, plan
        self._size = source.width, source.height
        self._filler: Filler | None = None

    def run(self, style_of: Callable[[Any, Moments | None], Style]) -> Tiles:
        """``style_of`` gives the Style of a source, by the moments of the content's colours where
        these count.
        """
        fitted = self._recipe.options.colours != "style"
        # Mistakes are told before the long work.
        styles = None if fitted else [style_of(source, None) for source in self._recipe.sources]
        if self._source.has_alpha:
            self._filler = Filler(*self._size)
            for box, _ in grid(*self._size, self._plan.outer, 0):
                picture = self._source.window(box)
                assert picture.alpha is not None
                self._filler.add(box.top, box.left, picture.rgb, picture.alpha)
        moments = Moments() if fitted else None
        statistics = self._gather(moments)
        if self._recipe.statistics is not None:
            statistics = self._recipe.statistics(statistics)
        if styles is None:
            styles = [style_of(source, moments) for source in self._recipe.sources]
        vectors = self._recipe.vectors(styles, self._network.layout.style_channels)
        mapped = self._mapped()
        for box, outer in grid(*self._size, self._plan.outer, self._plan.reach):
            yield box, self._stylized(box, outer, vectors, statistics, mapped)

    def _window(self, box: Box) -> tuple[Picture, FloatArray]:
        """A part of the picture, and what the model is shown of it."""
        if self._filler is None:
            picture = self._source.window(box)
            return picture, picture.rgb
        wide = Box(
            box.top // GRID * GRID,
            box.left // GRID * GRID,
            min(-(-box.bottom // GRID) * GRID, self._size[1]),
            min(-(-box.right // GRID) * GRID, self._size[0]),
        )
        picture = self._source.window(wide)
        assert picture.alpha is not None
        shown = self._filler.filled(wide.top, wide.left, picture.rgb, picture.alpha)
        part = box.within(wide).slices
        alpha = np.ascontiguousarray(picture.alpha[part])
        return Picture(picture.rgb[part], alpha), np.ascontiguousarray(shown[part])

    def _seen(self, box: Box) -> tuple[Picture, FloatArray, FloatArray, FloatArray]:
        """A part of the picture, what is shown of it, and what decoder and encoder see of that.

        It is smoothed as within the whole picture. Windows are read once and from the top down, so
        that a file need not be opened anew.
        """
        if self._recipe.options.smooth == 0:
            picture, shown = self._window(box)
            seen = self._recipe.seen(shown)
            return picture, shown, seen, seen
        wide = box.grown(REACH, *self._size)
        picture, shown = self._window(wide)
        seen = self._recipe.seen(shown)
        part = box.within(wide).slices
        alpha = None if picture.alpha is None else np.ascontiguousarray(picture.alpha[part])
        rgb, shown, inner, smoothed = (
            np.ascontiguousarray(each[part])
            for each in (picture.rgb, shown, seen, self._recipe.smoothed(seen))
        )
        return Picture(rgb, alpha), shown, inner, smoothed

    def _gather(self, moments: Moments | None) -> FloatArray:
        """The statistics of the content; its colours are added to ``moments``."""
        layout = self._network.layout
        found = FeatureStatistics(layout.encoded, layout.feature_stride)
        if self._plan.statistics_from == "thumbnail":
            small = self._thumbnail(moments)
            # Its pixels are means, which have less to smooth, and windows of it would be too wide.
            encoded = self._network.encode(self._recipe.seen(small), stay=False)
            found.add(encoded, _whole_area(encoded))
            return found.values()
        boxes = list(grid(*self._size, self._plan.outer, self._plan.encoder_reach))
        if self._plan.statistics_from == "sample":
            boxes = [boxes[place] for place in _spread(len(boxes), SAMPLE)]
        for box, outer in boxes:
            _, shown, seen, smoothed = self._seen(outer)
            if moments is not None:
                moments.add(shown[box.within(outer).slices])
            encoded = self._network.encode(seen, smoothed=smoothed, stay=False)
            found.add(encoded, self._area(box, outer, encoded))
        return found.values()

    def _area(self, box: Box, outer: Box, encoded: Any) -> Area:
        """A box in the padded image of an outer one; the picture's own padding is part of it."""
        inside = box.within(outer)
        rows, columns = encoded[contract.IMAGE].shape[2:]
        bottom = rows if box.bottom == self._size[1] else inside.bottom
        right = columns if box.right == self._size[0] else inside.right
        return slice(inside.top, bottom), slice(inside.left, right)

    def _thumbnail(self, moments: Moments | None) -> FloatArray:
        """The picture by the means of squares, whose sides are a power of two, up to `GRID`."""
        factor = 1
        most = min(THUMBNAIL, self._plan.outer)
        while max(self._size) > most * factor and factor < GRID:
            factor *= 2
        small = np.zeros((-(-self._size[1] // factor), -(-self._size[0] // factor), 3), np.float32)
        for box, _ in grid(*self._size, self._plan.outer, 0):
            _, shown = self._window(box)
            if moments is not None:
                moments.add(shown)
            missing = [(0, -side % factor) for side in shown.shape[:2]]
            even = np.pad(shown, (*missing, (0, 0)), mode="edge")
            rows, columns = (side // factor for side in even.shape[:2])
            squares = even.reshape(rows, factor, columns, factor, 3).mean(axis=(1, 3))
            top, left = box.top // factor, box.left // factor
            small[top : top + rows, left : left + columns] = squares
        return small

    def _mapped(self) -> tuple[bool, bool, bool]:
        """Which of what the decoder is told differs between places: strength, style and alpha."""
        if self._recipe.is_even:
            return False, False, False
        layout = self._network.layout
        found, first = [False] * 3, None
        for box, _ in grid(*self._size, self._plan.outer, 0):
            strengths = self._network.padded(self._recipe.strengths(*self._size, box))
            size = (side // layout.feature_stride for side in strengths.shape[1:])
            layers = maps.layers(strengths, layout.feature_stride, *size)
            corners = [layer[:, :1, :1] for layer in layers]
            first = corners if first is None else first
            for number, layer in enumerate(layers):
                found[number] |= not (layer == first[number]).all()
        return found[0], found[1], found[2]

    def _stylized(
        self,
        box: Box,
        outer: Box,
        vectors: FloatArray,
        statistics: FloatArray,
        mapped: tuple[bool, bool, bool],
    ) -> Picture:
        picture, shown, seen, smoothed = self._seen(outer)
        strengths = self._recipe.strengths(*self._size, outer)
        encoded = self._network.encode(seen, smoothed=smoothed)
        encoded |= {contract.STATISTICS: statistics}
        rgb = self._network.decode(encoded, seen, vectors, strengths, mapped)
        part = box.within(outer).slices
        if strengths.shape[1:] != (1, 1):
            strengths = strengths[:, *part]
        alpha = None if picture.alpha is None else np.ascontiguousarray(picture.alpha[part])
        inner = Picture(picture.rgb[part], alpha)
        return self._recipe.finished(inner, shown[part], rgb[part], strengths)


def encoded_whole(network: Network, rgb: FloatArray, recipe: Recipe) -> Encoded:
    """What the decoder takes of a content in one piece.

    Large ones on the CPU have the statistics of tiles: the encoder's are float32 sums over all
    positions, whose digits fade with the number of these, and another picture would come of it.
    """
    encoded = network.encode(rgb, smoothed=recipe.smoothed(rgb))
    if rgb.shape[0] * rgb.shape[1] < EXACT or network.sessions.kind != "cpu":
        return encoded
    found = FeatureStatistics(network.layout.encoded, network.layout.feature_stride)
    found.add(encoded, _whole_area(encoded))
    return encoded | {contract.STATISTICS: found.values()}


def _whole_area(encoded: Any) -> Area:
    """All of an image, with its padding."""
    rows, columns = encoded[contract.IMAGE].shape[2:]
    return slice(0, rows), slice(0, columns)
