"""The orientation in EXIF and XMP."""

import re
import struct

_TAG = 0x0112
_INTEGERS = {1: "B", 3: "H", 4: "I"}


def orientation_of(exif: bytes, xmp: bytes = b"") -> int:
    """1 to 8 as EXIF has them; 1, as stored, where there is none or the block is broken."""
    found = re.search(rb"""tiff:Orientation\s*(?:=\s*["']|>)\s*([1-8])\b""", xmp)
    try:
        return _in_exif(exif) or (int(found[1]) if found else 1)
    except (struct.error, KeyError):
        return 1


def _in_exif(exif: bytes) -> int:
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return 0
    (start,) = struct.unpack_from(f"{order}I", exif, 4)
    (entries,) = struct.unpack_from(f"{order}H", exif, start)
    for number in range(entries):
        place = start + 2 + 12 * number
        tag, kind, count = struct.unpack_from(f"{order}HHI", exif, place)
        if tag == _TAG and count == 1:
            (value,) = struct.unpack_from(order + _INTEGERS[kind], exif, place + 8)
            return int(value) if 1 <= value <= 8 else 0
    return 0
