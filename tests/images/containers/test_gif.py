"""GIF: frames that are not as large as the canvas, and what stands before the first."""

import struct

import numpy as np
import pytest
from PIL import Image
from sample_images import BLUE, drawing, encoded, refused

from adain.images import load_image


def parts() -> tuple[bytearray, int]:
    """A GIF of 48 x 32 pixels, and where its frame begins."""
    data = bytearray(encoded(drawing().quantize(6), "GIF"))
    return data, data.index(b",\0\0\0\0\x30\0\x20\0")


def with_frame(left: int, top: int, canvas: tuple[int, int] = (48, 32)) -> bytes:
    data, start = parts()
    struct.pack_into("<2H", data, start + 1, left, top)
    struct.pack_into("<2H", data, 6, *canvas)
    return bytes(data)


def test_a_frame_may_reach_beyond_its_canvas():
    picture = load_image(with_frame(10, 20))
    assert (picture.width, picture.height) == (58, 52)
    assert picture.alpha is not None and picture.alpha[20:, 10:].min() == 1
    assert picture.alpha[:20].max() == picture.alpha[:, :10].max() == 0
    whole = load_image(bytes(parts()[0]))
    assert (picture.rgb[20:, 10:] == whole.rgb).all() and whole.alpha is None


def test_the_size_is_judged_before_room_is_made(monkeypatch, recwarn):
    refused(lambda: load_image(with_frame(0, 0, (60_000, 1500))), "60,000 x 1,500")
    refused(lambda: load_image(with_frame(60_000, 1500)), "60,048 x 1,532")
    # A frame that is to be replaced by nothing needs a second picture.
    data, start = parts()
    replaced = data[:start] + b"!\xf9\4\x08\0\0\0\0" + data[start:]
    struct.pack_into("<2H", replaced, 6, 12_000, 12_000)
    refused(lambda: load_image(bytes(replaced)), "12,000 x 12,000")
    refused(lambda: load_image(with_frame(65_500, 0)), "a broken GIF image", "canvas")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)  # of which Pillow warns
    assert load_image(with_frame(10, 20)).width == 58
    assert not recwarn.list


@pytest.mark.parametrize(
    "before",
    [b"!\xfe\3abc\0", b"!\xfe\0", b"!\xff\x0bNETSCAPE2.0\3\1\0\0\0", b"!\x01\1,\2;!\0", b"\0\1xyz"],
)
def test_other_blocks_are_passed_over(before):
    data, start = parts()
    picture = load_image(bytes(data[:start] + before + data[start:]))
    assert (picture.rgb == load_image(bytes(data)).rgb).all()


def test_transparency_and_palettes_of_the_first_frame():
    image = Image.new("P", (4, 2), 1)
    image.putpalette([9, 9, 9, *BLUE])
    image.putpixel((0, 0), 0)
    picture = load_image(encoded(image, "GIF", transparency=0))
    assert picture.alpha is not None and picture.alpha[0, 0] == 0 and picture.alpha.sum() == 7
    assert (picture.to_array()[..., :3][1] == BLUE).all()
    frames = [Image.fromarray(np.full((5, 5, 3), c, np.uint8)) for c in ((1, 2, 3), (9, 9, 9))]
    animation = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert (load_image(animation).to_array() == (1, 2, 3)).all()


@pytest.mark.parametrize("cut", [8, 12, 20])
def test_without_a_frame_it_is_broken(cut):
    data, start = parts()
    refused(lambda: load_image(bytes(data[:cut])), "broken GIF")
    refused(lambda: load_image(bytes(data[:start] + b";")), "broken GIF", "no frame")
