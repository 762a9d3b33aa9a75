"""Tiles against the whole: the same picture to the bit, for every model and every option."""

from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest

from adain import Stylizer, footprint, registry, tiling
from adain.images import load_image
from adain.images.picture import Picture
from adain.options import StylizeOptions
from adain.recipe import Recipe
from adain.resampling import Box
from adain.tiling import grid

# Height and width: no multiples of a stride, one and several tiles each way.
ODD = [(301, 467), (401, 130), (65, 500), (23, 390)]
RAMP = np.linspace(0, 255, 35).astype(np.uint8).reshape(5, 7)


@pytest.fixture(scope="module", params=[*registry.TRAINED, "imported"])
def machine(request: pytest.FixtureRequest) -> Stylizer:
    """Each model on the CPU, and one whose decoder is of the paper's form."""
    with pytest.MonkeyPatch.context() as patch:
        name = request.param
        if name != "fast":
            fixture = "vgg19_files" if name == "vgg19" else name
            patch.setenv("ADAIN_WEIGHTS", str(request.getfixturevalue(fixture)))
            name = "mosaic-2" if name == "imported" else name
        return Stylizer(name, "cpu", cached_contents=0)


@pytest.fixture
def smallest_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[Stylizer], int]:
    """The side of the smallest tiles, where the whole has the statistics that tiles have."""
    monkeypatch.setattr(tiling, "EXACT", 0)
    return lambda machine: 2 * footprint.reach(machine.row)[1] + 64


@pytest.fixture
def smallest(machine: Stylizer, smallest_of: Callable[[Stylizer], int]) -> int:
    return smallest_of(machine)


