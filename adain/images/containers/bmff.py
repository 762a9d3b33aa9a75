"""AVIF and HEIF: the boxes that say what colours are meant, and which of the two it is."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO

import numpy as np
from PIL import ImageFile

from adain.errors import found_error
from adain.images.colorimetry import Encoding, from_code_points
from adain.images.containers.exif import orientation_of
from adain.images.containers.opened import Opened, Samples

_AVIF, _HEIF = {b"avif", b"avis"}, {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}
_ANY = {b"mif1", b"msf1", b"miaf"}  # says that it is an image, not of which codec


def codec_of(prefix: bytes) -> str | None:
    """AVIF or HEIC, by the brands among the first 64 bytes of a file; None for others."""
    if prefix[4:8] != b"ftyp":
        return None
    size = int.from_bytes(prefix[:4], "big")
    major, others = prefix[8:12], prefix[16 : max(16, size)]
    brands = [major, *(others[i : i + 4] for i in range(0, len(others), 4))]
    if not {major} <= _AVIF | _HEIF | _ANY:
        return None
    return "AVIF" if _AVIF & set(brands) and major not in _HEIF else "HEIC"


def open_avif(stream: BinaryIO, factory: Any) -> Opened:
    """An AVIF by Pillow's decoder, at 8 bits."""
    data = stream.read()
    encoding = _encoding(data)
    # Its orientation is in boxes of its own, by which EXIF's does not count; and a broken EXIF
    # would be warned of. So the item that holds it is called something else.
    meta = _meta(data)
    hidden = data[: meta.start] + data[meta].replace(b"Exif", b"none") + data[meta.stop :]
    image: ImageFile.ImageFile = factory(io.BytesIO(hidden), "")
    block = image.info.pop("exif", b"")
    return Opened(image.size, image, orientation_of(block), encoding)


def open_heif(stream: BinaryIO, name: str) -> Opened:
    """A HEIC by the extra ``heif``; AdaINError where that is not installed."""
    try:
        import pillow_heif
    except ImportError as error:
        allowed = "a JPEG, or this one with what `pip install 'adain[heif]'` brings"
        raise found_error(name, "a HEIC image", allowed) from error
    data = stream.read()
    file = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
    return Opened(file.size, encoding=_encoding(data), samples=lambda: _samples(file))


def _samples(file: Any) -> Samples:
    values = np.asarray(file)
    values = values[..., None] if values.ndim == 2 else values
    channels = values.shape[2]
    alpha = values[..., -1] if channels in (2, 4) else None
    space: Any = "RGB" if channels >= 3 else "L"
    associated = bool(getattr(file, "premultiplied_alpha", False))
    profile = file.info.get("icc_profile")
    return Samples(
        values[..., : channels - (channels in (2, 4))], space, alpha, associated, profile
    )


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The boxes that lie in a stretch: their kind, and where their bodies start and end."""
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        body = start + 8
        if size == 1 and body + 8 <= end:
            (size,) = struct.unpack_from(">Q", data, body)
            body += 8
        stop = end if size == 0 else min(start + size, end)
        if stop < body:
            return
        yield kind, body, stop
        start = stop


def _meta(data: bytes) -> slice:
    found = next(((b, e) for kind, b, e in _boxes(data, 0, len(data)) if kind == b"meta"), (0, 0))
    return slice(*found)


def _encoding(data: bytes) -> Encoding | None:
    """What the nclx box of the primary image says; None where there is none or an ICC profile."""
    with suppress(struct.error, ValueError, LookupError, np.linalg.LinAlgError):
        meta = _meta(data)
        inner = {kind: (b, e) for kind, b, e in _boxes(data, meta.start + 4, meta.stop)}
        (primary,) = struct.unpack_from(
            ">I" if data[inner[b"pitm"][0]] else ">H", data, inner[b"pitm"][0] + 4
        )
        parts = {kind: (b, e) for kind, b, e in _boxes(data, *inner[b"iprp"])}
        properties = list(_boxes(data, *parts[b"ipco"]))
        wanted = _associated(data, parts[b"ipma"][0], primary)
        colours = [
            data[b:e]
            for n, (kind, b, e) in enumerate(properties, 1)
            if kind == b"colr" and n in wanted
        ]
        if not any(colour[:4] in (b"prof", b"rICC") for colour in colours):
            for colour in colours:
                if colour[:4] == b"nclx":
                    primaries, transfer, _ = struct.unpack_from(">3H", colour, 4)
                    encoding = from_code_points(primaries, transfer)
                    return None if encoding.is_srgb else encoding
    return None


def _associated(data: bytes, start: int, item: int) -> set[int]:
    """The numbers of an item's properties, from the box ipma."""
    version, flags = data[start], int.from_bytes(data[start + 1 : start + 4], "big")
    (entries,) = struct.unpack_from(">I", data, start + 4)
    place = start + 8
    for _ in range(entries):
        (number,) = struct.unpack_from(">I" if version else ">H", data, place)
        place += 4 if version else 2
        count, width = data[place], 2 if flags & 1 else 1
        place += 1
        found = struct.unpack_from(f">{count}{'H' if width == 2 else 'B'}", data, place)
        place += count * width
        if number == item:
            return {value & (0x7FFF if width == 2 else 0x7F) for value in found}
    return set()
