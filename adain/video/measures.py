"""Measures of a stylized video: the warping error of Lai et al. 2018, and the detail that is kept.

Pictures are float32 [H, W, 3] in [0, 1]. A flow [H, W, 2] says by how many pixels, to the right and
down, what is seen in a frame lay elsewhere in an earlier one; ``seen`` [H, W] where it was seen.
"""

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar, cast

import cv2
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
Method = TypeVar("Method")

# How many frames apart pictures are compared, as Lai et al. 2018 and their successors do.
SHORT, LONG = 1, 8


class Clip(Protocol):
    """Frames float32 [N, H, W, 3] whose flow is known."""

    @property
    def frames(self) -> FloatArray: ...

    def flow(self, now: int, earlier: int) -> tuple[FloatArray, npt.NDArray[Any]]:
        """The flow from a frame to an earlier one, and where the same is ``seen`` in both."""


def warped(earlier: FloatArray, flow: FloatArray) -> FloatArray:
    """The earlier picture as it would look now."""
    height, width = flow.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    maps = x + flow[..., 0], y + flow[..., 1]
    moved = cv2.remap(earlier, *maps, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return cast(FloatArray, moved)


def warping_error(
    now: FloatArray, earlier: FloatArray, flow: FloatArray, seen: npt.NDArray[Any]
) -> float:
    """The mean square between a frame and an earlier one along the flow, where it is seen in both.

    Lai et al. 2018 ("Learning Blind Video Temporal Consistency"), equation 10.
    """
    squares = ((now - warped(earlier, flow)) ** 2).mean(axis=-1)
    return float((squares * seen).sum() / max(float(seen.sum()), 1.0))


def detail(picture: FloatArray) -> float:
    """The energy of what a Gaussian of 1.2 pixels takes away: fine texture and edges."""
    fine = picture - cv2.GaussianBlur(picture, (0, 0), 1.2)
    return float((fine**2).mean())


def clip_errors(
    clip: Clip, methods: Mapping[Method, FloatArray], apart: int
) -> dict[Method, float]:
    """The warping error of each method's frames over a clip, as a root mean square in 1/255.

    NaN where nothing is seen twice.
    """
    squares = dict.fromkeys(methods, 0.0)
    seen_in_all = 0.0
    for number in range(apart, len(clip.frames)):
        flow, seen = clip.flow(number, number - apart)
        share = float(seen.sum())
        seen_in_all += share
        for name, frames in methods.items():
            error = warping_error(frames[number], frames[number - apart], flow, seen)
            squares[name] += share * error
    if not seen_in_all:
        return dict.fromkeys(methods, float("nan"))
    return {name: 255 * float(np.sqrt(sum_ / seen_in_all)) for name, sum_ in squares.items()}


def uncovered(clip: Clip, frames: FloatArray, alone: FloatArray) -> float:
    """How far what comes into sight is from the pictures ``alone``, each made without the others.

    A root mean square in 1/255, NaN where nothing does. A trail of what was there before shows.
    """
    squares, area = 0.0, 0.0
    for number in range(1, len(frames)):
        new = 1 - clip.flow(number, number - 1)[1]
        if 0 < new.mean() < 1:
            squares += float((((frames[number] - alone[number]) ** 2).mean(axis=-1) * new).sum())
            area += float(new.sum())
    return 255 * float(np.sqrt(squares / area)) if area else float("nan")


def detail_kept(frames: FloatArray, alone: FloatArray) -> float:
    """The `detail` of frames in percent of that of the pictures ``alone``."""
    return 100 * sum(map(detail, frames)) / max(sum(map(detail, alone)), 1e-12)
