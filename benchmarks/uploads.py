"""Pictures as hostile and as broken as they come: what a service must live through."""

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache

import numpy as np
from PIL import Image

from benchmarks.mutation import mutated

MAX_PIXELS = 300_000  # of a service that is sent these


@cache
def seeds() -> tuple[bytes, ...]:
    """Small sound files of many formats and modes."""
    rng = np.random.default_rng(0)
    colour = Image.fromarray(rng.integers(0, 256, (24, 32, 3), np.uint8))
    grey = colour.convert("L")
    with_alpha = colour.copy()
    with_alpha.putalpha(grey)
    exif = Image.Exif()
    exif[0x0112] = 6
    found = [
        encode(colour, "PNG"),
        encode(with_alpha, "PNG"),
        encode(colour.quantize(16), "PNG", transparency=3),
        encode(Image.fromarray(np.arange(768, dtype=np.uint16).reshape(24, 32)), "PNG"),
        encode(colour, "JPEG", exif=exif),
        encode(colour, "JPEG", progressive=True),
        encode(colour.convert("CMYK"), "JPEG"),
        encode(colour, "TIFF", compression="tiff_lzw"),
        encode(colour, "TIFF"),
        encode(colour, "BMP"),
        encode(colour.quantize(8), "GIF", save_all=True, append_images=[colour.quantize(4)]),
        encode(grey, "PPM"),
        encode(colour, "WEBP"),
        encode(with_alpha, "WEBP", save_all=True, append_images=[with_alpha.rotate(90)]),
    ]
    return tuple(found)


def encode(image: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def mutated_picture(seed: int) -> bytes:
    """A sound file made broken, perhaps mixed with another's bytes."""
    files = seeds()
    return mutated(files[seed % len(files)], seed, files)


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes) -> bytes:
    """A PNG that claims a size; grey, 8 bits."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IEND", b"")


def _strip() -> bytes:
    return png(50_000, 1, chunk(b"IDAT", zlib.compress(bytes(50_001))))


def _bomb() -> bytes:
    return png(30_000, 30_000, chunk(b"IDAT", zlib.compress(bytes(1_000_000))))


def _swollen() -> bytes:
    """A small picture with a text of 200 MB, packed a thousand times smaller."""
    text = zlib.compressobj(9)
    packed = b"".join(text.compress(bytes(1_000_000)) for _ in range(200)) + text.flush()
    lines = chunk(b"IDAT", zlib.compress(bytes(17 * 16)))
    return png(16, 16, chunk(b"zTXt", b"note\0\0" + packed), lines)


def _html_in_gif() -> bytes:
    data = encode(Image.new("P", (16, 16)), "GIF")
    return data[:-1] + b"<script>alert(1)</script>;"


def _zip_in_jpeg() -> bytes:
    return encode(Image.new("RGB", (16, 16)), "JPEG") + b"PK\x03\x04" + bytes(100)


def _svg() -> bytes:
    entity = '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    return (
        f'<?xml version="1.0"?>{entity}<svg xmlns="http://www.w3.org/2000/svg">&x;</svg>'.encode()
    )


def _animation() -> bytes:
    frames = [Image.new("RGB", (40, 30), (value, 0, 0)) for value in range(0, 250, 5)]
    return encode(frames[0], "WEBP", save_all=True, append_images=frames[1:])


def _truncated() -> bytes:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    return encode(Image.fromarray(noise), "JPEG")[:1500]


def _postscript() -> bytes:
    return b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n(%pipe%id) (w) file\n"


def huge_tile(side: int = 25_600) -> bytes:
    """A TIFF of 16 x 16 pixels in one tile of ``side`` x ``side``, which is decoded whole."""
    data = zlib.compress(bytes(16))
    fields = [
        (256, 16),  # width
        (257, 16),  # height
        (258, 8),  # bits
        (259, 8),  # deflate
        (262, 1),  # gray, black is 0
        (277, 1),  # samples
        (322, side),  # of a tile
        (323, side),
        (324, 8),  # offset
        (325, len(data)),
    ]
    rows = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in fields)
    data += bytes(len(data) % 2)
    head = b"II*\0" + struct.pack("<I", 8 + len(data))
    return head + data + struct.pack("<H", len(fields)) + rows + bytes(4)


def many_scans(count: int, side: int = 2000) -> bytes:
    """A progressive JPEG that refines its picture ``count`` times: a few bytes and a pass each."""
    data = encode(Image.new("L", (side, side), 90), "JPEG", progressive=True)
    start = data.rfind(b"\xff\xc4", 0, data.rindex(b"\xff\xda"))  # the last scan and its table
    scan = data[start:-2]
    return data[:start] + scan * count + data[-2:]


def deep_gray_with_alpha(side: int = 6300) -> bytes:
    """A PNG of 16-bit gray with alpha, all the same and so of a few KB."""
    line = b"\0" + bytes(4 * side)
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(line) for _ in range(side)) + packer.flush()
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 16, 4, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


# What each must be answered with.
HOSTILE: dict[str, tuple[Callable[[], bytes], int]] = {
    "nothing": (lambda: b"", 400),
    "text": (lambda: b"Buy more turpentine.\n" * 20, 400),
    "decompression bomb": (_bomb, 400),
    "size without pixels": (lambda: png(400, 300), 400),
    "no size": (lambda: png(0, 0), 400),
    "strip": (_strip, 200),
    "swollen text": (_swollen, 200),
    "html in a gif": (_html_in_gif, 200),
    "zip in a jpeg": (_zip_in_jpeg, 200),
    "svg": (_svg, 400),
    "animation": (_animation, 200),
    "truncated": (_truncated, 400),
    "postscript": (_postscript, 400),
    "huge tile": (huge_tile, 400),
}
