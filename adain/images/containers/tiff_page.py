"""A page of a TIFF: its tags and pieces, and a file of it alone to hand to Pillow.

A TIFF may hold thumbnails, masks and further pages, and tags that no viewer looks at; Pillow warns
or fails where one is damaged. Its own reader is given a new, small file instead.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from adain.errors import found_error

SUBFILE, OLD_SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = (*range(254, 260), 262)
FILL_ORDER, STRIP_OFFSETS, ORIENTATION, SAMPLES, ROWS, STRIP_COUNTS = 266, 273, 274, 277, 278, 279
PLANAR, PREDICTOR, COLOURS, TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS = 284, 317, 320, 322, 323, 324
TILE_COUNTS, INKS, EXTRA, FORMAT, PROFILE = 325, 332, 338, 339, 34675
# Beside these: of CCITT's, of JPEG's and of YCbCr's.
_READ = {SUBFILE, OLD_SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER, SAMPLES}
_READ |= {STRIP_OFFSETS, ORIENTATION, ROWS, STRIP_COUNTS, PLANAR, PREDICTOR, COLOURS, TILE_WIDTH}
_READ |= {TILE_HEIGHT, TILE_OFFSETS, TILE_COUNTS, INKS, EXTRA, FORMAT, PROFILE}
_READ |= {292, 293, 347, *range(512, 522), 529, 530, 531, 532}
_NOT_COPIED = {SUBFILE, OLD_SUBFILE, ORIENTATION, PROFILE, STRIP_OFFSETS, STRIP_COUNTS}
_NOT_COPIED |= {TILE_OFFSETS, TILE_COUNTS}
# Of which there is one value, whatever a damaged count says.
_SINGLE = {SUBFILE, OLD_SUBFILE, WIDTH, HEIGHT, COMPRESSION, PHOTOMETRIC, FILL_ORDER, ORIENTATION}
_SINGLE |= {SAMPLES, ROWS, PLANAR, PREDICTOR, TILE_WIDTH, TILE_HEIGHT, INKS, 292, 293, 531}
_KINDS = {1: "B", 2: "s", 3: "H", 4: "I", 5: "2I", 6: "b", 7: "s", 8: "h", 9: "i", 10: "2i"}
_KINDS |= {11: "f", 12: "d", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_MOST_PAGES = 1000
_MOST_VALUES = 10_000_000


@dataclass(frozen=True)
class Page:
    """The tags of a page, each its type and values, and the pieces that its samples lie in."""

    order: str  # "<" or ">"
    tags: dict[int, tuple[int, tuple[Any, ...]]]

    def all(self, tag: int, default: tuple[Any, ...] = ()) -> tuple[Any, ...]:
        return self.tags[tag][1] if tag in self.tags else default

    def one(self, tag: int, default: int | None = None) -> int:
        """Its first value; ValueError where there is none, and no default."""
        values = self.all(tag)
        if values and isinstance(values[0], int):
            return values[0]
        if default is None:
            raise ValueError(f"no tag {tag}")
        return default

    def bytes(self, tag: int) -> bytes:
        """The content of a tag of bytes, which writers declare as such or as undefined."""
        kind, values = self.tags.get(tag, (7, ()))
        return b"".join(values) if kind == 7 else bytes(values) if kind == 1 else b""

    @property
    def tiled(self) -> bool:
        return TILE_OFFSETS in self.tags or TILE_WIDTH in self.tags

    @property
    def piece_size(self) -> tuple[int, int]:
        """Width and height of a tile, or of a strip."""
        width, height = self.one(WIDTH), self.one(HEIGHT)
        if self.tiled:
            size = self.one(TILE_WIDTH), self.one(TILE_HEIGHT)
        else:
            size = width, min(self.one(ROWS, height), height)
        if min(*size, width, height) < 1:
            raise ValueError("a side of 0")
        return size

    @property
    def grid(self) -> tuple[int, int]:
        """How many pieces lie side by side, and how many below one another."""
        width, height = self.piece_size
        return -(-self.one(WIDTH) // width), -(-self.one(HEIGHT) // height)


def built(
    order: str, tags: Mapping[int, tuple[int, tuple[Any, ...]]], pieces: Sequence[bytes]
) -> bytes:
    """A TIFF of one page with these tags, but for where its pieces lie, and with these pieces."""
    tags = {tag: value for tag, value in tags.items() if tag not in _NOT_COPIED}
    tiled = TILE_WIDTH in tags
    offsets, counts = (TILE_OFFSETS, TILE_COUNTS) if tiled else (STRIP_OFFSETS, STRIP_COUNTS)
    tags[counts] = 4, tuple(map(len, pieces))
    tags[offsets] = 4, (0,) * len(pieces)
    start = 8 + 2 + 12 * len(tags) + 4
    body = start + sum(_padded(len(_packed(order, *value))) for value in tags.values())
    places = []
    for piece in pieces:
        places.append(body)
        body += len(piece)
    tags[offsets] = 4, tuple(places)
    entries, values = b"", b""
    for tag, (kind, content) in sorted(tags.items()):
        data = _packed(order, kind, content)
        count = len(data) // struct.calcsize(f"{order}{_KINDS[kind]}")
        entries += struct.pack(f"{order}HHI", tag, kind, count)
        if len(data) <= 4:
            entries += data.ljust(4, b"\0")
            data = b""
        else:
            entries += struct.pack(f"{order}I", start + len(values))
        values += data.ljust(_padded(len(data)), b"\0")
    values = values.ljust(places[0] - start if places else 0, b"\0")
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8)
    table = struct.pack(f"{order}H", len(tags)) + entries + b"\0" * 4
    return b"".join((head, table, values, *pieces))


def _padded(size: int) -> int:
    return size + size % 2


def _packed(order: str, kind: int, values: tuple[Any, ...]) -> bytes:
    if kind in (2, 7):
        return b"".join(values)
    return struct.pack(f"{order}{len(values)}{_KINDS[kind][-1]}", *values)


def shown_page(stream: BinaryIO) -> Page:
    """The first page that is neither a reduced copy of another nor a mask, else the largest."""
    order = {b"II": "<", b"MM": ">"}[stream.read(2)]
    (version,) = struct.unpack(f"{order}H", stream.read(2))
    big = version == 43
    if big:
        stream.read(4)
    (place,) = struct.unpack(f"{order}{'Q' if big else 'I'}", stream.read(8 if big else 4))
    pages: list[Page] = []
    seen: set[int] = set()
    while place and place not in seen and len(pages) < _MOST_PAGES:
        seen.add(place)
        try:
            page, place = _page(stream, order, place, big=big)
        except (struct.error, OverflowError):
            break  # of further pages; without any it is broken
        reduced_or_mask = page.one(SUBFILE, 0) & 5 or page.one(OLD_SUBFILE, 1) == 2
        pages.append(page)
        if not reduced_or_mask:
            return page
    if not pages:
        raise ValueError("no page")
    return max(pages, key=lambda page: page.one(WIDTH, 0) * page.one(HEIGHT, 0))


def _page(stream: BinaryIO, order: str, place: int, *, big: bool) -> tuple[Page, int]:
    stream.seek(place)
    (entries,) = struct.unpack(f"{order}{'Q' if big else 'H'}", stream.read(8 if big else 2))
    if entries > 65535:
        raise ValueError(f"{entries} tags")
    size, inline = (20, 8) if big else (12, 4)
    table = stream.read(entries * size)
    (following,) = struct.unpack(
        f"{order}{'Q' if big else 'I'}", stream.read(inline).ljust(inline, b"\0")
    )
    tags = {}
    for start in range(0, len(table) - size + 1, size):
        tag, kind, count = struct.unpack_from(f"{order}HH{'Q' if big else 'I'}", table, start)
        if tag not in _READ or kind not in _KINDS or not 0 < count <= _MOST_VALUES:
            continue
        form = _KINDS[kind]
        length = struct.calcsize(f"{order}{form}") * count
        data = table[start + size - inline : start + size]
        if length > inline:
            stream.seek(struct.unpack(f"{order}{'Q' if big else 'I'}", data)[0])
            data = stream.read(length)
        if len(data) < length:
            continue
        if form == "s":
            tags[tag] = kind, (data[:length],)
        else:
            number = count * (2 if len(form) > 1 else 1)
            values = struct.unpack_from(f"{order}{number}{form[-1]}", data)
            values = values[:1] if tag in _SINGLE else values
            tags[tag] = 4 if kind > 12 else kind, values
    return Page(order, tags), following


def pieces_of(stream: BinaryIO, page: Page) -> list[bytes]:
    """The strips or tiles as they are stored; ValueError where one is missing."""
    across, down = page.grid
    planes = page.one(SAMPLES, 1) if page.one(PLANAR, 1) == 2 else 1
    wanted = across * down * planes
    offsets = page.all(TILE_OFFSETS if page.tiled else STRIP_OFFSETS)
    counts = page.all(TILE_COUNTS if page.tiled else STRIP_COUNTS)
    size = stream.seek(0, io.SEEK_END)
    if not 0 < wanted <= len(offsets):
        raise ValueError(f"{len(offsets)} pieces of {wanted}")
    if len(counts) < wanted:  # as some old writers left out: each goes to the next
        ends = [*sorted(offsets), size]
        counts = tuple(next((e for e in ends if e > offset), size) - offset for offset in offsets)
    offsets, counts = offsets[:wanted], counts[:wanted]
    if sum(counts) > size:
        raise ValueError("pieces that lie in one another")
    pieces = []
    for offset, count in zip(offsets, counts, strict=True):
        stream.seek(offset)
        pieces.append(stream.read(count))
    return pieces


def unread(name: str, what: str) -> Exception:
    """The error for a sound file of a layout that is not read."""
    allowed = "one of gray, RGB, CMYK, YCbCr or L*a*b*, of whole numbers or floats"
    return found_error(name, f"a TIFF of {what}", allowed)
