"""The Stylizer on the real model files of `fast`: what comes out, what is run again, what fails."""

import io
import multiprocessing
import os
import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from helpers import distance, error_of
from PIL import Image

from adain import Style, Stylizer, weights
from adain import stylizer as module
from adain.images import load_image

SIZES = [(1, 1), (1, 7), (15, 200), (200, 15), (16, 16), (17, 31), (30, 29), (33, 70)]
ALPHAS = [0, 0.25, 0.5, 0.75, 1]
MODES = ["1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "CMYK", "YCbCr", "LAB", "HSV"]
MODES += ["I;16", "I", "F"]
# Grey samples in the full range of these, as converting from RGB would not give them.
WIDE = {"I;16": (np.uint16, 257), "I": (np.int32, 257), "F": (np.float32, 1 / 255)}


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def in_mode(picture: np.ndarray, mode: str) -> Image.Image:
    image = Image.fromarray(picture)
    if mode in WIDE:
        dtype, scale = WIDE[mode]
        return Image.fromarray(np.asarray(image.convert("L")).astype(dtype) * dtype(scale))
    if mode in ("LA", "La", "PA", "RGBA", "RGBa"):
        image.putalpha(image.getchannel("G"))
        image = image.convert("LA" if mode == "La" else "RGBA")
    return image.convert(mode)


@pytest.fixture
def starry(stylizer: Stylizer, painting: np.ndarray) -> Style:
    return stylizer.encode_style(painting)


# What comes out


@pytest.mark.parametrize("level", [0, 60, 128, 230])
def test_no_grid_stands_in_a_flat_area(stylizer: Stylizer, starry: Style, level: int) -> None:
    """Away from the borders the picture has one colour, where a grid of 4 pixels would show."""
    picture = stylizer.stylize(np.full((64, 80, 3), level, np.uint8), starry)[16:48, 16:64]
    assert np.ptp(picture, axis=(0, 1)).max() <= 1  # an edge of rounding


@pytest.mark.parametrize("kind", ["str", "Path", "bytes", "file", "PIL"])
def test_what_is_no_array_gives_a_pil_image(stylizer, photo, painting, starry, tmp_path, kind):
    path = tmp_path / "photo.png"
    image = Image.fromarray(photo)
    image.save(path)
    with path.open("rb") as file:
        sources = {"str": str(path), "Path": path, "file": file, "PIL": image}
        result = stylizer.stylize(sources.get(kind, png(image)), starry, alpha=0.7)
    assert isinstance(result, Image.Image) and (result.mode, result.size) == ("RGB", (128, 96))
    assert np.array_equal(result, stylizer.stylize(photo, starry, 0.7))
    assert image.tobytes() == photo.tobytes()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("layout", ["HW", "HW1", "HW3", "HW4"])
def test_array_gives_an_array(stylizer, photo, starry, dtype, layout):
    grey = photo[..., :1]
    content = {"HW": photo[..., 0], "HW1": grey, "HW3": photo}.get(layout, np.dstack([photo, grey]))
    scale = {np.uint8: 1, np.uint16: 257}.get(dtype, 1 / 255)
    result = stylizer.stylize(content.astype(dtype) * dtype(scale), starry)
    assert isinstance(result, np.ndarray) and result.dtype == np.uint8
    assert result.shape == (96, 128, 4 if layout == "HW4" else 3)
    rgb = photo if layout in ("HW3", "HW4") else grey.repeat(3, axis=2)
    # Samples of other types are the same to the last bit or the one before.
    assert np.abs(result[..., :3] - stylizer.stylize(rgb, starry).astype(int)).max() <= 1


@pytest.mark.parametrize("mode", MODES)
def test_any_mode_serves_as_content_and_as_style(stylizer, photo, painting, mode):
    content, style = in_mode(photo, mode), in_mode(painting, mode)
    before = content.tobytes(), style.tobytes()
    result = stylizer.stylize(content, style)
    opacity = load_image(content).alpha
    assert (result.mode, result.size) == ("RGB" if opacity is None else "RGBA", (128, 96))
    rgb = stylizer.stylize(load_image(content).rgb, load_image(style).rgb)
    assert np.array_equal(np.asarray(result)[..., :3], rgb)
    assert (content.tobytes(), style.tobytes()) == before


def test_alpha_channel_is_kept_exactly(stylizer, photo, starry):
    opacity = (1 + np.arange(96 * 128) % 255).astype(np.uint8).reshape(96, 128)
    content = np.dstack([photo, opacity])
    result = stylizer.stylize(content, starry)
    assert np.array_equal(result[..., 3], opacity)
    assert np.array_equal(result[..., :3], stylizer.stylize(photo, starry))
    assert np.array_equal(stylizer.stylize(Image.fromarray(content), starry), result)


def test_rotated_photo_comes_out_upright(stylizer, photo, starry, tmp_path):
    upright, camera = Image.fromarray(photo), Image.Exif()
    camera[0x0112] = 6
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=camera)
    result = stylizer.stylize(tmp_path / "turned.png", starry)
    assert np.array_equal(result, stylizer.stylize(photo, starry))


