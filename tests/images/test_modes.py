"""Every mode and profile of PIL images and files, in sRGB and with their alpha channel."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms
from sample_images import (
    BLOCKS,
    OPACITY,
    SIDES,
    colorant,
    drawing,
    encoded,
    exif,
    icc,
    in_memory,
    linear_rgb,
    matches,
    png,
    refused,
    srgb,
    stored,
    swapped,
)

from adain.images import FORMATS, load_image

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
