"""TIFFs of layouts that Pillow reads wrongly or not at all, and damaged ones."""

import numpy as np
import pytest
from PIL import Image
from sample_images import BLOCKS, drawing, encoded, enlarged, exif, linear_rgb, matches, refused
from tiff_files import page, tiff

from adain.images import load_image

RAMP = np.linspace(0, 1, 64)[None].repeat(8, axis=0)


def ramp(dtype: str, channels: int = 1) -> np.ndarray:
    full = 1 if dtype.startswith("f") else np.iinfo(dtype).max
    values = RAMP * full if full == 1 else np.rint(RAMP * full)
    return values[..., None].repeat(channels, axis=2).astype(dtype)


def is_ramp(data: bytes, tolerance: float = 2e-5) -> None:
    picture = load_image(data)
    expected = np.broadcast_to(RAMP[..., None], (8, 64, 3))
    np.testing.assert_allclose(picture.rgb, expected, atol=tolerance)


@pytest.mark.parametrize("deflated", [False, True])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "f2", "f4", "f8"])
def test_rgb_of_every_type_and_order_of_planes(dtype, planar, deflated):
    data = tiff(page(ramp(dtype, 3), 2, planar=planar, deflated=deflated))
    is_ramp(data, {"u1": 2e-3, "f2": 1e-3}.get(dtype, 2e-5))


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "f4"])
@pytest.mark.parametrize("white_is_0", [False, True])
def test_gray_of_both_directions(dtype, white_is_0):
    values = ramp(dtype)
    if white_is_0:
        values = (values.max() - values).astype(dtype)
    is_ramp(tiff(page(values, 0 if white_is_0 else 1)), 2e-3 if dtype == "u1" else 2e-5)


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 6, 10, 12, 14, 15])
@pytest.mark.parametrize("white_is_0", [False, True])
def test_gray_of_odd_bits(bits, white_is_0):
    levels = np.rint(RAMP * (2**bits - 1)).astype(int)
    stored = 2**bits - 1 - levels if white_is_0 else levels
    digits = (stored[..., None] >> np.arange(bits)[::-1]) & 1
    rows = np.packbits(digits.reshape(8, -1).astype(np.uint8), axis=1)
    _, tags = page(np.zeros((8, 64, 1), np.uint8), 0 if white_is_0 else 1)
    picture = load_image(tiff(([rows.tobytes()], tags | {258: ("H", (bits,))})))
    np.testing.assert_allclose(picture.rgb[..., 1], levels / (2**bits - 1), atol=2e-5)


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
@pytest.mark.parametrize(("photometric", "channels"), [(1, 1), (2, 3), (5, 4)])
@pytest.mark.parametrize("meaning", [0, 1, 2])
def test_alpha_beside_any_colours(dtype, photometric, channels, meaning):
    full = 1 if dtype == "f4" else np.iinfo(dtype).max
    unit = np.random.default_rng(0).random((5, 7, channels + 1)) * 0.8 + 0.2
    stored = unit.copy()
    if meaning == 1:
        stored[..., :-1] *= unit[..., -1:]
    stored = (stored * full).astype(dtype)
    picture = load_image(tiff(page(stored, photometric, extra=(meaning,))))
    colour = unit[..., :-1]
    if photometric == 5:
        colour = (1 - colour[..., :3]) * (1 - colour[..., 3:])
    tolerance = 0.03 if dtype == "u1" else 1e-3
    np.testing.assert_allclose(picture.rgb, np.broadcast_to(colour, (5, 7, 3)), atol=tolerance)
    if meaning == 0:
        assert picture.alpha is None
    else:
        np.testing.assert_allclose(picture.alpha, unit[..., -1], atol=tolerance)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_lab_that_is_no_number_is_refused(value):
    lab = np.full((2, 3, 3), 50, "f4")
    assert 0.4 < load_image(tiff(page(lab, 8))).rgb[..., 0].min() < 1
    lab[1, 1, 0] = value
    refused(lambda: load_image(tiff(page(lab, 8))), "NaN or infinity in L*a*b*", "finite")


def test_lab_of_16_bits_in_both_encodings():
    # L*a*b* of sRGB's red under D50: 54.3, 80.8, 69.9.
    cielab = np.array([[[54.29 / 100 * 65535, 80.81 * 256, 69.89 * 256]]]).astype("u2")
    icclab = np.array([[[54.29 / 100 * 65280, 208.81 * 256, 197.89 * 256]]]).astype("u2")
    for values, photometric in ((cielab, 8), (icclab, 9)):
        rgb = load_image(tiff(page(values, photometric))).rgb
        np.testing.assert_allclose(rgb[0, 0], (1, 0, 0), atol=0.01)
    gray = np.array([[[50 / 100 * 65535, 0, 0]]]).astype("u2")
    np.testing.assert_allclose(load_image(tiff(page(gray, 8))).rgb, 0.4663, atol=1e-3)


