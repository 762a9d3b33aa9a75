"""Every way an image comes in and goes out, on real files drawn here."""

import io
import os
import resource
import stat
import struct
import tempfile
import threading
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from adain.errors import AdaINError
from adain.images import FORMATS, MAX_PIXELS, encode_image, load_image, save_image
from adain.images.picture import MAX_SIDE, Picture

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


# 8-bit LAB and HSV tell saturated colours apart in steps this coarse.
TOLERANCE = {"YCbCr": 0.02, "LAB": 0.09, "HSV": 0.015, "La": 0.01, "RGBa": 0.01}
GREYS = ["1", "L", "L-key", "LA", "La", "I", "I;16", "I;16L", "I;16B", "I;16N", "F"]
PALETTES = ["P", "P-index", "P-bytes", "P-rgba", "PA"]
COLOURS = ["RGB", "RGB-key", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV"]
IN_PNG = {*GREYS[:4], "I;16", *PALETTES[:3], *COLOURS[:3]}
IN_TIFF = {"1", "L", "LA", "I", "I;16", "I;16B", "F", "P", "RGB", "RGBA", "RGBX", "CMYK"}
CARRIERS = [
    *[("JPEG", mode, 0.03) for mode in ("L", "RGB")],
    ("JPEG", "CMYK", 0.05),
    *[("PNG", mode, 1e-6) for mode in sorted(IN_PNG)],
    *[("TIFF", mode, 1e-6) for mode in sorted(IN_TIFF)],
    ("TIFF", "YCbCr", 0.02),
    ("TIFF", "LAB", 0.09),
    *[("WEBP", mode, 1e-6) for mode in ("RGB", "RGBA") if "WEBP" in FORMATS],
    *[("AVIF", mode, 0.05) for mode in ("RGB",) if "AVIF" in FORMATS],
]


@pytest.mark.parametrize("orientation", SIDES)
@pytest.mark.parametrize("mode", GREYS + PALETTES + COLOURS)
def test_pil_image_of_every_mode_comes_out_upright_and_stays_as_it_was(mode, orientation):
    image, colours, opacity = in_memory(mode, orientation)
    image.getexif()[0x0112] = orientation
    palette = image.getpalette("RGBA") if image.mode == "P" else None
    before = (image.mode, image.size, image.tobytes(), dict(image.info), dict(image.getexif()))
    matches(load_image(image), colours, opacity, TOLERANCE.get(mode, 1e-6))
    after = (image.mode, image.size, image.tobytes(), dict(image.info), dict(image.getexif()))
    assert before == after
    assert palette == (image.getpalette("RGBA") if image.mode == "P" else None)


@pytest.mark.parametrize("orientation", SIDES)
@pytest.mark.parametrize(("format", "mode", "tolerance"), CARRIERS)
def test_file_of_every_mode_comes_out_upright(tmp_path, format, mode, tolerance, orientation):
    image, colours, opacity = in_memory(mode, orientation)
    options = {
        "JPEG": {"quality": 95},
        "TIFF": {"tiffinfo": {0x0112: orientation}},
        "WEBP": {"lossless": True, "exact": True},
        "AVIF": {"quality": 95, "speed": 10},
    }.get(format, {})
    if image.mode == "YCbCr":
        options["compression"] = "tiff_lzw"  # the only way Pillow reads back what it wrote
    if format != "TIFF":
        options["exif"] = exif(orientation)
    if "transparency" in image.info:
        options["transparency"] = image.info["transparency"]
    path = tmp_path / "image.bin"
    image.save(path, format, **options)
    picture = load_image(path)
    matches(picture, colours, opacity, tolerance)
    again = load_image(path.read_bytes())
    assert (again.rgb == picture.rgb).all()


def test_orientation_survives_a_smaller_size(tmp_path):
    wide = Image.fromarray(np.zeros((799, 800, 3), np.uint8))
    wide.save(tmp_path / "turned.jpg", exif=exif(6))
    picture = load_image(tmp_path / "turned.jpg", max_side=80)
    assert (picture.width, picture.height) == (80, 80)
    tall = Image.fromarray(stored(np.asarray(drawing().resize((960, 640), 0)), 8))
    tall.save(tmp_path / "tall.jpg", exif=exif(8), quality=95)
    picture = load_image(tmp_path / "tall.jpg", max_side=3 * BLOCK)
    matches(picture, BLOCKS, None, 0.03)
    Image.open(tmp_path / "tall.jpg").save(tmp_path / "tall.png", exif=exif(8))
    exact = load_image(tmp_path / "tall.png", max_side=3 * BLOCK)
    assert np.abs(exact.rgb - picture.rgb).max() < 0.03


def test_out_of_range_and_broken_orientation_are_no_orientation():
    for block in (exif(0), exif(9), b"Exif\0\0broken", b"Exif\0\0MM\0*\xff\xff\xff\xff"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = load_image(encoded(drawing(), "JPEG", quality=95, exif=block))
        matches(picture, BLOCKS, None, 0.03)


def test_first_frame_of_an_animation():
    first, second = drawing(), drawing().rotate(180)
    for format, options in (("GIF", {}), ("WEBP", {"lossless": True}), ("PNG", {}), ("MPO", {})):
        if format in (*FORMATS, "MPO"):
            data = encoded(first, format, save_all=True, append_images=[second], **options)
            assert Image.open(io.BytesIO(data)).n_frames == 2
            picture = load_image(data)
            np.testing.assert_allclose(means(picture.rgb), BLOCKS / 255, atol=0.03)


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


@pytest.mark.parametrize(
    ("depth", "row", "key"),
    [(1, b"\x40", 1), (2, b"\x60", 2), (4, b"\x5a", 10), (8, b"\x05\xaa", 170)],
)
def test_png_transparent_grey_at_every_depth(depth, row, key):
    data = png(2, 1, depth, 0, b"\0" + row, (b"tRNS", struct.pack(">H", key)))
    picture = load_image(data)
    assert picture.alpha is not None
    assert picture.alpha.tolist() == [[1, 0]]


def test_png_transparent_colour_at_16_bits():
    grey = png(2, 1, 16, 0, b"\0\x01\x02\x01\x03", (b"tRNS", b"\x01\x03"))
    assert load_image(grey).alpha.tolist() == [[1, 0]]
    colours = struct.pack(">6H", 65535, 0, 514, 65535, 0, 1000)
    colour = png(2, 1, 16, 2, b"\0" + colours, (b"tRNS", struct.pack(">3H", 65535, 0, 1000)))
    assert load_image(colour).alpha.tolist() == [[1, 0]]


# ICC


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


def linear_grey() -> bytes:
    white = b"XYZ \0\0\0\0" + struct.pack(">III", 0xF6D6, 0x10000, 0xD32D)
    return icc(b"GRAY", b"XYZ ", {b"wtpt": white, b"kTRC": b"curv" + bytes(8)})


def green_cyan() -> bytes:
    """A press whose cyan ink is green, whose paper is white and that prints all else black."""
    ramp = bytes(range(256))
    grid = bytearray(bytes((0, 128, 128)) * 16)
    grid[0:3] = (255, 128, 128)  # no ink
    grid[8 * 3 : 8 * 3 + 3] = (130, 70, 180)  # cyan alone
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + identity + ramp * 4 + bytes(grid) + ramp * 3
    white = b"XYZ \0\0\0\0" + struct.pack(">III", 0xF6D6, 0x10000, 0xD32D)
    return icc(b"CMYK", b"Lab ", {b"wtpt": white, b"A2B0": table})


def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def colorant(tag: bytes) -> slice:
    """Where in `srgb()` the data of a tag lies."""
    entry = srgb().index(tag, 128)
    start, size = struct.unpack(">II", srgb()[entry + 4 : entry + 12])
    return slice(start, start + size)


def linear_rgb() -> bytes:
    tags = {tag: srgb()[colorant(tag)] for tag in (b"wtpt", b"rXYZ", b"gXYZ", b"bXYZ")}
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), b"curv" + bytes(8))
    return icc(b"RGB ", b"XYZ ", tags | curves)


