"""GIF: its first frame, which is all that Pillow is given."""

from __future__ import annotations

import io
import re
import struct
from typing import BinaryIO

from PIL import GifImagePlugin

from adain.images.containers.opened import Opened

_EXTENSION, _FRAME, _END = b"!,;"
_CONTROL = 0xF9
# What is none of these between blocks is skipped, as decoders do.
_BLOCK = re.compile(rb"[!,;]")


def open_gif(stream: BinaryIO) -> Opened:
    """A GIF from its start; raises what Pillow does, or IndexError, where the file is broken.

    Pillow by itself warns of a frame larger than the canvas, and makes room for what is to replace
    a frame, before anybody has looked at the size.
    """
    data = stream.read()
    place = 13 + _palette_size(data[10])
    tables, key = data[13:place], b""
    while (found := _BLOCK.search(data, place)) and data[found.start()] == _EXTENSION:
        place = found.start() + 2
        body = data[place + 1 : place + 1 + data[place]]
        if data[place - 1] == _CONTROL and len(body) >= 4 and body[0] & 1:
            key = b"!\xf9\4" + bytes((1, 0, 0, body[3], 0))
        place = _end_of_blocks(data, place)
    if found is None or data[found.start()] == _END:
        raise EOFError("no frame")
    start = found.start()
    left, top, width, height, flags = struct.unpack_from("<4HB", data, start + 1)
    right, bottom = left + width, top + height
    canvas = struct.unpack_from("<2H", data, 6)
    # A frame may reach beyond its canvas, and cover a part of it, around which nothing is.
    size = max(canvas[0], right), max(canvas[1], bottom)
    if max(size) > 0xFFFF:
        raise ValueError("a frame that ends where no canvas does")
    frame = data[start : _end_of_blocks(data, start + 11 + _palette_size(flags))]
    head = data[:6] + struct.pack("<2H", *size) + data[10:13]
    image = GifImagePlugin.GifImageFile(io.BytesIO(b"".join((head, tables, key, frame, b";"))))
    return Opened(image.size, image, frame=(left, top, right, bottom))


def _palette_size(flags: int) -> int:
    return 3 << (flags % 8 + 1) if flags & 128 else 0


def _end_of_blocks(data: bytes, place: int) -> int:
    """Where the blocks of data that begin here end, each after its length, the last empty."""
    while place < len(data) and data[place]:
        place += 1 + data[place]
    return place + 1