def test_linear_profile_keeps_the_precision_of_16_bits():
    dark = np.linspace(0, 0.01, 64)[None, :, None].repeat(3, axis=2)
    strips, tags = page((dark * 65535).astype("u2"), 2)
    tags[34675] = "B", tuple(linear_rgb())
    rgb = load_image(tiff((strips, tags))).rgb
    expected = np.where(dark <= 0.0031308, 12.92 * dark, 1.055 * dark ** (1 / 2.4) - 0.055)
    np.testing.assert_allclose(rgb, expected, atol=1e-3)
    assert len(np.unique(rgb)) > 50


def test_the_first_page_that_is_neither_thumbnail_nor_mask():
    small = page(np.zeros((4, 6, 3), np.uint8), 2, more={254: ("I", (1,))})
    mask = page(np.zeros((4, 6, 1), np.uint8), 1, more={254: ("I", (4,))})
    whole = page(enlarged(BLOCKS), 2)
    other = page(np.zeros((9, 9, 3), np.uint8), 2)
    for pages in ((small, whole), (mask, whole, other), (whole, other), (small, mask, whole)):
        matches(load_image(tiff(*pages)), BLOCKS, None, 1e-6)
    assert load_image(tiff(small, page(np.zeros((8, 9, 3), np.uint8), 2))).width == 9


@pytest.mark.parametrize(
    ("values", "photometric", "more", "word"),
    [
        (np.zeros((4, 4, 1), np.uint8), 32803, {}, "camera"),
        (np.zeros((4, 4, 3), np.uint8), 32845, {}, "LogLuv"),
        (np.zeros((4, 4, 3), np.int16), 2, {}, "signed numbers of 16 bits"),
        (np.zeros((4, 4, 4), np.uint8), 5, {332: ("H", (2,)), 338: ("H", (0, 0))}, "CMYK"),
        (np.zeros((4, 4, 3), np.uint16), 2, {259: ("H", (34661,))}, "compression 34661"),
        (np.zeros((4, 4, 3), np.uint8), 2, {259: ("H", (6,))}, "1995"),
        (np.zeros((4, 4, 3), np.uint16), 2, {258: ("H", (5, 6, 5))}, "[5, 6]"),
    ],
)
def test_other_layouts_are_named(values, photometric, more, word):
    if word == "CMYK":
        values = np.zeros((4, 4, 6), np.uint8)
    data = tiff(page(values, photometric, more=more))
    refused(lambda: load_image(data), "a TIFF of", word, "whole numbers or floats")


def test_one_huge_tile_is_refused_by_the_header():
    tiled = {322: ("I", (25_600,)), 323: ("I", (25_600,)), 324: ("I", (8,)), 325: ("I", (3,))}
    for values in (np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1, 3), np.uint16)):
        strips, tags = page(values, 2, more=tiled)
        data = tiff((strips, tags))
        refused(lambda data=data: load_image(data, max_pixels=40_000_000), "1 x 1")


def test_damaged_tags_beside_the_pixels_do_no_harm(recwarn, capfd):
    strips, tags = page(enlarged(BLOCKS), 2)
    # An EXIF directory out of the file, a date of 2 GB, three orientations, a width given twice.
    tags |= {34665: ("I", (2**31,)), 274: ("H", (1, 1, 1)), 256: ("I", (48, 48))}
    matches(load_image(tiff((strips, tags))), BLOCKS, None, 1e-6)
    assert not recwarn.list and capfd.readouterr().err == ""


def test_what_libtiff_says_stays_off_the_terminal(capfd):
    data = bytearray(encoded(drawing(), "TIFF", compression="tiff_lzw"))
    data[8:60] = bytes(range(52))
    refused(lambda: load_image(bytes(data)), "the bytes", "intact")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_deflate", "packbits", "jpeg"])
def test_orientation_and_compression(compression):
    turned = drawing().transpose(Image.Transpose.ROTATE_90)
    data = encoded(turned, "TIFF", compression=compression, tiffinfo={274: 6}, exif=exif(6))
    matches(load_image(data), BLOCKS, None, 0.05 if compression == "jpeg" else 1e-6)
