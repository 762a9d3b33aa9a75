"""Temporal consistency by blending along optical flow, without retraining.

What flickers is texture: noise and motion below the network's stride change it from frame to
frame. So each stylized frame takes a share of the one before, moved along the flow of the content
(Ruder, Dosovitskiy and Brox 2016), wherever the flow is right. Elsewhere, as where something comes
into sight, and in all of the first frame of a shot, the picture is what it would be alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from adain.resampling import Box
from adain.video.motion import Motion

FloatArray = npt.NDArray[np.float32]

# A share of 1 would never let the picture follow.
MOST = 0.95
# Averaged textures are softer: at most this much is given back.
_GAIN = 1.0
_DETAIL = 1.2  # the Gaussian's sigma beyond which structure is no detail, in pixels


class Steadier:
    """Blends the stylized frames of a video; ``share`` is how much of it is steadiness, 0 to 1."""

    def __init__(self, share: float) -> None:
        self._share = MOST * share
        # The frame before as it is handed on, not sharpened, and the detail of the last that the
        # network made.
        self.blended: FloatArray | None = None
        self.detail = 0.0

    def blend(self, stylized: FloatArray, motion: Motion | None) -> FloatArray:
        """The frame to show for a stylized one, float32 [H, W, 3] in [0, 1].

        ``motion`` is that since the frame before, and None where a shot begins.
        """
        wanted = _fine(_gray(stylized))
        self.detail = _product(wanted, wanted)
        if motion is None or self.blended is None:
            self.blended = stylized
            return stylized
        came = motion.moved(self.blended)
        came -= stylized
        came *= (self._share * motion.weight)[..., None]
        came += stylized
        self.blended = came
        return self._sharpened(came)

    def carry(self, patches: Iterable[tuple[Box, FloatArray]], motion: Motion) -> FloatArray:
        """The frame to show where the network made only ``patches`` of it: the rest is that before.

        A patch counts where its pixels cannot be followed.
        """
        assert self.blended is not None
        came = motion.moved(self.blended)
        for box, patch in patches:
            part = came[box.slices]
            part += (1 - motion.weight[box.slices])[..., None] * (patch - part)
        self.blended = came
        return self._sharpened(came)

    def _sharpened(self, blended: FloatArray) -> FloatArray:
        """With as much detail in all as the frame alone has; what is handed on stays as it was."""
        gray = _fine(_gray(blended))
        more = _fine(gray)
        # |gray + k more| = |wanted|, squared.
        square, linear = _product(more, more), _product(gray, more)
        missing = self.detail - _product(gray, gray)
        if missing <= 0 or square <= 0:
            return np.clip(blended, 0, 1)
        gain = (math.sqrt(linear * linear + square * missing) - linear) / square
        gain = min(_GAIN, gain)
        blurred = cv2.GaussianBlur(blended, (9, 9), _DETAIL)
        sharp = cv2.addWeighted(blended, 1 + gain, blurred, -gain, 0, dst=blurred)
        return cast(FloatArray, np.clip(sharp, 0, 1, out=sharp))


def _gray(picture: FloatArray) -> FloatArray:
    return cast(FloatArray, cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))


def _fine(picture: FloatArray) -> FloatArray:
    return cast(FloatArray, cv2.subtract(picture, cv2.GaussianBlur(picture, (9, 9), _DETAIL)))


def _product(one: FloatArray, other: FloatArray) -> float:
    return float(np.vdot(one, other))
