"""Any size brought to one that a model takes; the result is cut to what it was."""

import numpy as np
import numpy.typing as npt

from adain.contract import SMALLEST_SIDE

FloatArray = npt.NDArray[np.float32]


def padded(planar: FloatArray, stride: int) -> FloatArray:
    """``[C, H, W]`` as ``[C, H', W']``, reflected at the bottom and right to the stride."""
    sides = planar.shape[1:]
    missing = [(0, max(SMALLEST_SIDE, -(-size // stride) * stride) - size) for size in sides]
    return np.pad(planar, ((0, 0), *missing), mode="reflect") if any(map(sum, missing)) else planar


def to_planar(rgb: FloatArray, stride: int) -> FloatArray:
    """``[H, W, 3]`` as the contract's ``[1, 3, H', W']``, padded."""
    return np.ascontiguousarray(padded(rgb.transpose(2, 0, 1), stride)[None])