def swapped() -> bytes:
    """sRGB with red and green in each other's place."""
    profile = srgb()
    assert profile.count(b"rXYZ") == profile.count(b"gXYZ") == 1
    return profile.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")


ICC_CARRIERS = [("JPEG", "RGB")]
ICC_CARRIERS += [
    (name, mode) for name in ("PNG", "TIFF", "WEBP") for mode in ("RGB", "RGBA") if name in FORMATS
]


@pytest.mark.parametrize(("format", "mode"), ICC_CARRIERS)
def test_rgb_profile_is_converted_to_srgb(format, mode):
    options = {"WEBP": {"lossless": True, "exact": True}, "JPEG": {"quality": 95}}.get(format, {})
    picture = load_image(encoded(drawing(mode), format, icc_profile=swapped(), **options))
    opacity = OPACITY if mode == "RGBA" else None
    matches(picture, BLOCKS[..., [1, 0, 2]], opacity, 0.03)


def test_profile_in_palette_and_orientation():
    image = Image.fromarray(stored(np.asarray(drawing()), 6)).quantize(6)
    data = encoded(image, "PNG", icc_profile=swapped(), exif=exif(6))
    matches(load_image(data), BLOCKS[..., [1, 0, 2]], None, 0.01)


@pytest.mark.parametrize("nudge", [0, 12])
def test_srgb_profile_changes_nothing(nudge):
    noise = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    profile = bytearray(srgb())
    profile[colorant(b"gXYZ").start + 3 + 8] ^= nudge  # as makers of sRGB profiles round
    image = Image.fromarray(noise)
    data = encoded(image, "PNG", icc_profile=bytes(profile))
    converted = ImageCms.profileToProfile(
        image,
        ImageCms.ImageCmsProfile(io.BytesIO(bytes(profile))),
        ImageCms.createProfile("sRGB"),
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
    )
    assert (np.asarray(converted) == noise).all() == (nudge == 0)
    assert (load_image(data).to_array() == noise).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("alpha", [False, True])
