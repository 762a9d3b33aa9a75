"""A picture in memory: float RGB and an alpha channel, and what arrays of any kind become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from adain.errors import checked_integer, found_error
from adain.images.transparency import filled

FloatArray: TypeAlias = npt.NDArray[np.float32]

MAX_SIDE = 65_500  # the longest side that libjpeg writes
_ROWS = 64
_FULL_SCALE = {"bool": 1, "uint8": 255, "uint16": 65535, "float16": 1, "float32": 1, "float64": 1}
_FLOAT_TOLERANCE = 1e-4  # rounding left by arithmetic in float16 and float32, not overshoot


@dataclass(frozen=True, eq=False)
class Picture:
    """An upright sRGB image.

    rgb: float32 [H, W, 3] in [0, 1], C-contiguous.
    alpha: float32 [H, W] in [0, 1], not multiplied into rgb; None without an alpha channel.
    """

    rgb: FloatArray
    alpha: FloatArray | None = None

    def __post_init__(self) -> None:
        """Raises AdaINError for other shapes or dtypes; values are the maker's to keep."""
        shape = self.rgb.shape
        if self.rgb.dtype != np.float32 or self.rgb.ndim != 3 or shape[2] != 3 or 0 in shape:
            found = f"rgb {self.rgb.dtype} {list(shape)}"
            raise found_error("the picture", found, "float32 [H, W, 3]")
        alpha = self.alpha
        if alpha is not None and (alpha.dtype != np.float32 or alpha.shape != shape[:2]):
            found = f"alpha {alpha.dtype} {list(alpha.shape)}"
            raise found_error("the picture", found, f"float32 {list(shape[:2])}, as rgb has it")
        object.__setattr__(self, "rgb", np.ascontiguousarray(self.rgb))

    @property
    def height(self) -> int:
        return int(self.rgb.shape[0])

    @property
    def width(self) -> int:
        return int(self.rgb.shape[1])

    def opaque(self) -> Picture:
        """What models are shown: without alpha, and with new colours where nothing is visible.

        Where alpha is 0 (rounds to 0 of 255) the visible colours around go on: see `transparency`.
        """
        return self if self.alpha is None else Picture(filled(self.rgb, self.alpha))

    def to_array(self) -> npt.NDArray[np.uint8]:
        """uint8 [H, W, 3], or [H, W, 4] with alpha, rounded to the nearest level."""
        channels = 3 if self.alpha is None else 4
        levels = np.empty((self.height, self.width, channels), np.uint8)
        _quantize(self.rgb, levels[..., :3])
        if self.alpha is not None:
            _quantize(self.alpha, levels[..., 3])
        return levels

    def to_pil(self) -> Image.Image:
        """An 8-bit PIL image in mode RGB, or RGBA with alpha."""
        return Image.fromarray(self.to_array())

    def turned(self, orientation: int) -> Picture:
        """This picture upright, where EXIF gives its ``orientation``, 1 to 8."""
        if orientation == 1:
            return self
        planes = [self.rgb] if self.alpha is None else [self.rgb, self.alpha]
        return Picture(*(np.ascontiguousarray(turned(plane, orientation)) for plane in planes))

    def resized(self, width: int, height: int) -> Picture:
        """This picture at width x height pixels: Lanczos on float samples, clipped to [0, 1].

        Colours are weighted by alpha, so a transparent surround does not bleed into the edge of
        what it surrounds. Raises AdaINError unless both sides are integers in 1..MAX_SIDE.
        """
        size = (
            checked_integer("width", width, 1, MAX_SIDE),
            checked_integer("height", height, 1, MAX_SIDE),
        )
        if size == (self.width, self.height):
            return self
        rgb = _resampled(self.rgb, size)
        if self.alpha is None:
            return Picture(np.clip(rgb, 0, 1, out=rgb))
        alpha = _resampled(self.alpha[..., None], size)
        weighted = _resampled(self.rgb * self.alpha[..., None], size)
        # Below half a level of alpha the quotient is noise. Such a pixel is invisible, and takes
        # the colour that lay hidden there.
        np.divide(weighted, alpha, out=rgb, where=alpha > 0.5 / 255)
        return Picture(np.clip(rgb, 0, 1, out=rgb), np.clip(alpha[..., 0], 0, 1))


