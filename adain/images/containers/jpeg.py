"""JPEG: its segments, of which Pillow is given those that make the pixels and their colours."""

from __future__ import annotations

import io
import re
import struct
from functools import partial
from typing import BinaryIO

from PIL import ImageFile, JpegImagePlugin

from adain.errors import AdaINError, found_error
from adain.images.containers.exif import orientation_of
from adain.images.containers.opened import Opened

_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_SOS, _EOI = 0xDA, 0xD9
_STARTS = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
# Frames, tables and restarts, and whether the colours are inverted.
_DECODED = {*range(0xC0, 0xD0), *range(0xDB, 0xE0), _APP14} - {0xC8}
_PROGRESSIVE = {0xC2, 0xCA}
_UNREAD = {0xC3: "lossless", **dict.fromkeys((0xC5, 0xC6, 0xC7), "hierarchical")}
_UNREAD |= {0xCB: "lossless", **dict.fromkeys((0xCD, 0xCE, 0xCF), "hierarchical")}
# Each scan of a progressive image goes over all of it. Encoders write a dozen; thousands are meant
# to keep a decoder busy.
_MOST_SCANS = 500
# What follows on junk, padding, escaped bytes and restarts, which decoders skip between segments.
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
_PLAIN_APP0 = b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"


def open_jpeg(stream: BinaryIO, name: str) -> Opened:
    """A JPEG from its start; raises AdaINError, or what Pillow does, where it cannot be decoded."""
    data = stream.read()
    kept, exif, xmp, coefficients, start = [b"\xff\xd8"], b"", b"", 0, 2
    progressive = False
    while (found := _MARKER.search(data, start)) and found.end() + 2 <= len(data):
        start, marker = found.start(), data[found.start() + 1]
        if marker in (_SOS, _EOI):
            break
        (size,) = struct.unpack_from(">H", data, start + 2)
        end = start + 2 + max(2, size)
        body = data[start + 4 : end]
        if marker == _APP0:
            # Whether it is JFIF tells the colours; its density is no part of them.
            kept += [_PLAIN_APP0] if body[:5] == b"JFIF\0" else []
        elif marker == _APP1:
            exif = exif or (body if body[:6] == b"Exif\0\0" else b"")
            xmp = xmp or (body if body[:28] == b"http://ns.adobe.com/xap/1.0/" else b"")
        elif marker in _DECODED or (marker == _APP2 and body[:11] == b"ICC_PROFILE"):
            kept.append(data[start:end])
        if marker in _STARTS:
            coefficients = _check_frame(name, marker, body)
            progressive = marker in _PROGRESSIVE
        start = end
    # An end before any scan ends the file: Pillow looks for more segments behind it.
    rest = memoryview(data)[start : start + 2 if data[start : start + 2] == b"\xff\xd9" else None]
    if progressive and (scans := data.count(b"\xff\xda", start)) > _MOST_SCANS:
        raise found_error(name, f"a JPEG of {scans:,} scans", f"at most {_MOST_SCANS}")
    head = b"".join(kept)

    def opened(tail: bytes = b"") -> ImageFile.ImageFile:
        # What a cut may have left of the marker at the end goes.
        body = bytes(rest).rstrip(b"\xff") if tail else rest
        return JpegImagePlugin.JpegImageFile(io.BytesIO(b"".join((head, body, tail))))

    # Two ends that differ in the bits a decoder would take for pixels, where pixels are missing.
    tails = (b"\xff\xd9", b"\x5a\xa5" * 2000 + b"\xff\xd9")
    image = opened()
    return Opened(
        image.size,
        image,
        orientation_of(exif, xmp),
        coded_bytes=coefficients if progressive else 0,
        mends=[partial(opened, tail) for tail in tails],
    )


def _check_frame(name: str, marker: int, body: bytes) -> int:
    """The bytes of a frame's coefficients; AdaINError for a kind that is not read."""
    allowed = "one of 8 bits, baseline or progressive"
    if marker in _UNREAD:
        raise found_error(name, f"a {_UNREAD[marker]} JPEG", allowed)
    try:
        depth, height, width, components = struct.unpack_from(">BHHB", body)
        factors = [divmod(body[6 + 3 * i + 1], 16) for i in range(components)]
        if depth != 8:
            raise found_error(name, f"a JPEG of {depth} bits", allowed)
        shares = sum(h * v for h, v in factors)
        most = max(h for h, _ in factors) * max(v for _, v in factors)
        return int(2 * width * height * shares // most)
    except AdaINError:
        raise
    except (struct.error, LookupError, ValueError, ZeroDivisionError):
        return 0  # what is broken is said by Pillow