def content(height: int, width: int, *, alpha: bool = False, grain: float = 0.03) -> Picture:
    """Waves and grain; with alpha, a hole and a faint part."""
    y, x = np.mgrid[0:height, 0:width]
    rgb = np.stack([y / height, (np.sin(x / 7 + y / 31) + 1) / 2, x / width], axis=-1)
    rgb += np.random.default_rng(0).normal(0, grain, rgb.shape)
    opacity = None
    if alpha:
        opacity = np.clip(np.sin(x / 90) + 1, 0, 1).astype(np.float32)
        opacity[height // 3 : height // 2, width // 4 :] = 0
    return Picture(rgb.clip(0, 1).astype(np.float32), opacity)


def both(
    machine: Stylizer, side: int, picture: Picture, style: object, **options: object
) -> tuple[Picture, Picture]:
    """The picture in one piece, and in tiles of this side."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(footprint, "tile_side", lambda *_: None)
        whole = machine.stylize(picture, style, **options)
        patch.setattr(footprint, "tile_side", lambda *_: side)
        tiled = machine.stylize(picture, style, **options)
    return whole, tiled


def same(pictures: tuple[Picture, Picture]) -> bool:
    whole, tiled = pictures
    assert whole.alpha is tiled.alpha or np.array_equal(whole.alpha, tiled.alpha)
    difference = np.abs(whole.rgb - tiled.rgb)
    assert difference.max() == 0, f"{difference.max():g}, at {(difference > 0).mean():.2%}"
    return True


@pytest.mark.parametrize("size", ODD)
def test_tiles_are_the_whole(machine, smallest, painting, size):
    assert same(both(machine, smallest, content(*size), painting))


def test_a_margin_of_a_stride_less_would_not_do(machine, smallest, painting, monkeypatch):
    encoder, reach = footprint.reach(machine.row)
    monkeypatch.setattr(footprint, "reach", lambda _: (encoder, reach - 8))
    whole, tiled = both(machine, smallest, content(301, 467), painting)
    assert 0 < np.abs(whole.rgb - tiled.rgb).max() < 0.01


OPTIONS = {
    "strength": {"alpha": 0.6},
    "strength 0": {"alpha": 0.0},
    "map": {"alpha": RAMP},
    "map as large": {"alpha": np.tile(np.linspace(0, 1, 467), (301, 1))},
    "map of one value": {"alpha": np.full((3, 4), 0.3)},
    "masks": {"masks": [RAMP, 255 - RAMP]},
    "masks and map": {"masks": [RAMP, RAMP > 99], "alpha": RAMP[::-1], "style_weights": [3, 1]},
    "mixture": {"style_weights": [3, 1]},
    "matched": {"colours": "matched"},
    "luminance": {"colours": "luminance", "alpha": 0.7},
    "smooth": {"smooth": 0.5},
    "smooth luminance": {"smooth": 1.0, "colours": "luminance", "alpha": 0.05},
}


def same_with(machine: Stylizer, side: int, painting: object, option: str, alpha: bool) -> bool:
    options = OPTIONS[option]
    two = options.keys() & {"masks", "style_weights"}
    style = [painting, 255 - painting[::-1]] if two else painting
    return same(both(machine, side, content(301, 467, alpha=alpha), style, **options))


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("alpha", [False, True], ids=["opaque", "transparent"])
def test_options(stylizer, smallest_of, painting, option, alpha):
    assert same_with(stylizer, smallest_of(stylizer), painting, option, alpha)


@pytest.mark.parametrize("option", ["strength", "masks and map"])
def test_networks_take_one_style_or_a_map_of_them(machine, smallest, painting, option):
    """All else is the same for each model."""
    assert same_with(machine, smallest, painting, option, alpha=True)


def test_a_large_picture_in_one_piece_has_the_statistics_of_its_tiles(stylizer, painting):
    """Without a word to `tiling.EXACT`."""
    picture = content(1303, 1601)
    assert same(both(stylizer, 1000, picture, painting))


def test_statistics_of_the_encoder_change_a_level_here_and_there(stylizer, painting):
    whole, tiled = both(stylizer, 512, content(301, 467), painting)
    assert np.abs(whole.rgb - tiled.rgb).max() < 1e-5
    levels = whole.to_array().astype(int) - tiled.to_array()
    assert np.abs(levels).max() <= 1 and (levels != 0).mean() < 1e-3


def test_statistics_can_be_estimated(stylizer, painting, tmp_path, monkeypatch):
    monkeypatch.setattr(footprint, "largest_tile", lambda *_: 352)
    monkeypatch.setattr(tiling, "SAMPLE", 5)
    picture = content(1101, 1303, grain=0)
    made = {}
    for kind in get_args(tiling.StatisticsFrom):
        stylizer.stylize_large(picture, painting, tmp_path / "out.png", statistics_from=kind)
        made[kind] = load_image(tmp_path / "out.png").rgb
    error = {kind: np.abs(made[kind] - made["picture"]).mean() for kind in made}
    # Some tiles have the picture's features, and a smaller version has others.
    assert 0 < error["sample"] < 0.03
    assert 0 < error["sample"] < error["thumbnail"] < 0.3
    monkeypatch.setattr(tiling, "SAMPLE", 1000)
    stylizer.stylize_large(picture, painting, tmp_path / "out.png", statistics_from="sample")
    assert np.array_equal(load_image(tmp_path / "out.png").rgb, made["picture"])


@pytest.mark.parametrize(("width", "height"), [(1, 1), (64, 640), (1000, 777), (20_000, 301)])
def test_a_grid_covers_each_pixel_once(width, height):
    seen = np.zeros((height, width), np.uint8)
    for box, outer in grid(width, height, 512, 112):
        seen[box.slices] += 1
        assert box.top % 64 == box.left % 64 == 0
        assert max(outer.height, outer.width) <= 512
        assert outer.top == max(0, box.top - 112) and outer.right == min(width, box.right + 112)
        assert box.within(outer) == Box(
            box.top - outer.top,
            box.left - outer.left,
            box.bottom - outer.top,
            box.right - outer.left,
        )
    assert (seen == 1).all()


def test_what_is_asked_for_is_checked_before_the_work(stylizer, photo, painting):
    with pytest.raises(ValueError, match="masks: found 1 for 2 styles"):
        Recipe.of([painting, painting], StylizeOptions(masks=[RAMP]))


def test_a_model_that_is_gone_from_the_disk_goes_on(imported, painting, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("ADAIN_WEIGHTS", str(imported))
        stylizer = Stylizer("mosaic-2", "cpu", memory_limit="60MB")
    assert stylizer.tile_side(500, 400) is not None
    assert stylizer.stylize(content(400, 500), painting).width == 500
