"""Streaming files by libvips, the extra `large`: a few rows in memory, whatever the picture's size.

Read are JPEG, PNG and TIFF of gray or RGB, perhaps with alpha, at 8 or 16 bits; written, in
addition, pyramid TIFF and Deep Zoom. What is rarer goes by Pillow, which holds all of it.
"""

from __future__ import annotations

import os
import shutil
import struct
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image, JpegImagePlugin, PngImagePlugin

from adain.errors import MissingError, failing, found_error
from adain.images.containers import tiff_page as tiff
from adain.images.containers.exif import orientation_of
from adain.images.containers.opened import Samples
from adain.images.containers.png import about_png, chunk
from adain.images.containers.tiff_page import shown_page
from adain.images.formats import format_of_bytes
from adain.images.modes import from_pil, from_samples
from adain.images.picture import Picture
from adain.resampling import Box

_PLAIN = (1, 2, 6)  # photometric interpretations: gray, RGB, and YCbCr of JPEG
# Beside the formats of `adain.images.formats`.
DEEP_ZOOM = ".dzi"
SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", DEEP_ZOOM)
# What TIFF without 64-bit offsets holds, with room for its tables and the pyramid.
_LARGEST_TIFF = 2_500_000_000


def pyvips() -> Any:
    """The library; MissingError where the extra is not installed."""
    try:
        import pyvips
    except (ImportError, OSError) as error:
        raise MissingError(
            "pictures that are streamed need pyvips, which cannot be imported;"
            " `pip install 'adain[large]'` installs it"
        ) from error
    # What is done with would keep its buffers: 130 MB of a JPEG of 20,000 pixels across.
    pyvips.cache_set_max(0)
    return pyvips


def is_here() -> bool:
    with suppress(MissingError):
        return pyvips() is not None
    return False


class Streamed:
    """`adain.images.windows.Windows` of a file, whose rows are read from its top, perhaps again."""

    def __init__(self, path: Path, image: Any, encoding: Any) -> None:
        self.width, self.height = int(image.width), int(image.height)
        self.has_alpha = bool(image.hasalpha())
        self._path, self._encoding = path, encoding
        fields = image.get_fields()
        self._profile = image.get("icc-profile-data") if "icc-profile-data" in fields else None
        self._bands = int(image.bands)
        self._dtype = np.dtype(np.uint8 if image.format == "uchar" else np.uint16)
        self._region: Any = None
        self._top = 0
        # Those from `_top` on; what is held beyond them is room for more.
        self._rows = np.empty((0, self.width, self._bands), self._dtype)
        self._count = 0

    def window(self, box: Box) -> Picture:
        if self._region is None or box.top < self._top:
            self._region = pyvips().Region.new(_opened(self._path))
            self._top = self._count = 0
        end = self._top + self._count
        if box.bottom > end:
            with failing(str(self._path), "an image that cannot be decoded", "an intact image"):
                self._read(box.top, max(end, box.top), box.bottom)
        part = self._rows[box.top - self._top : box.bottom - self._top, box.left : box.right]
        return self._converted(np.ascontiguousarray(part))

    def _read(self, top: int, start: int, end: int) -> None:
        """Hold the rows from ``top``, of which those from ``start`` to ``end`` are read."""
        kept = self._rows[top - self._top : self._count if start > top else 0]
        rows = self._rows
        if len(rows) < end - top:
            rows = np.empty((end - top, self.width, self._bands), self._dtype)
        rows[: len(kept)] = kept  # numpy minds that they overlap
        del kept
        self._rows, self._top, self._count = rows, top, end - top
        # A strip at a time: what libvips hands over is a copy.
        for row in range(start, end, 64):
            count = min(64, end - row)
            data = self._region.fetch(0, row, self.width, count)
            found = np.frombuffer(data, self._dtype).reshape(count, self.width, self._bands)
            rows[row - top : row - top + count] = found

    def _converted(self, part: npt.NDArray[Any]) -> Picture:
        name = str(self._path)
        if self._dtype == np.uint16:
            alpha = np.ascontiguousarray(part[..., -1]) if self.has_alpha else None
            colour = np.ascontiguousarray(part[..., :-1] if self.has_alpha else part)
            space: Any = "L" if colour.shape[2] == 1 else "RGB"
            samples = Samples(colour, space, alpha, profile=self._profile)
            return from_samples(samples, name, self._encoding)
        image = Image.fromarray(part if self._bands != 1 else part[..., 0])
        if self._profile:
            image.info["icc_profile"] = self._profile
        return from_pil(image, name, self._encoding)