def test_grey_profile(dtype, alpha):
    scale = 1 if dtype == np.uint8 else 257
    image = Image.fromarray(np.full((4, 5), 55 * scale, dtype))
    if alpha and dtype == np.uint8:
        image.putalpha(100)
    picture = load_image(encoded(image, "PNG", icc_profile=linear_grey()))
    light = 55 / 255
    np.testing.assert_allclose(picture.rgb, 1.055 * light ** (1 / 2.4) - 0.055, atol=0.005)
    assert (picture.alpha is not None) == image.has_transparency_data


def test_grey_image_with_an_rgb_profile():
    image = Image.fromarray(np.full((4, 5), 55, np.uint8))
    picture = load_image(encoded(image, "PNG", icc_profile=linear_rgb()))
    np.testing.assert_allclose(picture.rgb, 1.055 * (55 / 255) ** (1 / 2.4) - 0.055, atol=0.005)


@pytest.mark.parametrize("format", ["TIFF", "JPEG"])
def test_cmyk_profile(format):
    inks = np.zeros((16, 32, 4), np.uint8)
    inks[:, :16, 0] = 255
    options = {"quality": 100} if format == "JPEG" else {}
    image = Image.frombytes("CMYK", (32, 16), inks.tobytes())
    picture = load_image(encoded(image, format, icc_profile=green_cyan(), **options))
    red, green, blue = picture.rgb[8, 4]
    assert green > 0.4 and red < 0.2 and blue < 0.2
    np.testing.assert_allclose(picture.rgb[8, 28], 1, atol=0.01)
    plain = load_image(encoded(image, format, **options))
    np.testing.assert_allclose(plain.rgb[8, 4], (0, 1, 1), atol=0.02)


def test_lab_profile_of_a_lab_image():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    data = encoded(drawing("LAB"), "TIFF", icc_profile=profile)
    matches(load_image(data), BLOCKS, None, 0.09)


@pytest.mark.parametrize(
    "profile", [b"broken", swapped()[:200], linear_grey(), green_cyan()], ids=len
)
def test_useless_profile_is_ignored(profile):
    matches(load_image(encoded(drawing(), "PNG", icc_profile=profile)), BLOCKS, None, 1e-6)


# Depth, arrays, sources


def test_sixteen_bits_are_scaled_not_clipped():
    samples = np.array([[0, 1, 257, 257 * 128, 65534, 65535]], np.uint16)
    expected = (samples / 65535).astype(np.float32)
    for format in ("PNG", "TIFF", "PPM"):
        picture = load_image(encoded(Image.fromarray(samples), format))
        for channel in range(3):
            assert (picture.rgb[..., channel] == expected).all(), format
    assert (load_image(samples).rgb[..., 1] == expected).all()


def test_eight_bits_are_exact():
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    picture = load_image(levels)
    assert (picture.rgb[..., 2] == (levels / 255).astype(np.float32)).all()
    assert (picture.to_array()[..., 0] == levels).all()


