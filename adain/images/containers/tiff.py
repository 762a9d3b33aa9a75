"""TIFF: which page is shown, and who decodes it."""

from __future__ import annotations

import ctypes
import io
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import BinaryIO

from PIL import TiffImagePlugin

from adain.images.containers import tiff_page as tags
from adain.images.containers.opened import Opened
from adain.images.containers.tiff_page import built, pieces_of, shown_page, unread
from adain.images.containers.tiff_samples import is_for_pillow, sample_bytes, tiff_samples

_OLD_JPEG = 6
_MOST_SAMPLES = 64


@cache
def _silence() -> None:
    """Keep libtiff from printing errors, which Pillow raises as well, to the terminal.

    It has one handler in a process, which Pillow leaves as it is. Where the library cannot be
    found, as it is linked statically, its lines go to stderr as before.
    """
    with suppress(OSError, AttributeError, ImportError):
        handler = ctypes.CDLL(import_module("PIL._imaging").__file__).TIFFSetErrorHandler
        handler.argtypes, handler.restype = [ctypes.c_void_p], ctypes.c_void_p
        handler(None)


def open_tiff(stream: BinaryIO, name: str) -> Opened:
    """A TIFF from its start: its first page that is neither a reduced copy of another nor a mask.

    Raises AdaINError for layouts that are not read, and other errors where the file is broken.
    """
    _silence()
    page = shown_page(stream)
    width, height = page.one(tags.WIDTH), page.one(tags.HEIGHT)
    orientation = page.one(tags.ORIENTATION, 1)
    profile = page.bytes(tags.PROFILE) or None
    for_pillow = is_for_pillow(page)
    if page.one(tags.COMPRESSION, 1) == _OLD_JPEG:
        raise unread(name, "JPEG as TIFF had it before 1995 (compression 6)")
    most = TiffImagePlugin.MAX_SAMPLESPERPIXEL if for_pillow else _MOST_SAMPLES
    if page.one(tags.SAMPLES, 1) > most:
        raise unread(name, f"{page.one(tags.SAMPLES):,} samples a pixel")
    pieces = pieces_of(stream, page)
    if not for_pillow:
        return Opened(
            (width, height),
            orientation=orientation,
            coded_bytes=sample_bytes(page, name),
            samples=lambda: tiff_samples(page, pieces, profile, name),
        )
    image = TiffImagePlugin.TiffImageFile(io.BytesIO(built(page.order, page.tags, pieces)))
    if profile:
        image.info["icc_profile"] = profile
    across, down = page.piece_size
    samples = page.one(tags.SAMPLES, 1) if page.one(tags.PLANAR, 1) == 1 else 1
    return Opened((width, height), image, orientation, coded_bytes=across * down * samples)
