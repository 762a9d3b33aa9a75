"""Arrays of every kind as pictures, other sizes, and 8 bits again."""

import numpy as np
import pytest
from sample_images import BLOCKS, OPACITY, refused

from adain.images import load_image, save_image
from adain.images.picture import MAX_SIDE, Picture

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


def test_rounding_is_to_the_nearest_level():
    rgb = np.array([[[0.49, 0.51, 254.6], [100.4, 100.6, 255.0]]], np.float32) / 255
    assert Picture(rgb).to_array().tolist() == [[[0, 1, 255], [100, 101, 255]]]
    image = Picture(rgb, np.array([[0.4, 254.8]], np.float32) / 255).to_pil()
    assert image.mode == "RGBA" and image.getpixel((1, 0)) == (100, 101, 255, 255)


def test_a_picture_is_read_as_itself_or_smaller():
    picture = load_image(np.dstack([BLOCKS, OPACITY]))
    assert load_image(picture) is picture
    smaller = load_image(picture, max_side=2)
    assert (smaller.width, smaller.height) == (2, 1) and smaller.alpha is not None
    refused(lambda: load_image(picture, max_pixels=5), "the picture", "3 x 2 pixels")


def test_arrays_that_are_no_picture():
    rgb = np.zeros((4, 5, 3), np.float32)
    refused(lambda: Picture(rgb[..., 0]), "the picture", "[4, 5]")
    refused(lambda: Picture(rgb.astype(np.float64)), "float64", "float32 [H, W, 3]")
    refused(lambda: Picture(rgb, rgb[:3, :, 0]), "alpha", "[3, 5]", "float32 [4, 5]")
    assert Picture(rgb[:, ::-1]).rgb.flags.c_contiguous
