"""AVIF and HEIC: colours by code points, names by bytes."""

import io
import struct
import sys

import numpy as np
import pytest
from PIL import Image
from sample_images import BLOCKS, drawing, encoded, matches, refused, srgb

from adain.images import FORMATS, load_image
from adain.images.containers.bmff import codec_of

avif = pytest.mark.skipif("AVIF" not in FORMATS, reason="Pillow is built without AVIF")


def heic(image: Image.Image, **options: object) -> bytes:
    pillow_heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    try:
        pillow_heif.from_pillow(image).save(buffer, quality=-1, chroma=444, **options)
    except RuntimeError:
        pytest.skip("this libheif does not encode HEVC")
    return buffer.getvalue()


def with_code_points(data: bytes, primaries: int, transfer: int) -> bytes:
    place = data.index(b"colrnclx") + 8
    return data[:place] + struct.pack(">HH", primaries, transfer) + data[place + 4 :]


def flat(level: int = 150) -> Image.Image:
    return Image.new("RGB", (64, 64), (level,) * 3)


@avif
def test_avif_of_p3_and_pq():
    colour = Image.new("RGB", (64, 64), (100, 150, 200))
    data = encoded(colour, "AVIF", quality=100, subsampling="4:4:4")
    plain = load_image(data).to_array()[9, 9].astype(int)
    np.testing.assert_allclose(plain, (100, 150, 200), atol=2)
    wide = load_image(with_code_points(data, 12, 13)).to_array()[9, 9].astype(int)
    np.testing.assert_allclose(wide, (83, 152, 205), atol=3)
    # Gray of 148/255 in PQ is diffuse white.
    white = load_image(with_code_points(encoded(flat(148), "AVIF", quality=100), 9, 16))
    np.testing.assert_allclose(white.rgb, 1, atol=0.03)
    assert load_image(with_code_points(data, 2, 2)).to_array()[9, 9].tolist() == plain.tolist()


@avif
def test_an_icc_profile_comes_before_code_points():
    data = encoded(flat(), "AVIF", quality=100, icc_profile=srgb())
    np.testing.assert_allclose(load_image(data).rgb * 255, 150, atol=2)


@avif
def test_avif_with_broken_exif(recwarn):
    block = Image.Exif()
    block[0x010F] = "a maker of cameras"
    data = encoded(drawing(), "AVIF", quality=95, exif=block.tobytes())
    place = data.index(block.tobytes()[6:10])
    data = data[: place + 4] + b"\xff" * 4 + data[place + 8 :]
    matches(load_image(data), BLOCKS, None, 0.06)
    assert not recwarn.list


@pytest.mark.parametrize("bits", [8, 10, 16])
def test_heic_is_read(bits):
    if bits == 8:
        picture = load_image(heic(drawing()))
        matches(picture, BLOCKS, None, 0.06)
        rgba = load_image(heic(drawing("RGBA")))
        assert rgba.alpha is not None and 0.2 < rgba.alpha.min() < 0.3
        wide = load_image(with_code_points(heic(flat()), 9, 16), max_side=32)
        assert wide.width == 32 and wide.rgb.mean() > 0.9
        refused(lambda: load_image(heic(drawing()), max_pixels=1000), "48 x 32")
        refused(lambda: load_image(heic(drawing())[:-200]), "the bytes", "intact")


def test_heic_without_its_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    for brands in (b"heic\0\0\0\0mif1heic", b"mif1\0\0\0\0mif1heic", b"heix\0\0\0\0mif1"):
        data = struct.pack(">I", 8 + len(brands)) + b"ftyp" + brands + bytes(100)
        refused(lambda data=data: load_image(data), "a HEIC image", "adain[heif]", "JPEG")


def test_brands():
    def named(brands: bytes) -> str | None:
        return codec_of(struct.pack(">I", 8 + len(brands)) + b"ftyp" + brands)

    assert named(b"avif\0\0\0\0mif1") == named(b"mif1\0\0\0\0avifmiaf") == "AVIF"
    assert named(b"heic\0\0\0\0mif1") == named(b"mif1\0\0\0\0heic") == "HEIC"
    assert named(b"isom\0\0\0\0mp42") is None and codec_of(b"\x89PNG") is None
