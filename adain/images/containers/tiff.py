"""TIFF: which page is shown, and who decodes it."""

from __future__ import annotations

import io
from typing import BinaryIO

from PIL import TiffImagePlugin

from adain.images.containers import tiff_page as tags
from adain.images.containers.opened import Opened
from adain.images.containers.tiff_page import built, pieces_of, shown_page
from adain.images.containers.tiff_samples import is_for_pillow, sample_bytes, tiff_samples

_OLD_JPEG = 6


def open_tiff(stream: BinaryIO, name: str) -> Opened:
    """A TIFF from its start: its first page that is neither a reduced copy of another nor a mask.

    Raises AdaINError for layouts that are not read, and other errors where the file is broken.
    """
    page = shown_page(stream)
    width, height = page.one(tags.WIDTH), page.one(tags.HEIGHT)
    orientation = page.one(tags.ORIENTATION, 1)
    profile = b"".join(v if isinstance(v, bytes) else b"" for v in page.all(tags.PROFILE)) or None
    if page.one(tags.COMPRESSION, 1) == _OLD_JPEG:
        stream.seek(0)
        image = TiffImagePlugin.TiffImageFile(io.BytesIO(stream.read()))
        return Opened((width, height), image, orientation)
    pieces = pieces_of(stream, page)
    if not is_for_pillow(page):
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
