"""Films and pictures compared per frame and steadily: figures, and what is refused."""

import math

import pytest
from helpers import error_of

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from video_files import drawn, encode, scene

from adain import weights
from adain.images import save_image
from adain.learning.comparison.video_options import CompareVideoOptions
from adain.learning.comparison.videos import clips_of, compare_videos
from adain.video.clips import KINDS

OPTIONS = CompareVideoOptions(models=["fast"], frames=10, size=96, threads=1)


@pytest.fixture
def film(tmp_path):
    return encode(tmp_path / "film.mp4", [drawn(n, 192, 128) for n in range(14)])


@pytest.fixture
def photo(tmp_path):
    save_image(scene(), tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.fixture
def style(tmp_path, painting):
    save_image(painting, tmp_path / "style.png")
    return tmp_path / "style.png"


def test_clips_of_a_film_and_of_a_picture(film, photo):
    (clip,) = clips_of(film, OPTIONS)
    assert clip.frames.shape == (10, 64, 96, 3)
    flow, seen = clip.flow(1, 0)
    # It moves by a pixel at twice the size; in a corner nothing does.
    assert abs(float(flow[20:, 40:-8, 0].mean()) - 0.5) < 0.15 and seen.mean() > 0.5
    rendered = clips_of(photo, OPTIONS)
    assert [each.name for each in rendered] == list(KINDS)
    assert {each.frames.shape for each in rendered} == {(10, 64, 96, 3)}


def test_measured_and_reported(film, style, tmp_path, vgg19_weights):
    lines = []
    page = compare_videos([film], [style], tmp_path / "report", OPTIONS, lines.append)
    rows = (tmp_path / "report" / "video-metrics.csv").read_text().splitlines()
    names = rows[0].split(",")
    figures = [dict(zip(names, row.replace('"', "").split(","), strict=False)) for row in rows[1:]]
    assert [row[: row.index(",")] for row in rows[1:]] == 3 * ["film"]
    text = page.read_text(encoding="utf-8")
    assert text.count("data:image/webp;base64,") == 3 and "{" + "means}" not in text
    assert "fast, per frame" in text and "fast, per frame" in lines[-1]
    assert len(figures) == 3 and "style loss" in names


def test_without_vgg19_there_are_no_losses(film, style, tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "look_for", lambda *names: None)
    from adain.learning.comparison.videos import _scorer

    lines = []
    assert _scorer(lines.append) is None
    assert lines[0].startswith("without style and content losses: ")


def test_steadier_than_per_frame(photo, style):
    from adain.images import load_image
    from adain.learning.comparison.videos import _results
    from adain.stylizer import Stylizer

    pan = clips_of(photo, OPTIONS)[0]
    stylizer = Stylizer("fast", "cpu", threads=1)
    content, per_frame, steady = _results(
        pan, ("photo", "style"), load_image(style), OPTIONS.methods(), {"fast": stylizer}, None
    )
    assert content.figures.keys() == {"short", "long"} and content.name == "content itself"
    assert per_frame.figures["detail"] == 100
    assert steady.figures["short"] < 0.8 * per_frame.figures["short"]
    assert not math.isnan(steady.figures["uncovered"])
    assert "style loss" not in steady.figures


def test_refused(tmp_path, style, photo):
    (tmp_path / "notes.mp4").write_text("nothing")
    for path, words in (
        (tmp_path / "no.mp4", "no.mp4: found a file that cannot be read"),
        (tmp_path / "notes.mp4", "notes.mp4: found no video"),
    ):
        run = [path], [style], tmp_path / "report", OPTIONS
        assert words in error_of(lambda run=run: compare_videos(*run))
    assert "contents and styles" in error_of(lambda: compare_videos([], [style], tmp_path))
    one = encode(tmp_path / "one.mp4", [drawn(0)])
    assert "found 1 frame" in error_of(lambda: clips_of(one, OPTIONS))
    assert not (tmp_path / "report").exists()
