"""Pictures read in windows, by Pillow or libvips, against the whole that `load_image` reads."""

from pathlib import Path

import numpy as np
import pytest
from helpers import error_of
from PIL import Image
from sample_images import exif, swapped

from adain.errors import AdaINError
from adain.images import load_image, streaming
from adain.images import windows as module
from adain.images.streaming import Streamed
from adain.images.windows import Windows, load_windows
from adain.resampling import Box, resampled_part


@pytest.fixture(scope="module")
def levels() -> np.ndarray:
    """RGBA, uint8 [205, 303, 4], smooth."""
    small = np.random.default_rng(0).integers(0, 256, (20, 30, 4), np.uint8)
    return np.asarray(Image.fromarray(small).resize((303, 205)))


def saved(levels: np.ndarray, path: Path, mode: str, **options: object) -> Path:
    Image.fromarray(levels).convert(mode).save(path, **options)
    return path


STREAMED = {
    "a.jpg": "RGB",
    "gray.jpg": "L",
    "a.png": "RGB",
    "alpha.png": "RGBA",
    "palette.png": "P",
    "gray alpha.png": "LA",
    "a.tif": "RGB",
    "alpha.tif": "RGBA",
}
HELD = {"cmyk.jpg": "CMYK", "a.webp": "RGB", "a.bmp": "RGB"}


def same_as_whole(windows: Windows, path: Path) -> bool:
    whole = load_image(path)
    assert (windows.width, windows.height) == (whole.width, whole.height)
    assert windows.has_alpha == (whole.alpha is not None)
    for _ in range(2):
        for top in range(0, whole.height, 64):
            for left in range(0, whole.width, 100):
                bottom, right = min(top + 90, whole.height), min(left + 133, whole.width)
                box = Box(max(0, top - 16), max(0, left - 16), bottom, right)
                part = windows.window(box)
                assert np.array_equal(part.rgb, whole.rgb[box.slices])
                if whole.alpha is not None:
                    assert np.array_equal(part.alpha, whole.alpha[box.slices])
    return True


@pytest.mark.parametrize("name", STREAMED | HELD)
def test_windows_are_parts_of_the_whole(levels, tmp_path, name):
    path = saved(levels, tmp_path / name, (STREAMED | HELD)[name])
    assert same_as_whole(load_windows(path), path)
    if streaming.is_here():
        windows = load_windows(path, streamed_pixels=0)
        assert isinstance(windows, Streamed) == (name in STREAMED)
        assert same_as_whole(windows, path)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif"])
def test_profiles_and_orientation_are_heeded(levels, tmp_path, name):
    path = saved(levels, tmp_path / name, "RGB", icc_profile=swapped())
    for least in (0, 10**9):
        assert same_as_whole(load_windows(path, streamed_pixels=least), path)
    for number in (3, 6):
        path = saved(levels, tmp_path / f"{number}{name}", "RGB", exif=exif(number))
        assert same_as_whole(load_windows(path, streamed_pixels=0), path)


def test_a_small_picture_does_not_wait_for_libvips(levels, tmp_path, monkeypatch):
    asked: list[bool] = []
    monkeypatch.setattr(streaming, "is_here", lambda: asked.append(True))
    for name, mode in STREAMED.items():
        path = saved(levels, tmp_path / name, mode)
        assert load_windows(path).width == 303 and asked == []
        assert load_windows(path, streamed_pixels=303 * 205).width == 303 and asked == [True]
        asked.clear()


def test_sixteen_bits(levels, tmp_path):
    pyvips = pytest.importorskip("pyvips")
    deep = levels[..., :3].astype(np.uint16) * 257 // 2 + 5
    image = pyvips.Image.new_from_array(deep).copy(interpretation="rgb16")
    for name, options in (("a.png", {}), ("a.tif", {"tile": True, "pyramid": True})):
        image.write_to_file(str(tmp_path / name), **options)
        for least in (0, 10**9):
            windows = load_windows(tmp_path / name, streamed_pixels=least)
            assert same_as_whole(windows, tmp_path / name)


def test_arrays_and_pictures(levels, tmp_path):
    path = saved(levels, tmp_path / "a.png", "RGBA")
    for source in (levels, load_image(path), Image.open(path), path.read_bytes()):
        assert same_as_whole(load_windows(source), path)
    assert error_of(lambda: load_windows(np.zeros((3, 9, 9)))) == error_of(
        lambda: load_image(np.zeros((3, 9, 9)))
    )


def test_a_file_that_ends_early_is_told(levels, tmp_path):
    path = saved(levels, tmp_path / "a.png", "RGB")
    path.write_bytes(path.read_bytes()[:-4000])
    windows = load_windows(path, streamed_pixels=0) if streaming.is_here() else None
    if isinstance(windows, Streamed):
        with pytest.raises(AdaINError, match=r"a\.png: found an image that cannot be decoded"):
            windows.window(Box(0, 0, windows.height, windows.width))
    assert "a.png: found " in error_of(lambda: load_windows(path))


def test_what_memory_does_not_hold_is_told_before(levels, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "memory_available", lambda: 100_000)
    path = saved(levels, tmp_path / "a.bmp", "RGB")
    message = error_of(lambda: load_windows(path))
    assert "a.bmp: found 303 x 205 pixels, which memory does not hold" in message


@pytest.mark.parametrize("size", [(37, 53), (700, 900), (1, 10), (205, 40)])
def test_parts_of_a_map_are_pillows_to_the_bit(size):
    plane = np.random.default_rng(1).random(size, np.float32)
    whole = np.asarray(Image.fromarray(plane).resize((303, 205), Image.Resampling.BILINEAR))
    for box in (Box(0, 0, 205, 303), Box(64, 128, 190, 303), Box(1, 2, 3, 300)):
        assert np.array_equal(resampled_part(plane, 303, 205, box), whole[box.slices])
