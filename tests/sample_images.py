"""Images drawn on the spot, in every mode and orientation, and what they are known by."""

import base64
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from adain.errors import AdaINError
from adain.images.picture import Picture

BLOCK = 16  # a multiple of the JPEG block with 4:2:0, so that colours do not run into each other


BLOCKS = np.array(
    [
        [(255, 0, 0), (0, 255, 0), (255, 255, 255)],
        [(0, 0, 255), (0, 0, 0), (255, 255, 0)],
    ],
    np.uint8,
)


OPACITY = np.array([[255, 128, 255], [64, 255, 192]], np.uint8)


BLUE = (0, 0, 255)


# The EXIF standard's own words: the visual side that the stored first row and first column are.
SIDES = {
    1: ("top", "left"),
    2: ("top", "right"),
    3: ("bottom", "right"),
    4: ("bottom", "left"),
    5: ("left", "top"),
    6: ("right", "top"),
    7: ("right", "bottom"),
    8: ("left", "bottom"),
}


def enlarged(blocks: np.ndarray) -> np.ndarray:
    return blocks.repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)


def drawing(mode: str = "RGB") -> Image.Image:
    """48 x 32 pixels, six blocks, no two orientations alike in any mode."""
    if mode == "RGBA":
        return Image.fromarray(enlarged(np.dstack([BLOCKS, OPACITY])))
    return Image.fromarray(enlarged(BLOCKS)).convert(mode)


def stored(image: np.ndarray, orientation: int) -> np.ndarray:
    """The pixels of a camera that was held so that `orientation` makes them upright."""
    row, column = SIDES[orientation]
    if row in ("left", "right"):
        image = image.swapaxes(0, 1)
    if row in ("bottom", "right"):
        image = image[::-1]
    if column in ("bottom", "right"):
        image = image[:, ::-1]
    return np.ascontiguousarray(image)


def exif(orientation: int) -> bytes:
    block = Image.Exif()
    block[0x0112] = orientation
    return block.tobytes()


def means(array: np.ndarray) -> np.ndarray:
    """The mean of the interior of each block."""
    height, width = array.shape[0] // BLOCK, array.shape[1] // BLOCK
    cut = array.reshape(height, BLOCK, width, BLOCK, -1)[:, 4:12, :, 4:12]
    return cut.mean(axis=(1, 3))


def refused(call, *words: str) -> None:
    with pytest.raises(AdaINError) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message and message.isprintable() and len(message) < 700
    for word in ("found ", "; allowed: ", *words):
        assert word in message, f"{word!r} is not in {message!r}"