def turned(plane: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """A view of samples ``[H, W]`` or ``[H, W, C]`` upright, for EXIF's ``orientation``, 1 to 8."""
    plane = plane.swapaxes(0, 1) if orientation >= 5 else plane
    plane = plane[::-1] if orientation in (3, 4, 7, 8) else plane
    return plane[:, ::-1] if orientation in (2, 3, 6, 7) else plane


def from_array(array: npt.NDArray[Any], name: str) -> Picture:
    """An array of one of the shapes and dtypes that ``load_image`` takes; checked, and copied."""
    check_array(array, name)
    if array.ndim == 2:
        array = array[..., None]
    rgb = to_unit(array[..., :3], (*array.shape[:2], 3))
    return Picture(rgb, to_unit(array[..., 3]) if array.shape[2] == 4 else None)


def check_array(array: npt.NDArray[Any], name: str) -> None:
    """Raise AdaINError unless an array is one that ``load_image`` takes."""
    shape = array.shape
    if (
        array.dtype.name not in _FULL_SCALE
        or not (array.ndim == 2 or (array.ndim == 3 and shape[2] in (1, 3, 4)))
        or 0 in shape
    ):
        hint = ""
        if array.ndim == 3 and shape[0] in (1, 3, 4) and shape[2] not in (1, 3, 4):
            hint = " (this one looks channels-first: use array.transpose(1, 2, 0))"
        elif array.ndim == 4:
            hint = " (this one looks like a batch: pass its images one by one)"
        raise found_error(
            name,
            f"{array.dtype} {list(shape)}",
            f"{', '.join(_FULL_SCALE)}, of shape [H, W], [H, W, 1], [H, W, 3] or [H, W, 4] "
            f"with H and W of at least 1{hint}",
        )
    if array.dtype.kind == "f":
        check_unit(array, name)


def check_unit(array: npt.NDArray[Any], name: str) -> None:
    """Raise AdaINError unless the floats of an array are in [0, 1], up to rounding."""
    low, high = float(array.min()), float(array.max())
    if not (low >= -_FLOAT_TOLERANCE and high <= 1 + _FLOAT_TOLERANCE):
        finite = np.isfinite([low, high]).all()
        found = f"values in [{low:g}, {high:g}]" if finite else "NaN or infinity"
        raise found_error(name, f"{array.dtype} {found}", "finite values in [0, 1]")


def to_unit(samples: npt.NDArray[Any], shape: tuple[int, ...] | None = None) -> FloatArray:
    """Samples as new float32 in [0, 1], repeated to `shape`."""
    unit = np.empty(samples.shape if shape is None else shape, np.float32)
    scale = np.float32(_FULL_SCALE[samples.dtype.name])
    # A division, not a product with 1 / scale: as fast, and every k / 255 is correctly rounded.
    np.divide(samples, scale, out=unit, dtype=np.float32, casting="unsafe")
    return np.clip(unit, 0, 1, out=unit) if samples.dtype.kind == "f" else unit


def _resampled(samples: FloatArray, size: tuple[int, int]) -> FloatArray:
    """float32 [H, W, C] at another (width, height), not clipped."""
    resized = np.empty((size[1], size[0], samples.shape[2]), np.float32)
    for channel in range(samples.shape[2]):
        plane = Image.fromarray(np.ascontiguousarray(samples[..., channel]))
        resized[..., channel] = np.asarray(plane.resize(size, Image.Resampling.LANCZOS))
    return resized


def _quantize(unit: FloatArray, levels: npt.NDArray[np.uint8]) -> None:
    """Write the levels nearest to samples in [0, 1], a few rows at a time to save memory."""
    for row in range(0, len(unit), _ROWS):
        part = unit[row : row + _ROWS] * np.float32(255)
        part += np.float32(0.5)
        levels[row : row + _ROWS] = np.clip(part, 0, 255, out=part)
