"""Numbered pictures, in and out: whose names are patterns, and none of which is replaced."""

from functools import partial

import numpy as np
import pytest
from helpers import error_of
from PIL import Image
from video_files import decoded, drawn, encode

from adain.options import StylizeOptions
from adain.video import VideoOptions, stylize_video
from adain.video.frames import frame_name, is_pattern
from adain.video.sequences import numbered

UNTOUCHED = StylizeOptions(alpha=0)
ALONE = VideoOptions(steady=0)


@pytest.fixture
def frames(tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in range(1, 4):
        Image.fromarray(drawn(number)).save(folder / f"{number:04}.png")
    return folder


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (".", "%04d.png"),
        (".", "other%d.png"),
        ("%04d.png", "%04d.png"),
        ("%04d.png", "%d.png"),
        ("%04d.png", "../frames/%03d.png"),
    ],
)
def test_frames_of_the_input_are_not_replaced(frames, stylizer, painting, source, target):
    before = {path: path.read_bytes() for path in frames.iterdir()}
    message = error_of(
        lambda: stylize_video(frames / source, painting, frames / target, stylizer=stylizer)
    )
    assert message.endswith("found frames of the input; allowed: another folder or pattern")
    assert {path: path.read_bytes() for path in frames.iterdir()} == before


def test_frames_of_other_names_may_lie_beside(frames, stylizer, painting):
    target = frames / "made-%d.png"
    stylize_video(frames / "%04d.png", painting, target, UNTOUCHED, ALONE, stylizer=stylizer)
    assert [path.name for path in numbered(target)] == [f"made-{n}.png" for n in (1, 2, 3)]
    for number in (1, 2, 3):
        made = np.asarray(Image.open(frames / f"made-{number}.png")).astype(int)
        assert np.abs(made - drawn(number)).max() <= 1


@pytest.mark.parametrize("name", ["50%.mp4", "a%04d.mp4", "c:x.mp4"])
def test_names_of_files_that_look_like_something_else(
    tmp_path, monkeypatch, stylizer, painting, name
):
    monkeypatch.chdir(tmp_path)
    encode(tmp_path / name, [drawn(number) for number in range(3)])
    stylize_video(name, painting, "out.mkv", UNTOUCHED, ALONE, stylizer=stylizer)
    assert len(decoded(tmp_path / "out.mkv")[0]) == 3


def test_only_the_number_of_a_pattern_is_one(tmp_path):
    assert [frame_name(name, 7) for name in ("%d.png", "50%-%04d.png", "%3d")] == [
        *("7.png", "50%-0007.png", "  7")
    ]
    assert [is_pattern(tmp_path / name) for name in ("%d.png", "50%.png", "%s.png")] == [
        *(True, False, False)
    ]


def test_frames_of_an_earlier_video_are_named(frames, stylizer, painting):
    target = frames / "made"

    def run(end=None):
        options = VideoOptions(steady=0, end=end)
        source = frames / "%04d.png"
        return stylize_video(source, painting, target, UNTOUCHED, options, stylizer=stylizer).notes

    assert run() == []
    (target / "cover.png").write_bytes(b"a picture that is no frame")
    assert run(end=0.08) == [f"another frame stays in {target}, such as 000003.png"]
    assert run(end=0.04) == [f"2 other frames stay in {target}, such as 000002.png"]
    assert run() == []


def test_a_refused_video_leaves_no_folder(frames, stylizer, painting):
    before = sorted(frames.rglob("*"))

    def run(target):
        late, source = VideoOptions(start=99), frames / "%04d.png"
        stylize_video(source, painting, target, video=late, stylizer=stylizer)

    for target in (frames / "new" / "newer", frames / "new" / "%d.png"):
        assert "no frame in the time asked for" in error_of(partial(run, target))
        assert sorted(frames.rglob("*")) == before