def encoded(image: Image.Image, format: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


GREY = np.asarray(drawing("L"))[BLOCK // 2 :: BLOCK, BLOCK // 2 :: BLOCK]


BINARY = np.where(GREY >= 128, 255, 0)


KEYED = np.where((BLOCKS == BLUE).all(axis=-1), 0, 255)


def in_memory(mode: str, orientation: int) -> tuple[Image.Image, np.ndarray, np.ndarray | None]:
    """A stored image in `mode`, and the colours and opacity it has when upright."""
    rgba = Image.fromarray(stored(np.asarray(drawing("RGBA")), orientation))
    rgb = rgba.convert("RGB")
    grey = stored(np.asarray(drawing("L")), orientation)
    size = rgb.size
    if mode == "1":
        return rgb.convert("L").convert("1", dither=Image.Dither.NONE), BINARY, None
    if mode == "L":
        return Image.fromarray(grey), GREY, None
    if mode in ("LA", "La"):
        image = Image.merge("LA", (Image.fromarray(grey), rgba.getchannel("A")))
        return image if mode == "LA" else image.convert("La"), GREY, OPACITY
    if mode in ("P", "P-index", "P-bytes", "PA", "P-rgba"):
        image = rgb.quantize(6)
        index = int(np.asarray(image)[(np.asarray(rgb) == BLUE).all(axis=-1)][0])
        if mode == "P":
            return image, BLOCKS, None
        if mode == "P-index":
            image.info["transparency"] = index
            return image, BLOCKS, KEYED
        if mode == "P-bytes":
            image.info["transparency"] = bytes(255 if i != index else 0 for i in range(6))
            return image, BLOCKS, KEYED
        if mode == "P-rgba":
            palette = image.getpalette("RGBA")[:24]
            palette[4 * index + 3] = 0
            image.putpalette(palette, "RGBA")
            return image, BLOCKS, KEYED
        image = image.convert("PA")
        image.putalpha(rgba.getchannel("A"))
        return image, BLOCKS, OPACITY
    if mode == "RGB-key":
        rgb.info["transparency"] = BLUE
        return rgb, BLOCKS, KEYED
    if mode == "L-key":
        image = Image.fromarray(grey)
        image.info["transparency"] = int(GREY[1, 0])
        return image, GREY, KEYED
    if mode in ("RGBA", "RGBa"):
        return rgba.convert(mode), BLOCKS, OPACITY
    if mode in ("I;16", "I;16L", "I;16N", "I;16B"):
        samples = (grey.astype(np.uint32) * 257).astype(">u2" if mode == "I;16B" else "<u2")
        return Image.frombytes(mode, size, samples.tobytes()), GREY, None
    if mode == "I":
        return Image.fromarray(grey.astype(np.int32) * 257), GREY, None
    if mode == "F":
        return Image.fromarray(grey.astype(np.float32) / 255), GREY, None
    return rgb.convert(mode), BLOCKS, None


def matches(
    picture: Picture, colours: np.ndarray, opacity: np.ndarray | None, tolerance: float
) -> None:
    assert (picture.height, picture.width) == (2 * BLOCK, 3 * BLOCK)
    assert picture.rgb.dtype == np.float32 and picture.rgb.flags.c_contiguous
    colours = colours if colours.ndim == 3 else colours[..., None]
    np.testing.assert_allclose(
        means(picture.rgb), np.broadcast_to(colours, (2, 3, 3)) / 255, atol=tolerance
    )
    if opacity is None:
        assert picture.alpha is None
    else:
        assert picture.alpha is not None and picture.alpha.dtype == np.float32
        np.testing.assert_allclose(means(picture.alpha)[..., 0], opacity / 255, atol=1e-6)


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *chunks) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            *(chunk(kind, data) for kind, data in chunks),
            chunk(b"IDAT", zlib.compress(rows)),
            chunk(b"IEND", b""),
        )
    )


def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped() -> bytes:
    """sRGB with red and green in each other's place."""
    profile = srgb()
    assert profile.count(b"rXYZ") == profile.count(b"gXYZ") == 1
    return profile.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")


def icc(space: bytes, pcs: bytes, tags: dict[bytes, bytes]) -> bytes:
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    header = bytearray(128)
    header[0:4] = struct.pack(">I", start + len(body))
    header[8:24] = b"\x02\x40\0\0" + b"prtr" + space + pcs
    header[36:40] = b"acsp"
    header[68:80] = struct.pack(">III", 0xF6D6, 0x10000, 0xD32D)
    return bytes(header) + table + body


def colorant(tag: bytes) -> slice:
    """Where in `srgb()` the data of a tag lies."""
    entry = srgb().index(tag, 128)
    start, size = struct.unpack(">II", srgb()[entry + 4 : entry + 12])
    return slice(start, start + size)


def rgb_profile(curve: bytes) -> bytes:
    """sRGB's primaries with a curve: the bytes of a tag of kind curv or para."""
    tags = {tag: srgb()[colorant(tag)] for tag in (b"wtpt", b"rXYZ", b"gXYZ", b"bXYZ")}
    return icc(b"RGB ", b"XYZ ", tags | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve))


def linear_rgb() -> bytes:
    return rgb_profile(b"curv" + bytes(8))


def painted_map(masks: np.ndarray, format: str = "PNG") -> str:
    """uint8 masks [h, w, 3] as programs send them to `/paint`."""
    buffer = io.BytesIO()
    Image.fromarray(masks).save(buffer, format)
    kind = "data:image/png;base64,"
    return kind + base64.b64encode(buffer.getvalue()).decode()
