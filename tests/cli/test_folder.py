"""``adain stylize`` of folders, patterns and lists, as a user meets it."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from folder_files import files, put_pictures, stylize
from PIL import Image

from adain import Style, Stylizer
from adain.cli.main import cli
from adain.cli.run import run
from adain.network import Network


@pytest.fixture
def folder(tmp_path: Path, photo: np.ndarray, painting: np.ndarray, monkeypatch) -> Path:
    put_pictures(tmp_path, photo, painting)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def levels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_a_folder_comes_out_as_the_library_makes_it(folder, stylizer, photo, painting, capsys):
    assert stylize("photos", "style.png", "-o", "out/", "--alpha", "0.7") == 0
    said = capsys.readouterr()
    assert said.out.startswith("out: 2 done, 0 skipped, 0 failed, ")
    assert said.err == "stylizing\n"
    assert files(folder / "out") == {"a.png", "deep/b.png"}
    assert np.array_equal(levels(folder / "out/a.png"), stylizer.stylize(photo, painting, 0.7))
    assert stylize("photos", "style.png", "-o", "out/", "--alpha", "0.7", "--skip-existing") == 0
    assert capsys.readouterr().out.startswith("out: 0 done, 2 skipped, 0 failed, ")
    assert stylize("photos", "style.png", "-o", "out", "--alpha", "0.6", "--skip-existing") == 0
    assert capsys.readouterr().out.startswith("out: 2 done, 0 skipped, 0 failed, ")


def test_a_bad_file_fails_alone(folder, capsys):
    (folder / "photos" / "bad.jpg").write_bytes(b"no picture")
    assert stylize("photos", "style.png", "-o", "out", "--json") == 1
    said = capsys.readouterr()
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert sorted(line["status"] for line in lines) == ["done", "done", "failed"]
    (failed,) = (line for line in lines if line["status"] == "failed")
    assert failed["source"] == "photos/bad.jpg" and "photos/bad.jpg: found " in failed["error"]
    (done,) = (line for line in lines if line["source"] == "photos/a.png")
    assert done == {
        "status": "done",
        "source": "photos/a.png",
        "output": "out/a.png",
        "width": 128,
        "height": 96,
    }
    assert f"Error: {failed['error']}\n" in said.err


def test_each_style_by_its_name(folder, stylizer, photo, painting, monkeypatch):
    stylizer.encode_style(painting).save(folder / "mine.style")
    monkeypatch.setattr("sys.stdin", io.StringIO("photos/a.png\n"))
    styles = ("great-wave", "mine.style", "style.png")
    assert stylize("-", *styles, "-o", "out", "--each-style", "--format", "bmp") == 0
    names = {f"{name}/photos/a.bmp" for name in ("great-wave", "mine", "style")}
    assert files(folder / "out") == names
    expected = stylizer.stylize(photo, Style.load(folder / "mine.style"))
    for name in ("mine", "style"):
        assert np.array_equal(levels(folder / "out" / name / "photos/a.bmp"), expected)
    assert not np.array_equal(levels(folder / "out/great-wave/photos/a.bmp"), expected)


def test_mixtures_masks_and_kept_colours(folder, stylizer, photo, painting):
    Image.fromarray(255 - painting).save(folder / "other.png")
    Image.linear_gradient("L").save(folder / "mask.png")
    arguments = ("style.png", "other.png", "--mask", "mask.png", "--mask", "mask.png")
    arguments += ("--colours", "luminance", "-o", "out", "--style-size", "64")
    assert stylize("photos/*.png", *arguments) == 0
    how = {"masks": ["mask.png"] * 2, "colours": "luminance", "style_size": 64}
    expected = stylizer.stylize(photo, ["style.png", "other.png"], **how)
    assert np.array_equal(levels(folder / "out/a.png"), expected)


def test_one_picture_with_a_named_style_and_into_a_folder(folder, stylizer):
    assert stylize("photos/a.png", "great-wave", "-o", "one.png") == 0
    assert stylize("photos/a.png", "great-wave", "-o", "out/") == 0
    assert np.array_equal(levels(folder / "one.png"), levels(folder / "out/a.png"))


MISTAKES = {
    "a folder into a file": (("photos", "style.png", "-o", "out.png"), "photos: found many"),
    "nothing there": (("*.xyz", "style.png", "-o", "out"), "*.xyz: found no picture"),
    "into itself": (("photos", "style.png", "-o", "photos"), "photos: found one of the inputs"),
    "unknown format": (("photos", "style.png", "-o", "out", "--format", "gif"), "'gif'; allowed"),
    "one alone": (("photos/a.png", "style.png", "-o", "a.png", "--json"), "--json: found a single"),
    "a pyramid of many": (("photos", "night", "-o", "o", "--pyramid"), "--pyramid: found a folder"),
    "a sample of many": (
        ("photos", "night", "-o", "o", "--statistics-from", "sample"),
        "--statistics-from: found a folder, a pattern or a list of pictures; allowed: a single",
    ),
    "no such statistics": (
        ("photos/a.png", "night", "-o", "o.png", "--statistics-from", "tiles"),
        "--statistics-from: found 'tiles'; allowed: picture, sample or thumbnail",
    ),
    "no style": (("photos", "no-such-wave", "-o", "out"), "no-such-wave: found "),
    "a cluster for one": (
        ("photos/a.png", "night", "-o", "o.png", "--engine", "ray"),
        "--engine: found a single picture",
    ),
    "a cluster's address": (
        ("photos", "night", "-o", "out", "--address", "auto"),
        "--address: found the engine local; allowed: the engine ray",
    ),
    "masks of each": (
        ("photos", "night", "cubist", "-o", "o", "--each-style", *["--style-share", "1"] * 2),
        "style weights: found 2 for 1 style",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_told_before_the_work(folder, mistake, capsys):
    arguments, word = MISTAKES[mistake]
    before = files(folder)
    assert stylize(*arguments) == 2
    assert word in capsys.readouterr().err
    assert files(folder) == before


def test_a_cluster_needs_its_extra(folder, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert stylize("photos", "style.png", "-o", "out", "--engine", "ray") == 2
    said = capsys.readouterr().err
    assert said == "Error: the engine ray needs Ray: pip install 'adain[ray]'\n"
    assert not (folder / "out").exists()


def test_several_devices_take_turns(folder, monkeypatch):
    opened = []
    start = Stylizer.__init__

    def spy(self, model, device, **options):
        opened.append(device)
        start(self, model, "cpu", **options)

    monkeypatch.setattr(Stylizer, "__init__", spy)
    arguments = ["stylize", "photos", "style.png", "-o", "out", "--device", "cuda:0,cuda:1"]
    assert run(cli, arguments) == 0
    assert opened == ["cuda:0", "cuda:1"]
    assert files(folder / "out") == {"a.png", "deep/b.png"}


def test_styles_of_one_name_have_folders_of_their_own(folder, stylizer, painting):
    for name in ("a.style", "A-2.style", "more/a.style"):
        (folder / name).parent.mkdir(exist_ok=True)
        stylizer.encode_style(painting).save(folder / name)
    styles = ("a.style", "more/a.style", "A-2.style")
    assert stylize("photos/a.png", *styles, "-o", "out/", "--each-style") == 0
    assert files(folder / "out") == {"a/a.png", "a-2/a.png", "A-2-2/a.png"}


def test_contents_are_not_encoded_for_each_style(folder, monkeypatch):
    encoded = []
    encode = Network.encode

    def spy(self, rgb, **options):
        encoded.append(rgb)
        return encode(self, rgb, **options)

    monkeypatch.setattr(Network, "encode", spy)
    # Different ones, whose turns in the networks mix.
    for number in range(6):
        Image.fromarray(np.roll(levels(folder / "photos/a.png"), number + 1)).save(
            folder / "photos" / f"{number}.png"
        )
    styles = ("great-wave", "night", "cubist", "delft")
    assert stylize("photos", *styles, "-o", "out", "--each-style") == 0
    # Of 32; where a thread stands still for long, what it works on is encoded anew.
    assert 8 <= len(encoded) <= 20


def test_large_pictures_take_turns_on_a_device_and_not_on_all(folder, monkeypatch):
    monkeypatch.setattr("adain.batch.looks._SMALL", 0)
    both = threading.Barrier(2)
    stylize_with = Stylizer.stylize_with

    def spy(self, content, style, options):
        both.wait(timeout=300)
        return stylize_with(self, content, style, options)

    monkeypatch.setattr(Stylizer, "stylize_with", spy)
    arguments = ["stylize", "photos", "style.png", "-o", "out", "--device", "cpu,cpu"]
    assert run(cli, arguments) == 0
    assert files(folder / "out") == {"a.png", "deep/b.png"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_an_interrupted_run_is_gone_on_with(folder, photo, capsys):
    # Seconds of work, of which the first picture is told: the signal comes long before the last.
    large = np.tile(photo, (4, 4, 1))
    for number in range(40):
        Image.fromarray(np.roll(large, number)).save(folder / "photos" / f"{number}.png")
    command = [
        sys.executable,
        "-m",
        "adain",
        "stylize",
        "photos",
        "style.png",
        "-o",
        "out",
        "--json",
    ]
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["status"] == "done"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 130 and said.endswith("interrupted\n")
    assert not list((folder / "out").rglob("*.tmp"))
    assert stylize("photos", "style.png", "-o", "out", "--skip-existing") == 0
    done, skipped = (int(word) for word in capsys.readouterr().out.split()[1:4:2])
    assert skipped >= 1 and done + skipped == 42
