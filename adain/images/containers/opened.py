"""What the containers hand on: an image whose header is read and whose pixels are not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import ImageFile

from adain.images.colorimetry import Encoding


@dataclass(frozen=True)
class Samples:
    """Decoded samples that no PIL mode holds.

    colour: uint8, uint16 or float32 [H, W, C]: 1 of gray, 3 of RGB or CIELAB, or 4 of CMYK, each
    from 0 to the dtype's full scale, float to 1. CIELAB is L*, a* and b* themselves, float32.
    alpha: [H, W] likewise; None without. associated: colours are multiplied by it.
    """

    colour: npt.NDArray[Any]
    space: Literal["L", "RGB", "CMYK", "LAB"]
    alpha: npt.NDArray[np.generic] | None = None
    associated: bool = False
    profile: bytes | None = None


@dataclass(frozen=True)
class Opened:
    """An image file after its header; its pixels are decoded by ``samples()``, else by ``image``.

    size: width and height as they are stored. ``encoding`` is how its colours are told beside an
    ICC profile, which stands back then. ``coded_bytes`` is what decoding takes at least, however
    much smaller it is asked to come out. ``frame`` is where there are pixels at all: left, top,
    right, bottom. ``mends`` open a file without an end anew, each with another end added.
    """

    size: tuple[int, int]
    image: ImageFile.ImageFile | None = None
    orientation: int = 1
    encoding: Encoding | None = None
    samples: Callable[[], Samples] | None = None
    coded_bytes: int = 0
    frame: tuple[int, int, int, int] | None = None
    mends: Sequence[Callable[[], ImageFile.ImageFile]] = ()
