"""Windows of pictures: parts that become float32 one by one, where the whole would take too much.

What is held is what a file's decoder gives, 3 or 4 bytes a pixel for most, or with `adain[large]`
nothing but a few rows (`adain.images.streaming`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
import numpy.typing as npt
from PIL import Image

from adain.cgroups import memory_available
from adain.errors import failing, found_error
from adain.images.colorimetry import Encoding
from adain.images.containers.opened import Samples
from adain.images.modes import from_pil, from_samples
from adain.images.picture import Picture, check_array, from_array, turned
from adain.images.reading import (
    TRANSPOSE,
    ImageSource,
    check_coded,
    check_empty,
    check_size,
    loaded_image,
    open_image,
    orientation_in,
    stream_of,
    with_frame,
)
from adain.images.streaming import streamed
from adain.resampling import Box


@runtime_checkable
class Windows(Protocol):
    """An upright sRGB picture that is read in parts, row by row of these, any number of times."""

    width: int
    height: int
    has_alpha: bool

    def window(self, box: Box) -> Picture: ...


# What a picture may have that is read in windows.
MAX_WINDOWED = 2**32
# Files of fewer pixels are decoded at once.
STREAMED = 2**24
# Bytes of a pixel that Pillow holds, and once more while it turns a picture upright.
_HELD = 8


def load_windows(
    source: ImageSource, *, max_pixels: int = MAX_WINDOWED, streamed_pixels: int = STREAMED
) -> Windows:
    """What `adain.images.load_image` takes, to be read in windows, which are the same pixels.

    Files of ``streamed_pixels`` and more are streamed where that can be, all others decoded and
    held. Raises AdaINError as `load_image` does, and where memory is too small to hold a picture.
    """
    if isinstance(source, np.ndarray):
        check_size("the array", source.shape[1::-1], max_pixels)
        return of_array(source, "the array")
    if isinstance(source, Picture):
        return of_picture(source)
    if isinstance(source, Image.Image):
        check_empty(source.size, "the PIL image")
        check_size("the PIL image", source.size, max_pixels)
        with failing("the PIL image", "an image that cannot be decoded", "an intact image"):
            source.load()
            return of_pil(_upright(source, orientation_in(source)), "the PIL image", None)
    if isinstance(source, (str, os.PathLike)):
        found = streamed(Path(source), streamed_pixels)
        if found is not None:
            check_size(os.fsdecode(source), (found.width, found.height), max_pixels)
            return found
    with stream_of(source) as (stream, name):
        opened = open_image(stream, name)
        check_empty(opened.size, name)
        check_size(name, opened.size, max_pixels)
        check_coded(opened, name, max_pixels)
        _check_held(name, *opened.size)
        with failing(name, "an image that cannot be decoded", "an intact image"):
            if opened.samples is not None or opened.image is None:
                samples = cast(Callable[[], Samples], opened.samples)()
                return of_samples(upright(samples, opened.orientation), name, opened.encoding)
            image = loaded_image(opened.image, opened, None)
            if opened.frame is not None:
                image = with_frame(image, opened.frame)
            return of_pil(_upright(image, opened.orientation), name, opened.encoding)


def _check_held(name: str, width: int, height: int) -> None:
    available = memory_available()
    if available is not None and width * height * _HELD > available:
        found = f"{width:,} x {height:,} pixels, which memory does not hold"
        allowed = (
            "fewer, or a plain JPEG, PNG or TIFF with what `pip install 'adain[large]'` brings"
        )
        raise found_error(name, found, allowed)


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(TRANSPOSE[orientation]) if orientation in TRANSPOSE else image


class Held:
    """A picture in memory, of which each part is made by ``convert``."""

    def __init__(
        self, size: tuple[int, int], has_alpha: bool, convert: Callable[[Box], Picture]
    ) -> None:
        self.width, self.height = size
        self.has_alpha = has_alpha
        self._convert = convert

    def window(self, box: Box) -> Picture:
        return self._convert(box)


def of_picture(picture: Picture) -> Held:
    def part(box: Box) -> Picture:
        alpha = None if picture.alpha is None else picture.alpha[box.slices].copy()
        return Picture(picture.rgb[box.slices], alpha)

    return Held((picture.width, picture.height), picture.alpha is not None, part)


def of_array(array: npt.NDArray[Any], name: str) -> Held:
    """Of an array as `load_image` takes them."""
    check_array(array, name)

    def part(box: Box) -> Picture:
        return from_array(array[box.slices], name)

    has_alpha = array.ndim == 3 and array.shape[2] == 4
    return Held((array.shape[1], array.shape[0]), has_alpha, part)


def of_pil(image: Image.Image, name: str, encoding: Encoding | None) -> Held:
    """Of a loaded, upright PIL image."""

    def part(box: Box) -> Picture:
        cut = image.crop((box.left, box.top, box.right, box.bottom))
        cut.info = dict(image.info)
        return from_pil(cut, name, encoding)

    # Without the profile, which takes longer to prepare than a small picture to convert.
    first = image.crop((0, 0, 1, 1))
    first.info = {key: image.info[key] for key in image.info if key != "icc_profile"}
    has_alpha = from_pil(first, name).alpha is not None
    return Held(image.size, has_alpha, part)


def of_samples(samples: Samples, name: str, encoding: Encoding | None) -> Held:
    """Of upright samples."""

    def part(box: Box) -> Picture:
        alpha = None if samples.alpha is None else samples.alpha[box.slices]
        cut = replace(samples, colour=np.ascontiguousarray(samples.colour[box.slices]), alpha=alpha)
        return from_samples(cut, name, encoding)

    height, width = samples.colour.shape[:2]
    return Held((width, height), samples.alpha is not None, part)


def upright(samples: Samples, orientation: int) -> Samples:
    """Samples as EXIF gives their ``orientation``, 1 to 8; views of the same memory."""
    alpha = None if samples.alpha is None else turned(samples.alpha, orientation)
    return replace(samples, colour=turned(samples.colour, orientation), alpha=alpha)