@pytest.mark.parametrize("mode", ["I", "F"])
def test_samples_of_unknown_range_are_refused(mode):
    high = {"I": 65535, "F": 1.0}[mode]
    assert load_image(Image.new(mode, (3, 2), high)).rgb.max() == 1
    refused(lambda: load_image(Image.new(mode, (3, 2), high + 1)), "PIL image", f"mode {mode}")
    refused(lambda: load_image(Image.new(mode, (3, 2), -1)), "PIL image", f"mode {mode}")
    refused(lambda: load_image(encoded(Image.new(mode, (3, 2), -1), "TIFF")), "the bytes")


FULL = {"bool": 1, "uint8": 255, "uint16": 65535, "float16": 1, "float32": 1, "float64": 1}


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3), (5, 7, 4)])
@pytest.mark.parametrize("dtype", [*FULL, ">u2", ">f4", ">f8"])
def test_array_of_every_dtype_and_shape(dtype, shape):
    name = np.dtype(dtype).newbyteorder("=").name
    unit = np.random.default_rng(1).random(shape)
    array = unit > 0.5 if name == "bool" else (unit * FULL[name]).astype(dtype)
    picture = load_image(array)
    expected = (array.astype(np.float64) / FULL[name]).reshape(5, 7, -1)
    np.testing.assert_allclose(
        picture.rgb, np.broadcast_to(expected[..., :3], (5, 7, 3)), atol=1e-6
    )
    assert picture.rgb.dtype == np.float32 and picture.rgb.flags.c_contiguous
    if shape[2:] == (4,):
        np.testing.assert_allclose(picture.alpha, expected[..., 3], atol=1e-6)
    else:
        assert picture.alpha is None


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_array_of_every_layout(dtype):
    base = np.random.default_rng(2).integers(0, 256, (8, 10, 4), np.uint8)
    base = base if dtype == np.uint8 else base.astype(np.float32) / np.float32(255)
    expected = base[..., :3] / (255 if dtype == np.uint8 else 1)
    locked = base[..., :3].copy()
    locked.flags.writeable = False
    layouts = {
        "channel slice": (base[..., :3], expected),
        "negative stride": (base[::-1, ::-1, :3], expected[::-1, ::-1]),
        "steps": (base[::2, ::3, :3], expected[::2, ::3]),
        "fortran": (np.asfortranarray(base[..., :3]), expected),
        "bgr": (base[..., 2::-1], expected[..., ::-1]),
        "channels-first view": (
            np.ascontiguousarray(base[..., :3].transpose(2, 0, 1)).transpose(1, 2, 0),
            expected,
        ),
        "read-only": (locked, expected),
    }
    for name, (array, wanted) in layouts.items():
        before = array.copy()
        picture = load_image(array)
        assert picture.rgb.flags.c_contiguous, name
        np.testing.assert_allclose(picture.rgb, wanted, atol=1e-6, err_msg=name)
        assert not np.shares_memory(picture.rgb, array), name
        assert (array == before).all(), name


def test_float_rounding_is_clipped():
    picture = load_image(np.array([[-5e-5, 1 + 5e-5]], np.float32))
    assert picture.rgb.min() == 0 and picture.rgb.max() == 1


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((3, 64, 64), np.int64), ("int64 [3, 64, 64]", "uint8", "channels-first")),
        (np.zeros((3, 64, 60), np.float32), ("[3, 64, 60]", "channels-first")),
        (np.zeros((1, 8, 8, 3), np.uint8), ("[1, 8, 8, 3]", "batch")),
        (np.zeros((8, 8, 2), np.uint8), ("[8, 8, 2]", "[H, W, 3]")),
        (np.zeros(8, np.uint8), ("[8]", "[H, W]")),
        (np.array(1.0), ("float64 []",)),
        (np.zeros((0, 0), np.uint8), ("[0, 0]", "at least 1")),
        (np.zeros((4, 0, 3), np.uint8), ("[4, 0, 3]", "at least 1")),
        (np.zeros((4, 4), np.complex64), ("complex64",)),
        (np.full((4, 4), None), ("object",)),
        (np.full((4, 4, 3), np.nan), ("NaN", "[0, 1]")),
        (np.full((4, 4, 3), np.inf, np.float16), ("infinity", "[0, 1]")),
        (np.full((4, 4, 3), 1.01), ("1.01", "[0, 1]")),
        (np.full((4, 4, 3), -0.01), ("-0.01", "[0, 1]")),
        (np.full((4, 4), 255.0, np.float32), ("255", "[0, 1]")),
    ],
    ids=str,
)
def test_unusable_array_is_refused(tmp_path, array, words):
    refused(lambda: load_image(array), "the array", *words)
    refused(lambda: save_image(array, tmp_path / "out.png"), "the array", *words)
    assert not list(tmp_path.iterdir())