@pytest.mark.parametrize("size", SIZES)
def test_any_size_is_kept(stylizer, photo, painting, size):
    height, width = size
    content, style = (np.tile(p, (3, 3, 1))[:height, :width] for p in (photo, painting))
    assert stylizer.stylize(content, style).shape == (height, width, 3)
    assert stylizer.stylize(Image.fromarray(content), style).size == (width, height)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (12, 200), (30, 29)])
def test_padding_repeats_the_picture_in_mirrors(stylizer, photo, starry, size):
    height, width = size
    content = np.tile(photo, (3, 2, 1))[:height, :width]
    mirrored = content
    for axis in (0, 1):  # row by row and column by column: 1 2 3 becomes 1 2 3 2 1 2 3 ...
        side = mirrored.shape[axis]
        target = max(16, -(-side // 4) * 4)
        cycle = [*range(side), *range(side - 2, 0, -1)]
        mirrored = mirrored.take([cycle[i % len(cycle)] for i in range(target)], axis)
    expected = stylizer.stylize(mirrored, starry)[:height, :width]
    assert np.array_equal(stylizer.stylize(content, starry), expected)


@pytest.mark.parametrize("size", [(16, 16), (17, 31), (30, 29), (96, 127)])
@pytest.mark.parametrize("alpha", [0, 0.6, 1])
def test_agrees_with_the_file_for_other_programs(stylizer, photo, painting, size, alpha):
    whole = onnxruntime.InferenceSession(weights.find(weights.onnx_file("fast", "whole"), get=""))
    content, style = photo[: size[0], : size[1]], painting[:101, :66]
    inputs = {"content": content[None], "style": style[None]}
    (expected,) = whole.run(None, inputs | {"alpha": np.array([alpha], np.float32)})
    difference = stylizer.stylize(content, style, alpha) - expected[0].astype(int)
    assert np.abs(difference).max() <= 1


def test_strength_moves_from_the_content_to_the_style(stylizer, photo, starry):
    results = [stylizer.stylize(photo, starry, alpha) for alpha in ALPHAS]
    assert distance(results[0], photo) < 0.12
    moved = [distance(results[0], result) for result in results]
    assert moved == sorted(moved) and moved[-1] > 0.05
    assert np.array_equal(stylizer.stylize(photo, starry), results[-1])
    again = stylizer.stylize(photo, starry, np.float32(0.5))
    assert np.array_equal(again, results[2])


def test_no_style_shows_at_strength_0(stylizer, photo, painting, starry):
    other = stylizer.encode_style(255 - painting)
    at_0, at_1 = ([stylizer.stylize(photo, s, alpha) for s in (starry, other)] for alpha in (0, 1))
    assert np.array_equal(*at_0)
    assert distance(*at_1) > 0.02


def test_style_may_be_a_picture(stylizer, photo, painting, starry, tmp_path):
    Image.fromarray(painting).save(tmp_path / "starry.png")
    result = stylizer.stylize(photo, tmp_path / "starry.png", 0.7)
    assert np.array_equal(result, stylizer.stylize(photo, starry, 0.7))


@pytest.mark.parametrize(("max_side", "size"), [(64, (48, 64)), (500, (96, 128)), (3, (2, 3))])
def test_max_side(stylizer, photo, starry, max_side, size):
    assert stylizer.stylize(photo, starry, max_side=max_side).shape == (*size, 3)


# What is run again


def test_same_picture_is_encoded_once(runs, photo, painting, tmp_path):
    stylizer, counter = runs
    Image.fromarray(painting).save(tmp_path / "starry.png")
    for style in (painting, painting.copy(), tmp_path / "starry.png", Image.fromarray(painting)):
        stylizer.stylize(photo.copy(), style)
    assert counter == {"style": 1, "encoder": 1, "decoder": 4}


def test_moving_the_strength_runs_the_decoder_alone(runs, photo, painting):
    stylizer, counter = runs
    for alpha in ALPHAS:
        stylizer.stylize(photo, painting, alpha)
    assert counter == {"style": 1, "encoder": 1, "decoder": len(ALPHAS)}


def test_another_style_leaves_the_content_as_it_is(runs, photo, painting):
    stylizer, counter = runs
    stylizer.stylize(photo, painting)
    stylizer.stylize(photo, painting[::-1])
    assert counter == {"style": 2, "encoder": 1, "decoder": 2}


def test_caches_tell_pictures_apart(runs, stylizer, photo, painting):
    fresh, counter = runs
    changed = photo.copy()
    changed[50, 60] += 1
    flat = np.full((32, 48, 3), 99, np.uint8)  # lying or standing, the bytes are the same
    contents = [photo, changed, flat, flat.swapaxes(0, 1), photo[::-1]]
    for content in contents:
        assert fresh.stylize(content, painting).shape == content.shape
    assert counter == {"style": 1, "encoder": len(contents), "decoder": len(contents)}
    coarse, fine = (fresh.encode_style(painting, max_side=side) for side in (32, 128))
    assert not np.array_equal(coarse.vector, fine.vector)
    assert np.array_equal(fine.vector, stylizer.encode_style(painting).vector)


def test_styles_not_used_for_long_make_room(runs):
    stylizer, counter = runs

    def styles_run(*levels: int) -> int:
        for level in levels:
            stylizer.encode_style(np.full((16, 16, 3), level, np.uint8))
        return counter["style"]

    assert styles_run(*range(32)) == 32
    assert styles_run(*range(32)) == 32
    assert styles_run(0, 99) == 33  # makes room for itself, and 0 is not the oldest any more
    assert styles_run(0, 31) == 33
    assert styles_run(1) == 34


def test_features_of_large_contents_are_not_kept(runs, photo, painting, monkeypatch):
    stylizer, counter = runs
    # 96 channels of float32 at a quarter of the sides.
    monkeypatch.setattr(module, "CACHED_BYTES", 24 * photo.shape[0] * photo.shape[1] - 1)
    first, second = (stylizer.stylize(photo, painting) for _ in range(2))
    assert counter["encoder"] == 2 and np.array_equal(first, second)


# Many threads


def test_eight_threads_get_what_one_gets(stylizer, photo, painting):
    def work(number: int) -> list[np.ndarray]:
        content = photo[: 40 + 7 * number, : 128 - 9 * number]
        styles = [painting[number:], np.roll(painting, number * 40)]
        return [worker.stylize(content, style, number / 7) for style in styles for _ in range(3)]

    worker = stylizer
    alone = [work(number) for number in range(8)]
    worker = Stylizer(device="cpu")
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(work, [*range(8), *reversed(range(8))]))
    for number, results in enumerate(together):
        expected = alone[number if number < 8 else 15 - number]
        assert all(map(np.array_equal, results, expected))


def test_threads_that_want_the_same_share_one_run(runs, photo, painting):
    stylizer, counter = runs
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: stylizer.stylize(photo, painting), range(8)))
    assert counter == {"style": 1, "encoder": 1, "decoder": 8}
    assert all(np.array_equal(result, results[0]) for result in results)


