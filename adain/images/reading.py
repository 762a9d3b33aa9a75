"""Images in: files, bytes, open files, PIL images and arrays to a `Picture`."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, TypeAlias, cast

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile

from adain.errors import checked_integer, failing, found_error
from adain.images.formats import FORMATS
from adain.images.modes import from_pil
from adain.images.picture import MAX_SIDE, Picture, from_array

EncodedImage: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO
ImageSource: TypeAlias = EncodedImage | Image.Image | npt.NDArray[Any] | Picture

MAX_PIXELS = 2**30 // 12  # 89,478,485: what fits into 1 GiB as float32 RGB
_PNG_STEP = {"1": 255, "L;2": 85, "L;4": 17}  # between the levels of a gray PNG, by raw mode
_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def load_image(
    source: ImageSource, *, max_side: int | None = None, max_pixels: int = MAX_PIXELS
) -> Picture:
    """Read an image from a path, encoded bytes, a binary file, a PIL image, an array or a Picture.

    Files, bytes, files open in binary mode (read from where they stand to their end) and PIL
    images: every PIL mode, EXIF orientation and ICC profile (relative colorimetric; a profile that
    is broken or of another colour space is ignored). An animation gives its first frame. Modes
    I;16 and I are 16-bit gray, 0..65535; mode F is gray in [0, 1]. Arrays are sRGB [H, W],
    [H, W, 1], [H, W, 3] or [H, W, 4]: bool, uint8 in 0..255, uint16 in 0..65535, float16, float32
    or float64 in [0, 1]. A Picture is handed back, itself where it keeps its size. The source is
    never changed.

    max_side: bring the long side down to at most this many pixels, keeping the aspect.
    max_pixels: refuse a larger image, before its pixels are decoded; no side may exceed MAX_SIDE.

    Raises AdaINError, with the name of the source, for whatever is none of these.
    """
    max_pixels = checked_integer("max_pixels", max_pixels, 1)
    if max_side is not None:
        max_side = checked_integer("max_side", max_side, 1)
    if isinstance(source, np.ndarray):
        _check_size("the array", source.shape[1::-1], max_pixels)
        source = from_array(source, "the array")
    if isinstance(source, Picture):
        size = source.width, source.height
        _check_size("the picture", size, max_pixels)
        return source if max_side is None else source.resized(*_fit(size, max_side))
    if isinstance(source, Image.Image):
        _check_size("the PIL image", source.size, max_pixels)
        return decode(source, "the PIL image", max_side)
    with _stream(source) as (stream, name):
        image = _identify(stream, name)
        _check_size(name, image.size, max_pixels)
        return decode(image, name, max_side, draft=True)


def _check_size(name: str, size: tuple[int, ...], max_pixels: int) -> None:
    if len(size) == 2 and (size[0] * size[1] > max_pixels or max(size) > MAX_SIDE):
        raise found_error(
            name,
            f"{size[0]:,} x {size[1]:,} pixels",
            f"at most {max_pixels:,} pixels, and {MAX_SIDE:,} on a side",
        )


def _fit(size: tuple[int, int], max_side: int) -> tuple[int, int]:
    longest = max(size)
    side = min(longest, max_side)
    width, height = (max(1, (n * side + longest // 2) // longest) for n in size)
    return width, height


@contextmanager
def _stream(source: Any) -> Iterator[tuple[BinaryIO, str]]:
    """A seekable binary stream that starts at the image, and what to call it."""
    files = f"a {', '.join(FORMATS)} image"
    if isinstance(source, (bytes, bytearray, memoryview)):
        yield io.BytesIO(bytes(source)), "the bytes"
    elif isinstance(source, (str, os.PathLike)):
        name = os.fsdecode(source)
        if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]+://|data:", name):
            raise found_error(name, "a URL", "a path: URLs are not opened")
        with failing(name, "a file that cannot be opened", files):
            file = open(name, "rb")  # noqa: SIM115
        with file:
            with failing(name, "a file that cannot be read", files):
                # A pipe cannot go back to the start, as the decoders do.
                stream = file if file.seekable() else io.BytesIO(file.read())
            yield cast(BinaryIO, stream), name
    elif hasattr(source, "read"):
        label = getattr(source, "name", None)
        name = f"the file object {label}" if isinstance(label, str) else "the file object"
        if isinstance(source, io.TextIOBase):
            raise found_error(name, "text mode", "a file open in binary mode")
        # Read rather than passed on: decoders go to the start of a file, not to where it stands.
        with failing(name, "a file object that cannot be read", "a file open in binary mode"):
            data = source.read()
        if not isinstance(data, bytes):
            raise found_error(
                name, f"{type(data).__name__} from read()", "a file open in binary mode"
            )
        yield io.BytesIO(data), name
    else:
        raise found_error(
            "the image",
            f"a {type(source).__module__}.{type(source).__qualname__}",
            "a path, bytes, a file open in binary mode, a PIL image, a numpy array or a Picture",
        )


def _identify(stream: BinaryIO, name: str) -> ImageFile.ImageFile:
    """Parse the header of an image file; its pixels stay undecoded.

    Not `Image.open`: that one checks the size by a limit of the whole process, and reports through
    `warnings`. To set either aside for one call (`Image.MAX_IMAGE_PIXELS`, `catch_warnings`) is to
    change it for every other thread meanwhile. The plugin's own entry point has no such check, and
    `_check_size` follows it. (TIFF and GIF repeat the check while decoding: for these a larger
    `max_pixels` helps up to Pillow's own limit, and past it the error is an AdaINError still.)
    """
    allowed = f"a {', '.join(FORMATS)} image"
    Image.init()  # fills the registry, which else only `Image.open` does
    with failing(name, "a broken image", allowed):
        prefix = stream.read(16)
        if not prefix:
            raise found_error(name, "nothing (0 bytes)", allowed)
        for format in FORMATS:
            factory, accept = Image.OPEN[format]
            if accept is not None and accept(prefix) is True:
                stream.seek(0)
                with failing(name, f"a broken {format} image", "an intact one"):
                    image = factory(stream, "")
                _scale_png_key(image)
                return image
    raise found_error(name, f"no known image format (it starts with {prefix[:8]!r})", allowed)


def _scale_png_key(image: ImageFile.ImageFile) -> None:
    # The tRNS colour of a PNG is in the file's bit depth, but pixels are decoded to 8 bits.
    key = image.info.get("transparency")
    rawmode = image.tile[0].args if image.format == "PNG" and image.tile else None
    if rawmode in _PNG_STEP and isinstance(key, int):
        # Pillow from 12.1 on scales the key of one bit itself, which the minimum leaves as it is.
        image.info["transparency"] = min(key * _PNG_STEP[rawmode], 255)
    elif rawmode == "RGB;16B" and isinstance(key, tuple):
        image.info["transparency"] = tuple(sample >> 8 for sample in key)


def decode(image: Image.Image, name: str, max_side: int | None, *, draft: bool = False) -> Picture:
    """A PIL image of any mode as a Picture; ``draft`` lets the decoder of its file make it smaller.

    ``name`` is for errors.
    """
    if 0 in image.size:
        raise found_error(name, "{} x {} pixels".format(*image.size), "at least 1 x 1")
    with failing(name, "an image that cannot be decoded", "an intact image"):
        size = image.size
        if draft and max_side is not None:
            # Twice the size leaves Lanczos the frequencies it would keep.
            width, height = _fit(size, max_side)
            image.draft(None, (2 * width, 2 * height))
        image.load()
        orientation = _orientation(image)
        if orientation in _TRANSPOSE:
            image = image.transpose(_TRANSPOSE[orientation])
        if max_side is None:
            return from_pil(image, name)
        size = _fit(size[::-1] if orientation >= 5 else size, max_side)
        if image.mode in ("L", "RGB", "CMYK") and not image.has_transparency_data:
            # Half a level of rounding, where the samples are 8-bit anyway, for a third of the time.
            image = image.resize(size, Image.Resampling.LANCZOS)
        return from_pil(image, name).resized(*size)


def _orientation(image: Image.Image) -> int:
    # A broken EXIF block says nothing about orientation; every viewer shows the image as stored.
    with suppress(Exception):
        orientation = image.getexif().get(0x0112)
        if orientation in _TRANSPOSE:
            return int(cast(int, orientation))
    return 1
