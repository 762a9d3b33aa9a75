"""``adain compare --video`` as a user runs it."""

import pytest
from helpers import error_of

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from click.testing import CliRunner
from video_files import drawn, encode

from adain.cli.compare import compare
from adain.images import save_image


@pytest.fixture
def folder(tmp_path, painting, monkeypatch):
    encode(tmp_path / "film.mp4", [drawn(number) for number in range(4)])
    save_image(painting, tmp_path / "style.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


ARGUMENTS = ("film.mp4", "--style", "style.png", "--model", "fast", "-o", "report")


def run(*arguments):
    return CliRunner().invoke(compare, arguments, standalone_mode=False, catch_exceptions=False)


def test_a_film(folder, vgg19_weights):
    done = run("--video", *ARGUMENTS, "--frames", "3", "--size", "64", "--stylize-every", "2")
    assert "| fast, steady 0.9, every 2 |" in done.output
    assert done.output.splitlines()[-1].endswith("video-report.html: ready")
    names = {"video-report.html", "video-metrics.csv", "video-frames.png"}
    assert {path.name for path in (folder / "report").iterdir()} == names


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--video", *ARGUMENTS, "--count", "1"), "--video takes contents and --style"),
        (("--video", *ARGUMENTS, "--alpha", "0.5"), "--alpha goes with no --video"),
        ((*ARGUMENTS, "--frames", "3"), "--frames goes with --video"),
        (("--video", "no.mp4", *ARGUMENTS[1:]), "no.mp4: found "),
        (("--video", *ARGUMENTS[1:]), "contents and styles: found none"),
        (("--video", *ARGUMENTS, "--frames", "1"), "frames: found 1"),
    ],
)
def test_mistakes(folder, arguments, message):
    assert message in error_of(lambda: run(*arguments))
    assert not (folder / "report").exists()
