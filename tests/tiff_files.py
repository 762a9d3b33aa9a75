"""TIFF files of layouts that Pillow does not write."""

import struct
import zlib

import numpy as np

KINDS = {"H": 3, "I": 4, "B": 1}


def directory(tags: dict[int, tuple[str, tuple[int, ...]]], place: int, following: int) -> bytes:
    """The bytes of an IFD that lies at `place`, values after it."""
    start, entries, values = place + 2 + 12 * len(tags) + 4, b"", b""
    for tag, (kind, numbers) in sorted(tags.items()):
        data = struct.pack(f"<{len(numbers)}{kind}", *numbers)
        entries += struct.pack("<HHI", tag, KINDS[kind], len(numbers))
        if len(data) <= 4:
            entries += data.ljust(4, b"\0")
        else:
            entries += struct.pack("<I", start + len(values))
            values += data
    return struct.pack("<H", len(tags)) + entries + struct.pack("<I", following) + values


def tiff(*pages: tuple[list[bytes], dict[int, tuple[str, tuple[int, ...]]]]) -> bytes:
    """A file of pages, each of its strips and its tags but for where the strips lie."""
    file = b"II*\0"
    body, places = b"", []
    for strips, _ in pages:
        offsets = []
        for strip in strips:
            offsets.append(8 + len(body))
            body += strip
        places.append(offsets)
    file += struct.pack("<I", 8 + len(body)) + body
    for number, ((strips, tags), offsets) in enumerate(zip(pages, places, strict=True)):
        tags = tags | {273: ("I", tuple(offsets)), 279: ("I", tuple(map(len, strips)))}
        place = len(file)
        length = len(directory(tags, place, 0))
        following = place + length if number + 1 < len(pages) else 0
        file += directory(tags, place, following)
    return file


def page(
    values: np.ndarray,
    photometric: int,
    *,
    planar: bool = False,
    extra: tuple[int, ...] = (),
    deflated: bool = False,
    more: dict[int, tuple[str, tuple[int, ...]]] | None = None,
) -> tuple[list[bytes], dict[int, tuple[str, tuple[int, ...]]]]:
    """A page of an array [H, W, C], in one strip or one for each plane."""
    height, width, count = values.shape
    parts = [values[..., i] for i in range(count)] if planar else [values]
    strips = [np.ascontiguousarray(part).tobytes() for part in parts]
    tags: dict[int, tuple[str, tuple[int, ...]]] = {
        256: ("I", (width,)),
        257: ("I", (height,)),
        258: ("H", (8 * values.itemsize,) * count),
        259: ("H", (8 if deflated else 1,)),
        262: ("H", (photometric,)),
        277: ("H", (count,)),
        278: ("I", (height,)),
        284: ("H", (2 if planar else 1,)),
        339: ("H", ({"u": 1, "i": 2, "f": 3}[values.dtype.kind],) * count),
    }
    if extra:
        tags[338] = "H", extra
    return [zlib.compress(s) for s in strips] if deflated else strips, tags | (more or {})