def test_every_kind_of_source(tmp_path):
    path = tmp_path / "drawing.png"
    drawing().save(path)
    data = path.read_bytes()
    padded = np.zeros(2 * len(data), np.uint8)
    padded[::2] = np.frombuffer(data, np.uint8)
    with open(path, "rb") as file, open(path, "rb", buffering=0) as raw:
        sources = (str(path), path, data, bytearray(data), memoryview(data), io.BytesIO(data))
        for source in (*sources, padded[::2].data, file, raw, Image.open(path), drawing()):
            matches(load_image(source), BLOCKS, None, 1e-6)


def test_file_object_is_read_from_where_it_stands():
    file = io.BytesIO(b"header" + encoded(drawing(), "PNG"))
    file.seek(6)
    matches(load_image(file), BLOCKS, None, 1e-6)
    assert not file.closed


def test_pipe(tmp_path):
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(encoded(drawing(), "PNG")))
    writer.start()
    matches(load_image(pipe), BLOCKS, None, 1e-6)
    writer.join()


# Sizes


@pytest.mark.parametrize(
    ("size", "max_side", "expected"),
    [
        ((48, 32), 48, (48, 32)),
        ((48, 32), 1000, (48, 32)),
        ((48, 32), 24, (24, 16)),
        ((32, 48), 24, (16, 24)),
        ((1000, 2), 10, (10, 1)),
        ((300, 200), 1, (1, 1)),
        ((1999, 1000), 997, (997, 499)),
    ],
)
def test_max_side(size, max_side, expected):
    image = Image.new("RGB", size, (10, 20, 30))
    for source in (image, np.asarray(image), encoded(image, "JPEG"), encoded(image, "PNG")):
        picture = load_image(source, max_side=max_side)
        assert (picture.width, picture.height) == expected
        np.testing.assert_allclose(picture.to_array()[0, 0], (10, 20, 30), atol=2)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "I;16", "F"])
def test_max_side_averages_detail(mode):
    checks = np.indices((96, 96)).sum(axis=0) % 2
    image = Image.fromarray((checks * 255).astype(np.uint8))
    if mode in ("I;16", "F"):
        image = Image.fromarray(
            checks.astype(np.uint16) * 65535 if mode == "I;16" else checks.astype(np.float32)
        )
    image = image if mode in ("I;16", "F") else image.convert(mode)
    picture = load_image(image, max_side=24)
    np.testing.assert_allclose(picture.rgb[4:-4, 4:-4], 0.5, atol=0.01)


@pytest.mark.parametrize("value", [0, -1, 1.5, "64", True, np.nan, [64]])
def test_max_side_must_be_a_positive_integer(value):
    refused(lambda: load_image(drawing(), max_side=value), "max_side", "integer")
    refused(lambda: load_image(drawing(), max_pixels=value), "max_pixels", "integer")


def test_resized_keeps_more_than_eight_bits():
    ramp = np.linspace(0, 1, 4096, dtype=np.float32)[None].repeat(4, axis=0)
    picture = load_image(ramp).resized(2048, 4)
    assert len(np.unique(picture.rgb)) > 2000
    assert picture.rgb.min() >= 0 and picture.rgb.max() <= 1
    assert picture.resized(2048, 4) is picture
    refused(lambda: picture.resized(0, 4), "width", str(MAX_SIDE))
    refused(lambda: picture.resized(4, 4.5), "height", str(MAX_SIDE))


def test_resized_does_not_bleed_through_transparency():
    array = np.zeros((32, 32, 4), np.float32)
    array[..., 1] = 1  # transparent green
    array[8:24, 8:24] = (1, 0, 0, 1)  # around opaque red
    picture = load_image(array).resized(9, 9)
    assert picture.alpha.min() == 0 and picture.alpha.max() == 1
    visible = picture.rgb[picture.alpha > 0.02]
    np.testing.assert_allclose(visible, np.broadcast_to((1, 0, 0), visible.shape), atol=1e-3)
    np.testing.assert_allclose(picture.rgb[0, 0], (0, 1, 0), atol=0.02)


