"""Any size brought to one that a model takes; the result is cut to what it was."""

import numpy as np
import numpy.typing as npt

from adain.contract import SMALLEST_SIDE

FloatArray = npt.NDArray[np.float32]


def padded_side(side: int, stride: int) -> int:
    """The number of pixels that a side is padded to."""
    return max(SMALLEST_SIDE, -(-side // stride) * stride)


def reflected(side: int, stride: int) -> npt.NDArray[np.int64]:
    """Where the pixels of a padded side come from: 0, 1 ... side - 1, side - 2 and so on."""
    missing = padded_side(side, stride) - side
    return np.pad(np.arange(side, dtype=np.int64), (0, missing), mode="reflect")


def padded(planar: FloatArray, stride: int) -> FloatArray:
    """``[C, H, W]`` as ``[C, H', W']``, reflected at the bottom and right to the stride."""
    missing = [(0, padded_side(side, stride) - side) for side in planar.shape[1:]]
    return np.pad(planar, ((0, 0), *missing), mode="reflect") if any(map(sum, missing)) else planar


def to_planar(rgb: FloatArray, stride: int) -> FloatArray:
    """``[H, W, 3]`` as the contract's ``[1, 3, H', W']``, padded."""
    return np.ascontiguousarray(padded(rgb.transpose(2, 0, 1), stride)[None])
