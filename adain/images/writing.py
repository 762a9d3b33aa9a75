"""Images out: pictures, PIL images and arrays to files, whole or not at all, and to bytes."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from PIL import Image

from adain.errors import checked_integer, failing, found_error
from adain.files import write_atomically
from adain.images.formats import format_of
from adain.images.picture import Picture, from_array
from adain.images.reading import decode

# Of JPEG, WebP and AVIF, where nothing else is asked for: flaws that an eye does not find.
QUALITY = 95


def save_image(
    image: Picture | Image.Image | npt.NDArray[Any],
    path: str | os.PathLike[str],
    *,
    quality: int = QUALITY,
) -> None:
    """Write an image at 8 bits a channel, in the format that the suffix of `path` names.

    image: a Picture, or a PIL image or array as `load_image` takes them, of any size.
    quality: 1..100, for JPEG (4:4:4 from 90 on), WebP and AVIF.

    JPEG and BMP have no alpha here: the image is composited over white. The file appears whole or
    not at all, and replaces an old one only then. Raises AdaINError, with the path.
    """
    if not isinstance(path, (str, os.PathLike)) or not isinstance(os.fspath(path), str):
        raise found_error("path", f"a {type(path).__name__}", "a str or os.PathLike[str]")
    name = os.fspath(path)
    data = _encode(image, name, format_of(name, Path(name).suffix), quality)
    write_atomically(path, data)


def encode_image(
    image: Picture | Image.Image | npt.NDArray[Any], suffix: str = ".png", *, quality: int = QUALITY
) -> bytes:
    """The bytes that `save_image` would write to a path with this suffix."""
    return _encode(image, "the image", format_of("suffix", suffix), quality)


def _encode(image: Any, name: str, format: str, quality: int) -> bytes:
    options: dict[str, Any] = {}
    quality = checked_integer("quality", quality, 1, 100)
    if format in ("JPEG", "WEBP", "AVIF"):
        options["quality"] = quality
    if format == "JPEG":
        options["subsampling"] = "4:4:4" if quality >= 90 else "4:2:0"
    levels = _levels(image, opaque=format in ("JPEG", "BMP"))
    buffer = io.BytesIO()
    height, width = levels.shape[:2]
    found = f"{width:,} x {height:,} pixels that cannot be encoded as {format}"
    with failing(name, found, "what the format can hold"):
        Image.fromarray(levels).save(buffer, format, **options)
    return buffer.getvalue()


def _levels(image: Any, *, opaque: bool) -> npt.NDArray[np.uint8]:
    """uint8 [H, W, 3 or 4], composited over white where it is to be ``opaque``."""
    plain = isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.size > 0
    if plain and image.shape[2:] == (3,):
        # As it is: a large picture as float32 would take four times its memory.
        return cast(npt.NDArray[np.uint8], image)
    picture = _picture(image)
    if opaque and picture.alpha is not None:
        alpha = picture.alpha[..., None]
        picture = Picture(picture.rgb * alpha + (1 - alpha))
    return picture.to_array()


def _picture(image: Any) -> Picture:
    """Of any size: what a format can hold is the encoder's to say."""
    if isinstance(image, Picture):
        return image
    if isinstance(image, Image.Image):
        return decode(image, "the PIL image", None)
    if isinstance(image, np.ndarray):
        return from_array(image, "the array")
    raise found_error(
        "the image", f"a {type(image).__name__}", "a Picture, a PIL image or an array"
    )
