"""Every way an image goes out: formats, qualities, and files whole or not at all."""

import io
import os
import resource
import stat
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image
from sample_images import (
    BLOCKS,
    OPACITY,
    drawing,
    exif,
    matches,
    means,
    refused,
    stored,
    swapped,
)

from adain.images import FORMATS, encode_image, load_image, save_image

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
