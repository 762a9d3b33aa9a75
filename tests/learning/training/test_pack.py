"""Packing image folders for training elsewhere."""

import os
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from click.testing import CliRunner
from safetensors.torch import save_file

from adain.cli.pack import pack
from adain.errors import AdaINError
from adain.images import load_image, save_image
from adain.learning.models.fast import Fast
from adain.learning.training.data import find_images
from adain.learning.training.pack import pack_all, pack_images, pack_weights


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    generator = np.random.default_rng(0)
    for number in range(8):
        path = tmp_path / "images" / f"part{number % 2}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        save_image(generator.random((150, 200, 3)).astype(np.float32), path)
    (tmp_path / "images" / "broken.jpg").write_bytes(b"not an image")
    return tmp_path / "images"


def test_all_that_fits_is_packed_smaller(folder: Path, tmp_path: Path) -> None:
    count, size = pack_images(folder, tmp_path / "packed", 10, short_side=75)
    paths = find_images(tmp_path / "packed")
    assert count == 8 and size == sum(path.stat().st_size for path in paths)
    names = {path.relative_to(tmp_path / "packed").with_suffix("") for path in paths}
    assert names == {Path(f"part{number % 2}/{number}") for number in range(8)}
    assert all((picture.width, picture.height) == (100, 75) for picture in map(load_image, paths))


def test_the_limit_is_kept(folder: Path, tmp_path: Path) -> None:
    whole = pack_images(folder, tmp_path / "whole", 10)[1]
    count, size = pack_images(folder, tmp_path / "half", whole / 2e6)
    assert 1 <= count < 8 and size <= whole / 2
    # Whichever images are taken does not change from one call to the next.
    assert pack_images(folder, tmp_path / "again", whole / 2e6) == (count, size)


def test_what_cannot_be_packed(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(AdaINError, match="megabytes: found 1e-06; allowed: enough for one image"):
        pack_images(folder, tmp_path / "packed", 1e-6)
    with pytest.raises(AdaINError, match="images: not empty; give a new folder"):
        pack_images(folder, folder, 1)


def test_the_command(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "packed"
    done = CliRunner().invoke(pack, [str(folder), "-o", str(output), "--megabytes", "1"])
    assert done.exit_code == 0
    assert f"{output}: 8 images, " in done.output


@pytest.mark.usefixtures("vgg19_weights")
def test_all_that_training_elsewhere_needs(folder: Path, tmp_path: Path) -> None:
    packed, start = tmp_path / "packed", tmp_path / "start.safetensors"
    save_file({name: t.half() for name, t in Fast().state_dict().items()}, start)
    arguments = [str(folder), str(folder), "-o", str(packed), "--megabytes", "7.1", "--vgg"]
    done = CliRunner().invoke(pack, [*arguments, "--weights", f"fast={start}"])
    assert done.exit_code == 0, done.output
    assert (packed / "fast.safetensors").read_bytes() == start.read_bytes()
    parts = [packed / name for name in ("content", "style", "vgg19-rounded.safetensors")]
    sizes = [sum(f.stat().st_size for f in [p, *p.rglob("*")] if f.is_file()) for p in parts]
    assert all(sizes) and sum(sizes) <= 7.1e6


@pytest.mark.usefixtures("vgg19_weights")
def test_a_limit_that_vgg19_alone_exceeds(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(AdaINError, match=r"megabytes: found 5; allowed: more than the 7\.0"):
        pack_all(folder, folder, tmp_path / "packed", 5, vgg=True)


def test_weights_that_cannot_be_trained_are_not_packed(tmp_path: Path) -> None:
    save_file(Fast(64).state_dict(), tmp_path / "wide.safetensors")
    with pytest.raises(AdaINError, match="not weights of this model"):
        pack_weights(f"fast={tmp_path / 'wide.safetensors'}", tmp_path)
    with pytest.raises(AdaINError, match="found 'slow=x'; allowed: fast=FILE or vgg19=FILE"):
        pack_weights("slow=x", tmp_path)


def test_names_that_meet_are_told_apart(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for number, name in enumerate((b"a.jpg", b"a.png", b"A.bmp", b"caf\xe9.png")):
        gray = np.full((70, 70, 3), 60 * number, np.uint8)
        save_image(gray, os.fsdecode(os.fsencode(folder) + b"/" + name))
    os.symlink("nowhere", folder / "dead.png")
    os.symlink(folder, folder / "round")
    count, _ = pack_images(folder, tmp_path / "packed", 1)
    names = {os.fsencode(path.name) for path in find_images(tmp_path / "packed")}
    assert count == 4 == len(names) and b"caf\xe9.webp" in names
    assert len({name.lower() for name in names}) == 4
    packed = map(load_image, find_images(tmp_path / "packed"))
    assert {round(float(picture.rgb.mean()) * 4.25) for picture in packed} == {0, 1, 2, 3}


def test_nothing_is_written_where_something_does_not_fit(folder: Path, tmp_path: Path) -> None:
    packed, start = tmp_path / "packed", tmp_path / "start.safetensors"
    save_file({name: t.half() for name, t in Fast().state_dict().items()}, start)
    (packed / "style").mkdir(parents=True)
    (packed / "style" / "old.webp").touch()
    arguments = [str(folder), str(folder), "-o", str(packed), "--megabytes", "9"]
    done = CliRunner().invoke(pack, [*arguments, "--weights", f"fast={start}"])
    assert "style: not empty; give a new folder" in str(done.exception)
    assert [path.name for path in packed.iterdir()] == ["style"]
