"""Every way an image comes in, and what is refused, on real files drawn here."""

import io
import os
import tempfile
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sample_images import (
    BLOCK,
    BLOCKS,
    drawing,
    encoded,
    exif,
    matches,
    means,
    png,
    refused,
    stored,
)

from adain.errors import AdaINError
from adain.images import FORMATS, MAX_PIXELS, load_image, save_image
from adain.images.picture import MAX_SIDE


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


def test_gif_frame_smaller_than_its_canvas():
    """As browsers have it: where the frame is not, there is nothing."""
    frame = encoded(drawing().quantize(6), "GIF")
    wide = bytearray(frame)
    wide[6:10] = (80).to_bytes(2, "little") + (60).to_bytes(2, "little")
    place = wide.index(b"\x2c\0\0\0\0")
    wide[place + 1 : place + 5] = (20).to_bytes(2, "little") + (10).to_bytes(2, "little")
    picture = load_image(bytes(wide))
    assert (picture.width, picture.height) == (80, 60) and load_image(frame).alpha is None
    assert picture.alpha[10:42, 20:68].min() == 1
    assert picture.alpha.sum() == 32 * 48
    np.testing.assert_allclose(means(picture.rgb[10:42, 20:68]), BLOCKS / 255, atol=1e-6)


def test_other_formats_are_named():
    for start, word in (
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"8BPS\0\1", "Photoshop"),
        (b"%PDF-1.7", "PDF"),
        (b"<svg xmlns='x'>", "SVG"),
        (b"\0\0\0 ftypisom", "video"),
        (b"\0\0\0\x0cjP  \r\n", "JPEG 2000"),
    ):
        refused(lambda start=start: load_image(start + bytes(90)), f"a file of {word}", "JPEG")


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