def test_bomb_is_refused_by_its_header():
    tiny = png(60_000, 60_000, 8, 2, b"no pixels at all")
    assert len(tiny) < 200
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        refused(lambda: load_image(tiny), "the bytes", "60,000 x 60,000", f"{MAX_PIXELS:,}")
    refused(lambda: load_image(png(70_000, 1, 8, 0, b"")), "70,000 x 1", f"{MAX_SIDE:,}")
    inside = png(8000, 8000, 8, 2, b"no pixels at all")
    refused(lambda: load_image(inside), "the bytes", "cannot be decoded")


def test_size_limit_is_its_own(monkeypatch):
    image = Image.new("RGB", (50, 40))
    for source in (image, np.asarray(image), encoded(image, "PNG"), encoded(image, "JPEG")):
        assert load_image(source, max_pixels=2000).width == 50
        refused(lambda source=source: load_image(source, max_pixels=1999), "50 x 40", "1,999")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for format in ("PNG", "JPEG", "BMP", "GIF", "PPM"):
            assert load_image(encoded(image, format)).width == 50


# What is refused


def test_path_that_is_no_image(tmp_path):
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.jpg").write_text("hello, this is no picture")
    (tmp_path / "page.jpg").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n")
    cases = {
        "missing.png": "No such file",
        ".": "directory",
        "empty.png": "0 bytes",
        "text.jpg": "hello",
        "page.jpg": "%!PS",
        "nul\0.png": "null byte",
        "x" * 300: "too long",
    }
    for name, word in cases.items():
        path = os.path.join(tmp_path, name)
        refused(lambda path=path: load_image(path), name.replace("\0", "?")[-180:], word, "JPEG")
    refused(lambda: load_image(str(tmp_path / "two\nlines\x1b[31m\udc80.png")), "two lines")
    refused(lambda: load_image(Path(tmp_path)), tmp_path.name, "directory")


