"""JPEG: without its end, with damaged metadata, larger than what is kept of it."""

import io

import numpy as np
import pytest
from PIL import Image
from sample_images import BLOCKS, drawing, encoded, exif, matches, refused, swapped

from adain.images import load_image


def noise(width: int = 200, height: int = 120) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (height // 4, width // 4, 3), np.uint8)
    return Image.fromarray(values).resize((width, height), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 4}])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("cut", [1, 2])
@pytest.mark.parametrize("max_side", [None, 40])
def test_only_the_end_is_missing(options, mode, cut, max_side):
    whole = encoded(noise().convert(mode), "JPEG", quality=90, **options)
    picture = load_image(whole[:-cut], max_side=max_side)
    assert (picture.rgb == load_image(whole, max_side=max_side).rgb).all()


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
@pytest.mark.parametrize("cut", [30, 200, 2000])
def test_where_pixels_are_missing_it_is_refused(options, cut):
    whole = encoded(noise(), "JPEG", quality=90, **options)
    refused(lambda: load_image(whole[:-cut]), "the bytes", "truncated")
    refused(lambda: load_image(whole[:-cut], max_side=40), "the bytes", "truncated")


def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body


@pytest.mark.parametrize(
    "extra",
    [
        segment(0xE0, b"JFIF\0\1"),
        segment(0xE1, b"Exif\0\0II*\0\xff\xff\xff\xff"),
        segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + bytes(range(256))),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta tiff:Orientation='9'"),
        segment(0xE2, b"MPF\0II*\0\x08\0\0\0\xff\xff broken"),
        segment(0xE2, b"ICC_PROFILE\0\1\2broken"),
        segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\xff\xff\xff\xff"),
        segment(0xFE, b"\xff\xfe\0"),
        b"\xff\xff\xff",
        # What decoders skip, and an EXIF block behind it that Pillow would warn of.
        b"\xff\xfe\0\2junk" + segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\1\2"),
        b"\xff\0\xff\xd0" + segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\1\2"),
        segment(0xF3, segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\1\2")),
    ],
    ids=range(12),
)
def test_damage_beside_the_pixels(extra, recwarn, capfd):
    whole = encoded(drawing(), "JPEG", quality=95)
    matches(load_image(whole[:2] + extra + whole[2:]), BLOCKS, None, 0.03)
    assert not recwarn.list and capfd.readouterr().err == ""


def test_orientation_and_profile_are_kept():
    turned = drawing().transpose(Image.Transpose.ROTATE_90)
    data = encoded(turned, "JPEG", quality=95, exif=exif(6), icc_profile=swapped(), comment=b"x")
    matches(load_image(data), BLOCKS[..., [1, 0, 2]], None, 0.03)


def test_size_is_judged_by_what_is_decoded():
    data = encoded(noise(1600, 1200), "JPEG")
    refused(lambda: load_image(data, max_pixels=500_000), "1,600 x 1,200", "500,000")
    # 1/4 of each side is decoded, 400 x 300.
    assert load_image(data, max_pixels=500_000, max_side=200).width == 200
    # 1/2 is 800 x 600 = 480,000 pixels; the whole is not.
    assert load_image(data, max_pixels=480_000, max_side=400).width == 400
    refused(lambda: load_image(data, max_pixels=479_999, max_side=400), "800 x 600")
    refused(lambda: load_image(data, max_pixels=480_000, max_side=900), "1,600 x 1,200")


def test_bombs_are_refused_before_they_are_decoded():
    header = bytearray(encoded(Image.new("RGB", (64, 64)), "JPEG"))
    place = header.index(b"\xff\xc0")
    header[place + 5 : place + 9] = (65_000).to_bytes(2, "big") * 2
    refused(lambda: load_image(bytes(header), max_side=512), "65,000 x 65,000")
    # Of a progressive one all coefficients are kept, however small it comes out.
    data = encoded(noise(1600, 1200), "JPEG", progressive=True)
    assert load_image(data, max_pixels=500_000, max_side=200).width == 200
    refused(lambda: load_image(data, max_pixels=400_000, max_side=200), "1,600 x 1,200")


def test_thousands_of_scans_are_refused():
    data = encoded(noise(), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    scan = data[last:-2]
    refused(lambda: load_image(data[:-2] + 1000 * scan + data[-2:]), "scans", "500")


@pytest.mark.parametrize(("marker", "word"), [(0xC3, "lossless"), (0xC5, "hierarchical")])
def test_other_processes_are_named(marker, word):
    data = bytearray(encoded(drawing(), "JPEG"))
    place = data.index(b"\xff\xc0")
    data[place + 1] = marker
    refused(lambda: load_image(bytes(data)), f"a {word} JPEG")
    data[place + 1], data[place + 4] = 0xC1, 12
    refused(lambda: load_image(bytes(data)), "12 bits")


def test_what_follows_the_end_is_no_part():
    data = encoded(drawing(), "JPEG", quality=95)
    picture = load_image(data + b"trailing" + data)
    assert (picture.rgb == load_image(io.BytesIO(data)).rgb).all()


def test_an_end_before_any_picture_ends_the_file(recwarn):
    whole = encoded(drawing(), "JPEG")
    scan = whole.index(b"\xff\xda")
    block = segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\1\2")
    data = whole[:scan] + b"\xff\xd9" + block + whole[scan:]
    refused(lambda: load_image(data), "a broken JPEG image")
    assert not recwarn.list
