"""Motion between frames: the optical flow of the content, where it can be followed, and cuts.

The flow is DIS (Kroeger et al. 2016). It is right where forward and backward flow agree (Ruder,
Dosovitskiy and Brox 2016, section 4.3), and the content looks there as it did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

# Flow is found at half the size, but for pictures that are small at that: of 640 x 360 that
# takes half the time, and what it finds is less misled by noise.
_SIDE = 384
# Ruder et al., equation 5.
_RELATIVE, _ABSOLUTE = 0.01, 0.5
# Levels of 255 by which the content may differ along the flow, over a few pixels.
_DIFFERENCE = 10.0
# Below this many pixels nothing moved; to move the picture by so little only softens it.
_STILL = 0.15
# With less than this share of the pixels followed, a shot ends.
_CUT = 0.35


@dataclass(frozen=True, eq=False)
class Motion:
    """The motion since the frame before.

    ``x`` and ``y``, float32 [H, W], are where each pixel was, as OpenCV's maps; ``weight`` [H, W]
    how far it can be followed there, 0 to 1.
    """

    x: FloatArray
    y: FloatArray
    weight: FloatArray

    def moved(self, earlier: FloatArray) -> FloatArray:
        """The earlier picture [H, W, 3] as it would look now."""
        mode = cv2.BORDER_REPLICATE
        return cast(
            FloatArray, cv2.remap(earlier, self.x, self.y, cv2.INTER_CUBIC, borderMode=mode)
        )


class MotionFinder:
    """Finds the motion from frame to frame of one video."""

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._grids: dict[tuple[int, ...], tuple[FloatArray, FloatArray]] = {}
        # The frame before, as flow is found on it.
        self.gray: Pixels | None = None

    def look(self, content: Pixels) -> Motion | None:
        """The motion since the frame before; None for a frame that begins a shot."""
        gray = _gray(content)
        before, self.gray = self.gray, gray
        if before is None or before.shape != gray.shape:
            return None
        backward, forward = (
            cast(FloatArray, self._flow.calc(*pair, cast(Any, None)))
            for pair in ((gray, before), (before, gray))
        )
        weight = self._followed(gray, before, backward, forward)
        if float(weight.mean()) < _CUT:
            return None
        height, width = content.shape[:2]
        rows, columns = _flow_size(height, width)
        # Without what was added to let the flow be found.
        weight, backward = weight[:rows, :columns], backward[:rows, :columns]
        flows = [cast(FloatArray, flow) for flow in cv2.split(backward)]
        if (rows, columns) != (height, width):
            weight = cast(FloatArray, cv2.resize(weight, (width, height)))
            scales = width / columns, height / rows
            flows = [
                cv2.resize(flow, (width, height)) * np.float32(scale)
                for flow, scale in zip(flows, scales, strict=True)
            ]
        # Where it stands still it is copied, not interpolated.
        still = cv2.max(np.abs(flows[0]), np.abs(flows[1])) < _STILL
        for flow in flows:
            flow[still] = 0
        grid = self._grid(height, width)
        return Motion(grid[0] + flows[0], grid[1] + flows[1], weight)

    def _grid(self, height: int, width: int) -> tuple[FloatArray, FloatArray]:
        if (height, width) not in self._grids:
            x, y = np.meshgrid(np.arange(width), np.arange(height))
            self._grids[height, width] = x.astype(np.float32), y.astype(np.float32)
        return self._grids[height, width]

    def _followed(
        self, gray: Pixels, before: Pixels, backward: FloatArray, forward: FloatArray
    ) -> FloatArray:
        """How far each pixel is the same as where the flow says it came from, 0 to 1."""
        height, width = gray.shape
        across, down = cv2.split(backward)
        grid = self._grid(height, width)
        x, y = grid[0] + across, grid[1] + down
        mode = cv2.BORDER_REPLICATE
        there = cv2.split(cv2.remap(forward, x, y, cv2.INTER_LINEAR, borderMode=mode))
        squares = across**2 + down**2 + there[0] ** 2 + there[1] ** 2
        apart = (across + there[0]) ** 2 + (down + there[1]) ** 2
        agrees = apart < _RELATIVE * squares + _ABSOLUTE
        agrees &= (x > -1) & (x < width) & (y > -1) & (y < height)
        came = cv2.remap(before, x, y, cv2.INTER_LINEAR, borderMode=mode)
        difference = cv2.blur(cv2.subtract(gray, came, dtype=cv2.CV_32F), (5, 5))
        weight = np.exp(-((difference / np.float32(_DIFFERENCE)) ** 2)) * agrees
        # What is uncovered is seen a little beyond its edge by the network.
        weight = cv2.erode(weight, np.ones((5, 5), np.uint8))
        return cast(FloatArray, cv2.blur(weight, (5, 5)))


def _flow_size(height: int, width: int) -> tuple[int, int]:
    """The rows and columns that the flow of a frame is found on."""
    scale = min(1.0, max(0.5, _SIDE / max(height, width)))
    return max(1, round(height * scale)), max(1, round(width * scale))


def _gray(content: Pixels) -> Pixels:
    gray = cv2.cvtColor(content, cv2.COLOR_RGB2GRAY)
    size = _flow_size(*gray.shape)
    if size != gray.shape:
        gray = cv2.resize(gray, size[::-1], interpolation=cv2.INTER_AREA)
    # DIS takes its coarsest scale from the width alone: below 32 rows a wide frame comes to be
    # lower there than a patch of 8 pixels, and memory beside it is read (SIGSEGV).
    missing = [max(0, 32 - side) for side in gray.shape]
    if any(missing):
        gray = cv2.copyMakeBorder(gray, 0, missing[0], 0, missing[1], cv2.BORDER_REPLICATE)
    return cast(Pixels, gray)
