"""Display matrices: how the frames of a video become upright, as EXIF's orientation says it."""

from collections.abc import Iterable
from typing import Any, cast

import numpy as np
from av.video.frame import VideoFrame

# EXIF's number for pixels that are transposed first, then mirrored, then turned upside down.
_ORIENTATIONS = {
    (False, False, False): 1,
    (False, True, False): 2,
    (False, True, True): 3,
    (False, False, True): 4,
    (True, False, False): 5,
    (True, True, False): 6,
    (True, True, True): 7,
    (True, False, True): 8,
}


def orientation_of(frame: VideoFrame) -> int:
    """EXIF's number for how a frame becomes upright, by the display matrix of its stream."""
    for data in cast(Iterable[Any], frame.side_data):
        if getattr(getattr(data, "type", None), "name", "") == "DISPLAYMATRIX":
            a, b, _, c, d, *_ = np.frombuffer(bytes(data), np.int32).tolist()
            if abs(a) + abs(d) >= abs(b) + abs(c):
                return _ORIENTATIONS[False, a < 0, d < 0]
            return _ORIENTATIONS[True, c < 0, b < 0]
    return 1
