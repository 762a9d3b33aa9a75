"""Folders of real image files as random crops."""

import os
from collections import Counter
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from helpers import error_of
from torch import Tensor

from adain.errors import AdaINError
from adain.images import save_image
from adain.learning.training import data
from adain.learning.training.data import ImageStore, decode, find_images, hold_out, split


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Pictures of one colour each, of different sizes, two in a folder below."""
    (tmp_path / "below").mkdir()
    for number, size in enumerate([(80, 120), (200, 100), (64, 64), (90, 300)]):
        folder = tmp_path / "below" if number % 2 else tmp_path
        save_image(np.full((*size, 3), 40 * number, np.uint8), folder / f"{number}.png")
    (tmp_path / "notes.txt").write_text("no image")
    return tmp_path


def test_images_are_found_below_the_folder(images: Path) -> None:
    assert sorted(path.name for path in find_images(images)) == [f"{i}.png" for i in range(4)]


def test_bad_folders_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(AdaINError, match="nothing: not a folder"):
        find_images(tmp_path / "nothing")
    with pytest.raises(AdaINError, match="no image found"):
        find_images(tmp_path)


def test_held_out_files_depend_on_their_names_alone(images: Path) -> None:
    paths = find_images(images)
    kept, held = hold_out(paths, 2)
    assert len(held) == 2 and not set(kept) & set(held) and len(kept) == 2
    assert hold_out(paths[::-1], 2)[1] == held
    # Never more than half, or a small folder would leave nothing to train on.
    assert len(hold_out(paths, 100)[1]) == 2


def test_links_are_followed_and_names_may_be_any_bytes(images: Path, tmp_path: Path) -> None:
    other = images / "other"
    other.mkdir()
    os.symlink(images / "below", other / "linked")
    os.symlink(images, other / "round")
    os.symlink("nowhere", other / "dead.jpg")
    latin = os.fsdecode(b"caf\xe9.png")
    (images / "0.png").rename(images / latin)
    names = [str(path.relative_to(other)) for path in find_images(other)]
    assert names == [
        "dead.jpg", "linked/1.png", "linked/3.png",
        "round/2.png", "round/below/1.png", "round/below/3.png", f"round/{latin}",
    ]  # fmt: skip
    train, held, left_out = split(other, 2, "images")
    assert len(train) == 5 and len(held) == 2 and left_out == []


def test_files_of_a_run_among_the_images_are_none_of_them(images: Path) -> None:
    before = find_images(images)
    (images / "below.run").mkdir()
    (images / "below.run" / "held_out.png").write_bytes(before[0].read_bytes())
    assert find_images(images, images / "below.run") == before
    assert len(find_images(images)) == len(before) + 1


def test_two_images_are_needed(tmp_path: Path) -> None:
    save_image(np.zeros((64, 64, 3), np.uint8), tmp_path / "one.png")
    allowed = "2 or more: one to train on and one held out"
    expected = f"{tmp_path}: found 1 image; allowed: {allowed}"
    assert error_of(lambda: split(tmp_path, 16, "images")) == expected
    (tmp_path / "broken.png").touch()
    _, held = hold_out(find_images(tmp_path), 1)
    if held[0].name == "broken.png":
        assert "and 1 that cannot be read" in error_of(lambda: split(tmp_path, 1, "images"))


def test_where_those_held_out_cannot_be_read_others_are(images: Path) -> None:
    paths = find_images(images)
    _, first = hold_out(paths, 1)
    first[0].write_bytes(b"no image")
    train, held, left_out = split(images, 1, "images")
    assert first[0] not in held and len(train) == 2 and len(held) == 1
    assert len(left_out) == 1 and first[0].name in left_out[0]


def test_a_large_image_is_brought_to_512(tmp_path: Path) -> None:
    save_image(np.zeros((600, 900, 3), np.uint8), tmp_path / "large.png")
    image = decode(tmp_path / "large.png")
    assert image.dtype == torch.uint8
    assert image.shape == (3, 512, 768)


def test_unreadable_files_are_left_out_and_named(images: Path) -> None:
    (images / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not really")
    (images / "empty.png").touch()
    store = ImageStore(find_images(images))
    assert len(store) == 4
    assert len(store.skipped) == 2
    assert {"broken.jpg", "empty.png"} == {
        name for name in ("broken.jpg", "empty.png") if any(name in line for line in store.skipped)
    }


def test_a_folder_of_unreadable_files_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    with pytest.raises(AdaINError, match="none of the 1 files is a readable image"):
        ImageStore(find_images(tmp_path))


@pytest.mark.parametrize("memory", [1 << 30, 0])
def test_crops_are_seeded_and_in_range(images: Path, memory: int) -> None:
    """Kept in memory or decoded each time, the same seed gives the same crops."""
    store = ImageStore(find_images(images), memory=memory)
    kept = ImageStore(find_images(images))
    crops = store.random_crops(16, 64, torch.Generator().manual_seed(1))
    assert crops.shape == (16, 3, 64, 64) and crops.dtype == torch.float32
    assert crops.min() >= 0 and crops.max() <= 1
    assert torch.equal(crops, kept.random_crops(16, 64, torch.Generator().manual_seed(1)))
    # Every picture has one colour, so every crop has, and all of them are drawn.
    assert crops.flatten(1).std(dim=1).max() < 1e-6
    assert {round(255 * crop.mean().item()) for crop in crops} == {0, 40, 80, 120}
    assert not torch.equal(crops, kept.random_crops(16, 64, torch.Generator().manual_seed(2)))


def test_crops_are_mirrored_and_scaled(tmp_path: Path) -> None:
    ramp = np.broadcast_to(np.linspace(0, 255, 256).astype(np.uint8)[None, :, None], (256, 256, 3))
    save_image(np.ascontiguousarray(ramp), tmp_path / "ramp.png")
    crops = ImageStore(find_images(tmp_path)).random_crops(64, 32, torch.Generator().manual_seed(0))
    slope = (crops[:, 0, 0, -1] - crops[:, 0, 0, 0]).numpy()
    assert (slope > 0).any() and (slope < 0).any()
    # A crop of 32 of the 256 columns spans an eighth of the ramp, the whole picture all of it.
    assert 0.1 < np.abs(slope).min() < 0.2
    assert np.abs(slope).max() > 0.6


def test_an_image_smaller_than_the_crop_is_enlarged(tmp_path: Path) -> None:
    save_image(np.full((20, 30, 3), 100, np.uint8), tmp_path / "small.png")
    store = ImageStore(find_images(tmp_path))
    crops = store.random_crops(2, 64, torch.Generator().manual_seed(0))
    assert crops.shape == (2, 3, 64, 64)
    assert store.centre_crop(0, 64).shape == (3, 64, 64)


def test_vivid_crops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """About half as they are, half with other colours, and some of one colour only."""
    monkeypatch.setattr(data, "EXCHANGED", 0)
    monkeypatch.setattr(data, "TESSELLATED", 0)
    generator = np.random.default_rng(0)
    picture = (0.4 + 0.2 * generator.random((64, 64, 3))).astype(np.float32)
    save_image(picture, tmp_path / "picture.png")
    paths = find_images(tmp_path)
    plain, vivid = (
        ImageStore(paths, vivid=choice).random_crops(200, 64, torch.Generator().manual_seed(0))
        for choice in (False, True)
    )
    assert vivid.min() >= 0 and vivid.max() <= 1
    flat = vivid.std(dim=(2, 3)).amax(dim=1) < 1e-5
    same = (vivid == plain).flatten(1).all(dim=1)
    assert 0.01 < flat.float().mean() < 0.12
    assert 0.35 < same.float().mean() < 0.55
    # The single colours are anywhere in RGB, the pictures' own mean stays as it is.
    assert vivid[flat].std(dim=0).mean() > 0.15
    changed = ~same & ~flat
    torch.testing.assert_close(
        vivid[changed].mean(dim=(1, 2, 3)), plain[changed].mean(dim=(1, 2, 3)), atol=0.02, rtol=0
    )
    assert vivid[changed].std() > 1.2 * plain[changed].std()


def test_colour_channels_are_exchanged_and_inverted(tmp_path: Path) -> None:
    """A fourth of the crops get any of the 48 symmetries of the RGB cube, one of which is none."""
    levels = (51, 102, 230)
    save_image(np.full((64, 64, 3), levels, np.uint8), tmp_path / "colour.png")
    store = ImageStore(find_images(tmp_path), vivid=True)
    crops = store.random_crops(4000, 64, torch.Generator().manual_seed(0))
    colours = Counter(tuple((255 * crop[:, 0, 0]).round().int().tolist()) for crop in crops)
    orders = list(permutations(levels))
    cube = {colour for order in orders for colour in product(*((v, 255 - v) for v in order))}
    assert len(cube) == 48 and cube <= colours.keys()
    # Of every twenty crops nine keep their contrast and saturation.
    exchanged = sum(colours[colour] for colour in cube - {levels}) / 4000
    assert 0.45 * 0.25 * 0.8 < exchanged < 0.45 * 0.25 * 1.2


def test_a_fifth_of_vivid_crops_is_redrawn_as_tiles(tmp_path: Path) -> None:
    """Pictures of one colour stay so, but for what is redrawn, in which tiles and joints differ."""
    save_image(np.full((64, 64, 3), (180, 120, 90), np.uint8), tmp_path / "colour.png")
    paths = find_images(tmp_path)
    plain, vivid = (
        ImageStore(paths, vivid=choice).random_crops(400, 64, torch.Generator().manual_seed(0))
        for choice in (False, True)
    )
    assert plain.flatten(2).std(dim=2).max() < 1e-6
    tiled = vivid.flatten(2).std(dim=2).amax(dim=1) > 1e-3
    assert 0.14 < tiled.float().mean() < 0.25
    # A share of a batch is redrawn as it is in the whole one.
    part = ImageStore(paths, vivid=True).random_crops(
        400, 64, torch.Generator().manual_seed(0), slice(100, 150)
    )
    assert torch.equal(part, vivid[100:150])


def test_a_third_of_the_crops_is_enlarged(tmp_path: Path) -> None:
    """VGGFeatures by the slope of a ramp: 1/4 of a picture at most, and 1/8 at least."""
    ramp = np.broadcast_to(np.linspace(0, 255, 256).astype(np.uint8)[None, :, None], (256, 256, 3))
    save_image(np.ascontiguousarray(ramp), tmp_path / "ramp.png")
    paths = find_images(tmp_path)

    def slopes(zoom: float) -> Tensor:
        store = ImageStore(paths, zoom=zoom)
        crops = store.random_crops(200, 64, torch.Generator().manual_seed(0))
        assert torch.equal(crops, store.random_crops(200, 64, torch.Generator().manual_seed(0)))
        # Without the ends, which end at the border of the picture.
        return (crops[:, 0, 32, 48] - crops[:, 0, 32, 16]).abs() * 2

    plain, zoomed = slopes(1.0), slopes(2.0)
    assert plain.min() > 0.23
    enlarged = zoomed < 0.23
    assert 0.2 < enlarged.float().mean() < 0.45
    assert 0.1 < zoomed.min() < 0.15
    # What is not enlarged is what it was.
    assert (zoomed == plain)[~enlarged].float().mean() > 0.9


def test_each_process_draws_its_share_of_the_same_crops(images: Path) -> None:
    store = ImageStore(find_images(images), zoom=2.0)
    whole, part = (
        store.random_crops(8, 64, torch.Generator().manual_seed(1), share)
        for share in (slice(None), slice(4, 8))
    )
    assert torch.equal(whole[4:], part)


def test_crops_of_512_where_pictures_allow(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (512, 512, 3), np.uint8)
    save_image(pixels, tmp_path / "noise.png")
    store = ImageStore(find_images(tmp_path))
    (crop,) = store.random_crops(1, 512, torch.Generator().manual_seed(0))
    found = (255 * crop).round().byte()
    assert any(torch.equal(found, image) for image in (store.image(0), store.image(0).flip(2)))