# Where it runs


def test_a_pickled_one_opens_its_files_again(photo, painting):
    opened = Stylizer("fast", "cpu", precision="fp16", threads=1, cached_contents=0)
    copy = pickle.loads(pickle.dumps(opened))
    assert (copy.model, copy.device, copy.precision) == ("fast", "cpu", "fp16")
    assert np.array_equal(copy.stylize(photo, painting), opened.stylize(photo, painting))
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        result = pool.submit(opened.stylize, photo, painting).result()
    assert np.array_equal(result, opened.stylize(photo, painting))


def cuda_runs() -> bool:
    return Stylizer().device != "cpu"


def test_device_cpu(stylizer):
    assert stylizer.device == "cpu"


def test_cuda_that_cannot_run_is_an_error(capfd):
    if cuda_runs():
        pytest.skip("CUDA runs here")
    for device in ("cuda", "cuda:1"):
        message = error_of(lambda device=device: Stylizer(device=device))
        assert message.startswith(f"device: found '{device}'") and "install adain[gpu]" in message
    # What ONNX Runtime has to say in its log is for the host program to allow.
    assert capfd.readouterr().out == ""


def test_cuda_gives_what_the_cpu_gives(stylizer, photo, painting):
    if not cuda_runs():
        pytest.skip("CUDA does not run here")
    cuda = Stylizer(device="cuda")
    assert cuda.device == "cuda:0"
    assert distance(cuda.stylize(photo, painting), stylizer.stylize(photo, painting)) < 0.01


