"""Large pictures from file to file: what is written, and in how much memory."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import error_of
from PIL import Image

from adain import Stylizer, footprint, tiling
from adain.images import load_image, streaming, windows
from adain.options import StylizeOptions

MEASURE = """
import sys
from adain import Stylizer
from adain.learning.peak_memory import peak_memory
Stylizer("fast", "cpu").stylize_large(*sys.argv[1:])
print(peak_memory())
"""


@pytest.fixture
def tiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small tiles, streamed files, and wholes with the statistics of tiles."""
    monkeypatch.setattr(footprint, "largest_tile", lambda *_: 352)
    monkeypatch.setattr(tiling, "EXACT", 0)
    monkeypatch.setattr(windows.load_windows, "__kwdefaults__", KEYWORDS | {"streamed_pixels": 0})


KEYWORDS = windows.load_windows.__kwdefaults__ or {}


@pytest.fixture
def photo_file(tmp_path: Path, photo: np.ndarray) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(photo).resize((500, 389)).save(path)
    return path


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".bmp"])
@pytest.mark.parametrize("streams", [True, False])
def test_the_file_is_what_stylize_gives(
    stylizer, tiled, photo_file, painting, tmp_path, monkeypatch, suffix, streams
):
    if streams and not streaming.is_here():
        pytest.skip("no pyvips here")
    if not streams:
        monkeypatch.setattr("adain.large.is_here", lambda: False)
        monkeypatch.setattr(streaming, "is_here", lambda: False)
    expected = np.asarray(stylizer.stylize(photo_file, painting, 0.8))
    output = tmp_path / f"out{suffix}"
    stylizer.stylize_large(photo_file, painting, output, StylizeOptions(alpha=0.8), quality=100)
    difference = np.abs(np.asarray(Image.open(output)) - expected.astype(int))
    assert difference.max() == 0 if suffix != ".jpg" else difference.mean() < 3
    assert sorted(path.name for path in tmp_path.iterdir()) == [output.name, "photo.png"]


@pytest.mark.parametrize("smooth", [0.0, 0.5])
def test_a_file_is_read_from_its_top_once_for_each_pass(
    stylizer, tiled, photo_file, painting, tmp_path, monkeypatch, smooth
):
    pytest.importorskip("pyvips")
    openings, opened = [], streaming._opened

    def counted(path: Path) -> object:
        openings.append(path)
        return opened(path)

    expected = np.asarray(stylizer.stylize(photo_file, painting, smooth=smooth))
    monkeypatch.setattr(streaming, "_opened", counted)
    output = tmp_path / "out.png"
    stylizer.stylize_large(photo_file, painting, output, StylizeOptions(smooth=smooth))
    # To see what it is, for the statistics, and for the pixels.
    assert len(openings) == 3
    assert np.array_equal(np.asarray(Image.open(output)), expected)


def test_alpha_is_kept(stylizer, tiled, photo_file, painting, tmp_path):
    rgba = Image.open(photo_file).convert("RGBA")
    rgba.putalpha(Image.linear_gradient("L").resize(rgba.size))
    rgba.save(photo_file)
    expected = np.asarray(stylizer.stylize(photo_file, painting))
    stylizer.stylize_large(photo_file, painting, tmp_path / "out.png")
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out.png")), expected)
    stylizer.stylize_large(photo_file, painting, tmp_path / "out.jpg")
    assert Image.open(tmp_path / "out.jpg").mode == "RGB"


def test_deep_zoom_and_pyramid(stylizer, tiled, photo_file, painting, tmp_path):
    pytest.importorskip("pyvips")
    for name in ("out.dzi", "out.tif"):
        for _ in range(2):  # the second takes the first one's place
            stylizer.stylize_large(photo_file, painting, tmp_path / name, pyramid="tif" in name)
    assert {path.name for path in tmp_path.iterdir()} == {
        *("out.dzi", "out_files", "out.tif", "photo.png")
    }
    assert 'Width="500"' in (tmp_path / "out.dzi").read_text()
    assert (tmp_path / "out_files" / "9" / "0_0.jpg").is_file()
    with Image.open(tmp_path / "out.tif") as pyramid:
        assert pyramid.n_frames == 3 and pyramid.size == (500, 389)


def test_mistakes_are_told_before_the_work(stylizer, photo_file, painting, tmp_path):
    def told(name: str, **options: object) -> str:
        return error_of(
            lambda: stylizer.stylize_large(photo_file, painting, tmp_path / name, **options)
        )

    assert "out.xyz: found the suffix '.xyz'" in told("out.xyz")
    assert "no/out.png: found " in told("no/out.png")
    if streaming.is_here():
        assert "out.png: found a pyramid in '.png'; allowed: .tif" in told("out.png", pyramid=True)


def test_a_limit_that_the_whole_exceeds_makes_tiles(photo_file, painting):
    small = Stylizer("fast", "cpu", memory_limit="40MB", cached_contents=0)
    assert small.tile_side(500, 389) is None
    big = np.asarray(Image.open(photo_file).resize((900, 700)))
    assert small.tile_side(900, 700) == footprint.largest_tile(small.row, 40_000_000) == 418
    expected = Stylizer("fast", "cpu").stylize(big, painting)
    difference = small.stylize(big, painting).astype(int) - expected
    assert np.abs(difference).max() <= 1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process's peak memory")
def test_memory_does_not_grow_with_the_picture(tmp_path, painting):
    pytest.importorskip("pyvips")
    Image.fromarray(painting).save(tmp_path / "style.png")
    peaks = []
    for height in (2000, 6000):
        levels = np.random.default_rng(0).integers(0, 256, (height // 20, 150, 3), np.uint8)
        Image.fromarray(levels).resize((3000, height)).save(tmp_path / "in.jpg")
        arguments = (tmp_path / "in.jpg", tmp_path / "style.png", tmp_path / "out.jpg")
        command = [sys.executable, "-c", MEASURE, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout))
        assert load_image(tmp_path / "out.jpg", max_side=99).width <= 99
    assert peaks[1] < min(1.2 * peaks[0], 1_000_000_000)
