"""Statistics of features in float64: the same however a picture is cut into tiles.

The encoder's own are float32 sums over all positions: exact enough for a photo, but their digits
fade with its size, and they depend on the order.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from adain import contract

FloatArray = npt.NDArray[np.float32]
_EPSILON = 1e-5  # under the root, as the networks have it

# Rows and columns of the image.
Area = tuple[slice, slice]


class FeatureStatistics:
    """Means and standard deviations of each channel, over the tiles of a picture."""

    def __init__(self, outputs: Sequence[str], feature_stride: int) -> None:
        """``outputs`` are the encoder's, as `adain.contract.encoder_outputs` orders them."""
        self._features = [name for name in outputs if name != contract.STATISTICS]
        self._stride = feature_stride
        self._sums: dict[str, npt.NDArray[np.float64]] = {}
        self._counts = dict.fromkeys(self._features, 0)
        self._rest: npt.NDArray[np.float64] | float = 0.0
        self._pixels = 0

    def add(self, encoded: Mapping[str, Any], area: Area) -> None:
        """Count the features of an ``area`` of the image, in pixels from its corner."""
        sides = encoded[contract.IMAGE].shape[2:]
        measured = 0
        for name in self._features:
            values = _part(encoded[name][0], sides, area, self._feature_scale(name, encoded))
            sums = self._sums.setdefault(name, np.zeros((2, len(values))))
            plane = np.empty(values.shape[1:])
            for channel, source in enumerate(values):
                np.copyto(plane, source)
                sums[0, channel] += plane.sum()
                # Not a product of vectors: BLAS takes threads for it, which wait for each other.
                sums[1, channel] += np.square(plane, out=plane).sum()
            self._counts[name] += plane.size
            measured += 2 * len(values)
        # Of layers that the encoder measures and does not hand out, which no decoder takes: the
        # tiles' own, averaged by their pixels.
        pixels = (area[0].stop - area[0].start) * (area[1].stop - area[1].start)
        rest = encoded[contract.STATISTICS][0, measured:, 0, 0].astype(np.float64)
        self._rest = self._rest + rest * pixels
        self._pixels += pixels

    def _feature_scale(self, name: str, encoded: Mapping[str, Any]) -> int:
        """Pixels of the image for each feature, in a row: further features have no margin."""
        if name == contract.FEATURES:
            return self._stride
        image, features = encoded[contract.IMAGE], encoded[name]
        return int(image.shape[2] // features.shape[2])

    def values(self) -> FloatArray:
        """``[1, K, 1, 1]``, as the encoder orders them."""
        parts = []
        for name in self._features:
            mean, square = self._sums[name] / self._counts[name]
            parts += [mean, np.sqrt(np.maximum(square - mean * mean, 0) + _EPSILON)]
        parts.append(np.asarray(self._rest / self._pixels))
        return np.concatenate(parts).astype(np.float32).reshape(1, -1, 1, 1)


def _part(
    values: npt.NDArray[Any], sides: tuple[int, int], area: Area, scale: int
) -> npt.NDArray[Any]:
    """Features ``[C, h, w]`` of an area of the image, whose sides are given; without a margin."""
    rows, columns = (
        slice(*(edge // scale + (size - side // scale) // 2 for edge in (part.start, part.stop)))
        for part, side, size in zip(area, sides, values.shape[1:], strict=True)
    )
    return values[:, rows, columns]