@pytest.mark.parametrize(
    "url",
    ["http://example.org/a.jpg", "https://x/y.png", "file:///a.png", "data:image/png;base64,AAAA"],
)
def test_url_is_not_opened(url):
    refused(lambda: load_image(url), url, "URLs are not opened")


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("keep", [0.5, 0.9, 20])
def test_truncated_file(tmp_path, format, keep):
    noise = Image.fromarray(np.random.default_rng(3).integers(0, 256, (64, 64, 3), np.uint8))
    data = encoded(noise, format)
    path = tmp_path / f"cut.{format.lower()}"
    path.write_bytes(data[: keep if keep == 20 else int(len(data) * keep)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        refused(lambda: load_image(path), path.name, "intact")


@pytest.mark.parametrize("format", FORMATS)
def test_damaged_file_loads_or_is_refused(format):
    data = bytearray(encoded(drawing("RGB"), format))
    random = np.random.default_rng(4)
    outcomes = set()
    for _ in range(60):
        damaged = bytearray(data)
        for position in random.integers(0, min(len(data), 300), 6):
            damaged[position] = random.integers(0, 256)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                load_image(bytes(damaged), max_pixels=10_000)
                outcomes.add("loaded")
            except AdaINError as error:
                outcomes.add("refused" if "\n" not in str(error) else "more than one line")
    assert "refused" in outcomes <= {"refused", "loaded"}


def test_huge_png_text_is_refused():
    text = zlib.compress(b"a" * 20_000_000)
    data = png(1, 1, 8, 0, b"\0\0", (b"zTXt", b"note\0\0" + text))
    refused(lambda: load_image(data), "the bytes", "PNG")


def test_bytes_and_file_objects_that_are_no_image(tmp_path):
    refused(lambda: load_image(b""), "the bytes", "0 bytes")
    refused(lambda: load_image(bytearray(b"hello")), "the bytes", "hello")
    refused(lambda: load_image(io.StringIO("text")), "the file object", "text mode", "binary")
    path = tmp_path / "drawing.png"
    drawing().save(path)
    with open(path) as file:
        refused(lambda: load_image(file), "drawing.png", "text mode", "binary")
    with open(path, "rb") as file:
        file.read()
        refused(lambda: load_image(file), "drawing.png", "0 bytes")
    refused(lambda: load_image(file), "drawing.png", "closed")
    with open(tmp_path / "out", "wb") as file:
        refused(lambda: load_image(file), "out", "binary")


@pytest.mark.parametrize("source", [None, 3, 1.5, [[0, 1]], {"a": 1}, object()], ids=repr)
def test_unsupported_type(tmp_path, source):
    refused(lambda: load_image(source), type(source).__name__, "numpy array")
    refused(lambda: save_image(source, tmp_path / "a.png"), type(source).__name__, "array")
    refused(lambda: save_image(drawing(), source), "path", type(source).__name__)


def test_pil_images_that_cannot_be_used():
    refused(lambda: load_image(Image.new("RGB", (0, 0))), "the PIL image", "0 x 0")
    closed = drawing()
    closed.close()
    refused(lambda: load_image(closed), "the PIL image")
    lazy = Image.open(io.BytesIO(encoded(drawing(), "BMP")[:-100]))
    refused(lambda: load_image(lazy), "the PIL image", "truncated")


@pytest.fixture
def unprivileged():
    """A folder that a user without rights can reach; the test runs as that user."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        root = os.geteuid() == 0
        if root:
            os.chown(folder, 65534, -1)
            os.seteuid(65534)
        try:
            yield Path(folder)
        finally:
            if root:
                os.seteuid(0)
            os.chmod(folder, 0o777)


def test_permission_denied(unprivileged):
    path = unprivileged / "secret.png"
    save_image(drawing(), path)
    path.chmod(0)
    refused(lambda: load_image(path), "secret.png", "Permission denied")
    path.chmod(0o444)
    refused(lambda: save_image(drawing(), path), "secret.png", "Permission denied")
    unprivileged.chmod(0o555)
    refused(lambda: save_image(drawing(), unprivileged / "new.png"), "new.png", "Permission")
    assert [entry.name for entry in unprivileged.iterdir()] == ["secret.png"]


# Writing

SUFFIXES = [".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp"]
SUFFIXES += [f".{name.lower()}" for name in ("WEBP", "AVIF") if name in FORMATS]
FORMAT_OF = {".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF", ".tiff": "TIFF"}
LOSSLESS = (".png", ".tif", ".tiff", ".bmp")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("upper", [False, True])
def test_round_trip(tmp_path, suffix, upper):
    path = tmp_path / f"out{suffix.upper() if upper else suffix}"
    save_image(load_image(drawing()), path)
    with Image.open(path) as image:
        assert image.format == FORMAT_OF.get(suffix, suffix[1:].upper())
    matches(load_image(path), BLOCKS, None, 1e-6 if suffix in LOSSLESS else 0.05)
    assert path.read_bytes() == encode_image(drawing(), suffix)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_alpha_round_trip(tmp_path, suffix):
    path = tmp_path / f"out{suffix}"
    save_image(load_image(drawing("RGBA")), path)
    picture = load_image(path)
    tolerance = 0.005 if suffix in LOSSLESS else 0.05
    if suffix in (".jpg", ".jpeg", ".bmp"):
        weight = OPACITY[..., None] / 255
        matches(picture, BLOCKS * weight + 255 * (1 - weight), None, tolerance)
    else:
        np.testing.assert_allclose(means(picture.rgb), BLOCKS / 255, atol=tolerance)
        np.testing.assert_allclose(means(picture.alpha)[..., 0], OPACITY / 255, atol=tolerance)


def test_every_kind_of_image_can_be_saved(tmp_path):
    path = tmp_path / "out.png"
    turned = Image.fromarray(stored(np.asarray(drawing()), 6))
    turned.getexif()[0x0112] = 6
    for image in (drawing(), turned, np.asarray(drawing()), np.asarray(drawing()) / 255):
        save_image(image, str(path))
        matches(load_image(path), BLOCKS, None, 1e-6)


def test_rounding_is_to_the_nearest_level():
    rgb = np.array([[[0.49, 0.51, 254.6], [100.4, 100.6, 255.0]]], np.float32) / 255
    assert Picture(rgb).to_array().tolist() == [[[0, 1, 255], [100, 101, 255]]]
    image = Picture(rgb, np.array([[0.4, 254.8]], np.float32) / 255).to_pil()
    assert image.mode == "RGBA" and image.getpixel((1, 0)) == (100, 101, 255, 255)


def test_sampling_follows_quality():
    noise = np.random.default_rng(5).random((64, 64, 3))
    sizes = [len(encode_image(noise, ".jpg", quality=quality)) for quality in (1, 50, 89, 90, 100)]
    assert sizes == sorted(set(sizes))
    components = [
        Image.open(io.BytesIO(encode_image(noise, ".jpg", quality=quality))).layer
        for quality in (89, 90)
    ]
    assert [layers[0][1:3] for layers in components] == [(2, 2), (1, 1)]
    if "WEBP" in FORMATS:
        assert len(encode_image(noise, ".webp", quality=20)) < len(
            encode_image(noise, ".webp", quality=95)
        )


@pytest.mark.parametrize("quality", [0, 101, -5, 95.5, "95", None, True])
def test_quality_must_be_in_range(tmp_path, quality):
    for suffix in (".jpg", ".png"):
        path = tmp_path / f"out{suffix}"
        refused(lambda path=path: save_image(drawing(), path, quality=quality), "quality", "1..100")
        assert not path.exists()


def test_suffix_names_the_format(tmp_path):
    for name in ("out", "out.gif", "out.pdf", ".png", "out.png.bak"):
        path = tmp_path / name
        refused(lambda path=path: save_image(drawing(), path), name, "suffix", ".jpg", ".webp")
    assert not list(tmp_path.iterdir())
    refused(lambda: encode_image(drawing(), "png"), "'png'", ".png")


def test_unusable_target(tmp_path):
    (tmp_path / "folder.png").mkdir()
    refused(lambda: save_image(drawing(), tmp_path / "folder.png"), "folder.png", "folder", "file")
    refused(lambda: save_image(drawing(), tmp_path / "none/a.png"), "a.png", "none", "folder")
    os.mkfifo(tmp_path / "pipe.png")
    refused(lambda: save_image(drawing(), tmp_path / "pipe.png"), "pipe.png", "device")
    assert stat.S_ISFIFO((tmp_path / "pipe.png").stat().st_mode)
    refused(lambda: save_image(drawing(), tmp_path / ("x" * 300 + ".png")), "xxx.png", "too long")
    refused(lambda: save_image(drawing(), tmp_path / "nul\0.png"), "nul?.png")
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(("suffix", "side"), [(".webp", 16_384), (".jpg", 65_501)])
def test_failed_encoder_leaves_the_old_file(tmp_path, suffix, side):
    path = tmp_path / f"old{suffix}"
    path.write_bytes(b"old")
    wide = np.zeros((1, side, 3), np.uint8)
    refused(lambda: save_image(wide, path), path.name, f"{side:,} x 1")
    assert path.read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


def test_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "old.bmp"
    path.write_bytes(b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))
    try:
        refused(lambda: save_image(np.zeros((100, 100, 3)), path), "old.bmp", "too large")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_interrupt_leaves_the_old_file(tmp_path, monkeypatch, step):
    path = tmp_path / "old.png"
    path.write_bytes(b"old")

    def interrupt(*_):
        assert len(list(tmp_path.iterdir())) == 2, "nothing lies beside the target yet"
        raise KeyboardInterrupt

    monkeypatch.setattr(os, step, interrupt)
    with pytest.raises(KeyboardInterrupt):
        save_image(drawing(), path)
    assert path.read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


def test_permissions_are_those_of_a_plain_open(tmp_path):
    path = tmp_path / "out.png"
    for mask, mode in ((0o022, 0o644), (0o027, 0o640), (0o077, 0o600)):
        old = os.umask(mask)
        try:
            save_image(drawing(), path)
        finally:
            os.umask(old)
        assert stat.S_IMODE(path.stat().st_mode) == mode
        path.unlink()
    path.touch()
    path.chmod(0o604)
    save_image(drawing(), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


def test_link_is_followed(tmp_path):
    (tmp_path / "real").mkdir()
    link = tmp_path / "link.png"
    link.symlink_to(tmp_path / "real" / "target.png")
    save_image(drawing(), link)
    assert link.is_symlink()
    matches(load_image(tmp_path / "real" / "target.png"), BLOCKS, None, 1e-6)


def test_threads_load_and_save_side_by_side(tmp_path):
    drawing().save(tmp_path / "in.jpg", quality=95, icc_profile=swapped(), exif=exif(1))
    expected = load_image(tmp_path / "in.jpg").rgb
    before = (list(warnings.filters), Image.MAX_IMAGE_PIXELS)
    gate = threading.Barrier(8)

    def work(number: int) -> bool:
        gate.wait()
        same = True
        for _ in range(10):
            picture = load_image(tmp_path / "in.jpg")
            save_image(picture, tmp_path / "shared.png")
            same &= bool((picture.rgb == expected).all())
            same &= load_image(tmp_path / "shared.png").width == picture.width
        return same

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))
    assert (list(warnings.filters), Image.MAX_IMAGE_PIXELS) == before
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["in.jpg", "shared.png"]