def test_auto_falls_back_and_says_so_once():
    if cuda_runs():
        pytest.skip("CUDA runs here")
    script = (
        "import logging; logging.basicConfig(level=logging.INFO); from adain import Stylizer;"
        "print([Stylizer().device for _ in range(2)])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "['cpu', 'cpu']\n"
    said = done.stderr.splitlines()
    assert len(said) == 1 and "running on the CPU: " in said[0] and "install adain[gpu]" in said[0]


@pytest.mark.parametrize(
    "device",
    ["gpu", "cuda:", "cuda:x", "cuda:-1", "cpu:0", "coreml:1", "openvino:0", "CPU", "", None],
)
def test_unknown_device(device):
    message = error_of(lambda: Stylizer(device=device))
    assert message.startswith(f"device: found {device!r}; allowed: auto, cpu, cuda, tensorrt, ")


# What it needs


def test_stylising_imports_no_torch_and_no_gradio(tmp_path, photo):
    Image.fromarray(photo).save(tmp_path / "photo.png")
    script = (
        "import sys, adain; adain.Stylizer().stylize('photo.png', 'photo.png').save('out.png');"
        "print(sorted({'torch', 'torchvision', 'gradio', 'onnx'} & set(sys.modules)))"
    )
    env = os.environ | {"PYTHONPATH": str(Path(module.__file__).parents[1])}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=env)
    assert (done.stdout, done.stderr, done.returncode) == ("[]\n", "", 0)
    with Image.open(tmp_path / "out.png") as out:
        assert out.size == (128, 96)


# How many contents are kept


@pytest.mark.parametrize(("kept", "encoded"), [(0, 6), (1, 6), (2, 6), (3, 3)])
def test_cached_contents(photo, painting, monkeypatch, kept, encoded):
    stylizer, parts = Stylizer(device="cpu", cached_contents=kept), []
    run = stylizer._sessions.run
    monkeypatch.setattr(
        stylizer._sessions, "run", lambda part, *a, **o: parts.append(part) or run(part, *a, **o)
    )
    for _ in range(2):
        for number in range(3):
            stylizer.stylize(photo[number:], painting)
    assert parts.count("encoder") == encoded


def test_what_is_not_kept_is_not_hashed(photo, painting, monkeypatch):
    stylizer = Stylizer(device="cpu", cached_contents=0)
    style = stylizer.encode_style(painting)
    monkeypatch.setattr(module, "digest", lambda _: pytest.fail("a digest for no cache"))
    stylizer.stylize(photo, style)


@pytest.mark.parametrize("number", [-1, 1025, 1.5, "2", None, True])
def test_cached_contents_out_of_range(number):
    message = error_of(lambda: Stylizer(device="cpu", cached_contents=number))
    assert message == f"cached_contents: found {number!r}; allowed: an integer in 0..1024"