def streamed(path: Path, least: int) -> Streamed | None:
    """A file of ``least`` pixels and more that can be read in parts; None for others, which Pillow
    has to hold.
    """
    with suppress(Exception), path.open("rb") as file:
        format = format_of_bytes(file.read(64))
        file.seek(0)
        # By the header first: small pictures are not to wait until libvips is loaded.
        if format not in ("JPEG", "PNG", "TIFF") or _pixels(file, format) < least or not is_here():
            return None
        file.seek(0)
        image = _opened(path)
        fields = image.get_fields()
        exif, xmp = (
            image.get(f"{name}-data") if f"{name}-data" in fields else b""
            for name in ("exif", "xmp")
        )
        encoding, orientation = None, orientation_of(exif, xmp)
        if format == "PNG":
            encoding, orientation = about_png(file)
        elif format == "TIFF":
            page = shown_page(file)
            orientation = page.one(tiff.ORIENTATION, 1)
            # A thumbnail may come first, and alpha be multiplied into the colours.
            if (page.one(tiff.WIDTH), page.one(tiff.HEIGHT)) != (image.width, image.height):
                return None
            if page.one(tiff.PHOTOMETRIC) not in _PLAIN or page.all(tiff.EXTRA, (2,)) != (2,):
                return None
        plain = image.interpretation in ("srgb", "b-w", "rgb16", "grey16")
        if plain and orientation == 1 and image.format in ("uchar", "ushort") and image.bands <= 4:
            return Streamed(path, image, encoding)
    return None


def _pixels(file: BinaryIO, format: str) -> int:
    if format == "TIFF":
        page = shown_page(file)
        return int(page.one(tiff.WIDTH) * page.one(tiff.HEIGHT))
    plugin = PngImagePlugin.PngImageFile if format == "PNG" else JpegImagePlugin.JpegImageFile
    width, height = plugin(file).size
    return width * height


def _opened(path: Path) -> Any:
    return pyvips().Image.new_from_file(str(path), access="sequential", fail_on="truncated")


class RowWriter:
    """A picture that is written from its top, through a scratch file beside it.

    That is a PNG without compression, which libvips reads row by row; a file of bytes alone it
    would map into memory whole.
    """

    def __init__(self, path: Path, width: int, height: int, bands: int) -> None:
        self._path = path
        self._size = width, height, bands
        self._raw = path.with_name(f".{uuid.uuid4().hex}.tmp")
        self._file = self._raw.open("xb")
        self._stored = zlib.compressobj(0)
        kind = 6 if bands == 4 else 2  # RGBA or RGB
        self._file.write(b"\x89PNG\r\n\x1a\n")
        self._file.write(chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)))

    def write(self, rows: npt.NDArray[np.uint8]) -> None:
        for start in range(0, len(rows), 64):
            part = rows[start : start + 64].reshape(min(64, len(rows) - start), -1)
            filtered = np.zeros((len(part), 1 + part.shape[1]), np.uint8)
            filtered[:, 1:] = part
            self._file.write(chunk(b"IDAT", self._stored.compress(filtered.data)))

    def finish(self, quality: int, *, pyramid: bool) -> None:
        """Make the picture; it appears whole or not at all, and replaces an old one only then."""
        self._file.write(chunk(b"IDAT", self._stored.flush()) + chunk(b"IEND", b""))
        self._file.close()
        width, height, bands = self._size
        image = pyvips().Image.pngload(str(self._raw), access="sequential", fail_on="truncated")
        suffix = self._path.suffix.lower()
        if bands == 4 and suffix in (".jpg", ".jpeg"):
            image = image.flatten(background=[255] * 3)
        scratch = self._path.with_name(f".{uuid.uuid4().hex}{suffix}")
        try:
            if suffix == DEEP_ZOOM:
                self._deep_zoom(image, scratch, quality)
                return
            if suffix in (".jpg", ".jpeg"):
                subsampling = "off" if quality >= 90 else "on"
                image.jpegsave(str(scratch), Q=quality, subsample_mode=subsampling)
            elif suffix == ".png":
                image.pngsave(str(scratch))
            else:
                big = width * height * bands > _LARGEST_TIFF
                deflate = {"compression": "deflate", "predictor": "horizontal"}
                image.tiffsave(str(scratch), tile=True, pyramid=pyramid, bigtiff=big, **deflate)
            os.replace(scratch, self._path)
        finally:
            scratch.unlink(missing_ok=True)

    def _deep_zoom(self, image: Any, scratch: Path, quality: int) -> None:
        """``NAME.dzi`` and the folder ``NAME_files``, as viewers expect them."""
        tiles = ".png" if image.bands == 4 else f".jpg[Q={quality}]"
        base = scratch.with_suffix("")
        made, wanted = (f.with_name(f"{f.stem}_files") for f in (scratch, self._path))
        try:
            image.dzsave(str(base), suffix=tiles)
            shutil.rmtree(wanted, ignore_errors=True)
            os.replace(made, wanted)
            os.replace(scratch, self._path)
        finally:
            shutil.rmtree(made, ignore_errors=True)

    def close(self) -> None:
        """Leave nothing behind but what is finished."""
        self._file.close()
        self._raw.unlink(missing_ok=True)


@contextmanager
def writing(path: Path, width: int, height: int, bands: int) -> Iterator[RowWriter]:
    """A RowWriter whose failures name the file."""
    with failing(str(path), "a picture that cannot be written", "a writable place with room"):
        writer = RowWriter(path, width, height, bands)
        try:
            yield writer
        finally:
            writer.close()


def check_suffix(path: Path, *, pyramid: bool) -> None:
    """Raise AdaINError where a picture cannot be written row by row under this name."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise found_error(str(path), f"the suffix {suffix!r}", " ".join(SUFFIXES))
    if pyramid and suffix not in (".tif", ".tiff"):
        raise found_error(str(path), f"a pyramid in {suffix!r}", ".tif or .tiff")
