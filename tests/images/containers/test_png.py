"""PNG: colours beside ICC profiles, all 16 bits, and damage that touches no pixel."""

import struct
import zlib

import numpy as np
import pytest
from sample_images import (
    BLOCKS,
    drawing,
    encoded,
    exif,
    matches,
    png,
    refused,
    srgb,
    stored,
    swapped,
)

from adain.images import load_image

SRGB_POINTS = struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
ADOBE_POINTS = struct.pack(">8I", 31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)
ROW = bytes((0, 100, 150, 200))


def shown(*chunks: tuple[bytes, bytes]) -> list[int]:
    return load_image(png(1, 1, 8, 2, ROW, *chunks)).to_array()[0, 0].tolist()


def gamma(value: int) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", value)


def encode(light: float) -> float:
    return 255 * (12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize(("value", "exponent"), [(100_000, 1.0), (45_455, 2.2), (55_556, 1.8)])
def test_gamma(value, exponent):
    expected = [encode((sample / 255) ** exponent) for sample in (100, 150, 200)]
    np.testing.assert_allclose(shown(gamma(value)), expected, atol=0.6)


def test_primaries():
    assert shown((b"cHRM", SRGB_POINTS)) == [100, 150, 200]
    # Adobe RGB: by its matrix and 2.2.
    light = np.array([100, 150, 200]) / 255
    matrix = [[1.3983, -0.3983, 0], [0, 1, 0], [0, -0.0429, 1.0429]]
    expected = [encode(value) for value in matrix @ light**2.2]
    np.testing.assert_allclose(shown(gamma(45_455), (b"cHRM", ADOBE_POINTS)), expected, atol=1)


def test_precedence_and_nonsense():
    adobe = (gamma(45_455), (b"cHRM", ADOBE_POINTS))
    plain = [100, 150, 200]
    assert shown((b"sRGB", b"\0"), *adobe) == plain
    assert shown((b"cICP", bytes((1, 13, 0, 1))), (b"sRGB", b"\0"), *adobe) == plain
    p3 = shown((b"cICP", bytes((12, 13, 0, 1))), (b"sRGB", b"\0"))
    assert p3 == [83, 152, 205]
    profile = (b"iCCP", b"name\0\0" + zlib.compress(swapped()))
    assert shown(profile, (b"sRGB", b"\0"), *adobe)[:2] == [150, 100]
    assert shown((b"cICP", bytes((12, 13, 0, 1))), profile) == p3
    for nonsense in (
        gamma(0),
        gamma(2**31),
        (b"cHRM", bytes(32)),
        (b"gAMA", b"ab"),
        (b"cICP", b""),
    ):
        assert shown(nonsense) == plain
    points = struct.pack(">8I", *(31270, 32900) * 4)  # all colours are white
    assert shown((b"cHRM", points)) == plain


def test_narrow_range():
    data = png(3, 1, 8, 0, bytes((0, 16, 126, 235)), (b"cICP", bytes((1, 13, 0, 0))))
    np.testing.assert_allclose(load_image(data).rgb[0, :, 0], (0, 110 / 219, 1), atol=1e-3)


@pytest.mark.parametrize("kind", [0, 2, 3, 4, 6])
def test_gamma_of_every_colour_type(kind):
    rows = {0: b"\x64", 2: b"\x64\x64\x64", 3: b"\0", 4: b"\x64\x80", 6: b"\x64\x64\x64\x80"}[kind]
    palette = [(b"PLTE", b"\x64\x64\x64")] if kind == 3 else []
    picture = load_image(png(1, 1, 8, kind, b"\0" + rows, gamma(100_000), *palette))
    np.testing.assert_allclose(picture.rgb * 255, encode(100 / 255), atol=0.6)
    assert (picture.alpha is not None) == (kind in (4, 6))


@pytest.mark.parametrize(("kind", "count"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_all_16_bits_are_kept(kind, count):
    values = np.random.default_rng(1).integers(0, 65536, (5, 7, count), np.uint16)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    picture = load_image(png(7, 5, 16, kind, rows))
    colours = values[..., : 1 if count < 3 else 3]
    np.testing.assert_array_equal(
        picture.rgb, np.broadcast_to((colours / 65535).astype(np.float32), (5, 7, 3))
    )
    if count in (2, 4):
        np.testing.assert_array_equal(picture.alpha, (values[..., -1] / 65535).astype(np.float32))


def test_linear_light_of_16_bits_keeps_its_shadows():
    values = np.arange(0, 600, 3, dtype=">u2")
    rows = b"\0" + values.repeat(3).tobytes()
    rgb = load_image(png(len(values), 1, 16, 2, rows, gamma(100_000))).rgb[0, :, 0]
    np.testing.assert_allclose(rgb * 255, [encode(v / 65535) for v in values], atol=0.05)


def with_wrong_crc(data: bytes, kind: bytes) -> bytes:
    place = data.index(kind)
    (length,) = struct.unpack(">I", data[place - 4 : place])
    end = place + 4 + length
    return data[:end] + b"oops" + data[end + 4 :]


@pytest.mark.parametrize(
    "kind", [b"tEXt", b"zTXt", b"iTXt", b"tIME", b"pHYs", b"eXIf", b"gAMA", b"prVt"]
)
@pytest.mark.parametrize("damage", ["crc", "content"])
def test_damage_beside_the_pixels(kind, damage, recwarn, capfd):
    body = {b"gAMA": struct.pack(">I", 45_455)}.get(kind, b"\xff\xfe\0\xff broken")
    rows = b"".join(b"\0" + row.tobytes() for row in np.asarray(drawing()))
    data = png(48, 32, 8, 2, rows, (kind, body if damage == "crc" else b"\xff"))
    matches(load_image(with_wrong_crc(data, kind) if damage == "crc" else data), BLOCKS, None, 1e-6)
    assert not recwarn.list and capfd.readouterr().err == ""


def test_huge_text_is_not_read():
    text = zlib.compress(b"a" * 20_000_000)
    assert load_image(png(1, 1, 8, 0, b"\0\7", (b"zTXt", b"note\0\0" + text))).width == 1
    profile = zlib.compress(bytes(40_000_000))
    assert load_image(png(1, 1, 8, 0, b"\0\7", (b"iCCP", b"icc\0\0" + profile))).width == 1


def test_missing_end_and_damaged_pixels():
    data = encoded(drawing(), "PNG")
    matches(load_image(data[:-12]), BLOCKS, None, 1e-6)
    place = data.index(b"IDAT") + 30
    refused(lambda: load_image(data[:place] + b"\xff\xff\xff\xff" + data[place + 4 :]), "the bytes")
    refused(lambda: load_image(data[: place + 10]), "the bytes", "intact")


def test_orientation_in_the_ways_of_old_programs():
    turned = np.asarray(stored(np.asarray(drawing()), 6))
    rows = b"".join(b"\0" + row.tobytes() for row in turned)
    block = exif(6)
    raw = b"\nexif\n%8d\n" % len(block) + block.hex().encode() + b"\n"
    xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    for chunk in (
        (b"eXIf", block.removeprefix(b"Exif\0\0")),
        (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw)),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp),
    ):
        matches(load_image(png(32, 48, 8, 2, rows, chunk)), BLOCKS, None, 1e-6)


def test_srgb_profile_leaves_16_bits_as_they_are():
    values = np.random.default_rng(2).integers(0, 65536, (4, 4, 3), np.uint16)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    data = png(4, 4, 16, 2, rows, (b"iCCP", b"icc\0\0" + zlib.compress(srgb())))
    assert (load_image(data).rgb == (values / 65535).astype(np.float32)).all()
