"""Edge-preserving smoothing of contents: a guided filter, so that even areas come out calm.

What the networks make of a sky is what they make of its noise, of JPEG's blocks and of gradients
that nobody sees, enlarged to the strokes of a style. Smoothed away before the encoder sees them,
they leave an area of few and long strokes; edges are kept, and with them all that has a shape.
"""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
Plane = npt.NDArray[np.float64]

# The filter's window reaches so many pixels to each side.
RADIUS = 16
# And what a pixel becomes depends on pixels so far away: the filter averages twice.
REACH = 2 * RADIUS
# Deviations of this size within a window are halved at an amount of 1.
STRONGEST = 16 / 255
# Averages are those of integers, whose sums do not depend on where a tile or a band begins.
_STEPS = 1 << 30
# So many rows are filtered at a time, which bounds the memory: some 100 bytes a pixel of them.
_ROWS = 256
# The least eps, so that areas without any variance have none divided by none nowhere.
_LEAST = 1e-12


def smoothed(rgb: FloatArray, amount: float) -> FloatArray:
    """``rgb`` ``[H, W, 3]`` in [0, 1], smoothed but for its edges; ``amount`` 0 to 1.

    The guided filter (He, Sun and Tang 2013, eq. 5, 6 and 8) of each channel by itself, so that
    edges of colour alone stay as well: of the deviations within a window, var / (var + eps) is
    kept, with eps = (amount * STRONGEST)^2. Windows end at the picture's border. At 0 it is ``rgb``
    itself.
    """
    if amount == 0:
        return rgb
    eps = max((amount * STRONGEST) ** 2, _LEAST)
    height = len(rgb)
    result = np.empty_like(rgb)
    for top in range(0, height, _ROWS):
        bottom, first = min(top + _ROWS, height), max(0, top - REACH)
        band = rgb[first : min(bottom + REACH, height)]
        count = _window_sums(np.ones(band.shape[:2], np.int64)).astype(np.float64)
        for channel in range(3):
            plane = _filtered(band[..., channel].astype(np.float64), count, eps)
            result[top:bottom, :, channel] = plane[top - first : bottom - first]
    return result.clip(0, 1, out=result)


def _filtered(plane: Plane, count: Plane, eps: float) -> Plane:
    mean = _averaged(plane, count)
    variance = (_averaged(plane * plane, count) - mean * mean).clip(0)
    share = variance / (variance + eps)
    offset = _averaged(mean - share * mean, count)
    return _averaged(share, count) * plane + offset


def _averaged(plane: Plane, count: Plane) -> Plane:
    """The mean of each place's window, of which ``count`` values are in the picture."""
    return _window_sums(np.rint(plane * _STEPS).astype(np.int64)) / (count * _STEPS)


def _window_sums(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Sums over squares of ``2 * RADIUS + 1`` around each place, as far as there are values."""
    before = RADIUS + 1
    for _ in range(2):  # along columns, and turned along rows
        total = np.pad(values, [(before, RADIUS), (0, 0)]).cumsum(axis=0)
        values = (total[before + RADIUS :] - total[: len(values)]).T
    return values
