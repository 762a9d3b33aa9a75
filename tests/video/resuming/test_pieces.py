"""Runs that are gone on with: what comes out is what one run would have made."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from helpers import distance, error_of
from PIL import Image
from video_files import TIMES, av, decoded, drawn, encode, packets

from adain.options import StylizeOptions
from adain.video import VideoOptions, run, stylize_video
from adain.video.resuming.progress import progress_file

FRAMES = [drawn(number) for number in range(7)] + [drawn(n, shot=1) for n in range(7, 12)]
LOSSLESS = {"codec": "ffv1"}


class Killed(BaseException):
    pass


@pytest.fixture
def make(stylizer, painting, tmp_path, monkeypatch):
    """Write a video: in one run, or in several that end, but the last, after so many frames."""
    monkeypatch.setattr(run, "PIECE", 3)

    def make(source, name, video=None, options=None, ends=(), styles=painting, **more):
        def once(**more):
            arguments = (source, styles, tmp_path / name, options, video)
            return stylize_video(*arguments, stylizer=stylizer, **{"resume": True} | more)

        for end in ends:

            def callback(done, total, end=end):
                if done == end:
                    raise Killed

            with pytest.raises(Killed):
                once(callback=callback)
            assert not (tmp_path / name).is_file()
        return tmp_path / name, once(**more)

    return make


def hidden(folder):
    return sorted(path.name for path in folder.rglob(".*"))


@pytest.mark.parametrize(
    ("steady", "ends", "kept"),
    [
        (0, [7], 6),
        (0.8, [8], 6),  # between two frames that the networks make whole
        (0.9, [2], 0),  # within the first piece
        (0.9, [4], 3),
        (0.9, [8, 2, 11], 9),  # the second time, while pieces are written again
        (0.9, [7, 12], 12),  # with all of them finished
    ],
)
def test_frames_are_those_of_one_run(make, stylizer, painting, tmp_path, steady, ends, kept):
    source = encode(tmp_path / "in.mkv", FRAMES, codec="ffv1", form="bgr0")
    video = VideoOptions(steady=steady, stylize_every=4 if steady == 0.8 else 1, **LOSSLESS)
    stylize_video(source, painting, tmp_path / "one.mkv", None, video, stylizer=stylizer)
    output, result = make(source, "out.mkv", video, ends=ends)
    assert (result.frames, result.kept, result.shots) == (12, kept, 2 if steady else 1)
    (times, expected), (found, pictures) = decoded(tmp_path / "one.mkv"), decoded(output)
    assert found == times and np.array_equal(pictures, expected)
    assert hidden(tmp_path) == []


@pytest.mark.parametrize(
    ("suffix", "more"),
    [
        (".mp4", {}),
        (".mkv", {}),
        (".webm", {}),
        (".avi", {}),
        (".ts", {}),
        (".mp4", {"codec": "libx265"}),
        (".mkv", {"codec": "libsvtav1"}),
        (".mp4", {"fps": 60.0}),
    ],
)
def test_times_and_sound_stay(make, stylizer, painting, tmp_path, suffix, more):
    source = encode(tmp_path / "in.mp4", FRAMES, TIMES, sound=True)
    video = VideoOptions(**more)
    plain = tmp_path / f"one{suffix}"
    stylize_video(source, painting, plain, None, video, stylizer=stylizer)
    output, result = make(source, f"out{suffix}", video, ends=[8])
    assert result.kept == 6
    (times, expected), (found, pictures) = decoded(plain), decoded(output)
    assert found == times and len(times) == result.frames
    assert max(map(distance, pictures, expected)) < 0.05
    if suffix in (".mp4", ".mkv", ".ts"):
        assert packets(output, "audio") == packets(plain, "audio")
    with av.open(str(output)) as container:
        stamps = [p.dts for p in container.demux(video=0) if p.dts is not None]
    assert all(one < other for one, other in itertools.pairwise(stamps))


def test_alpha_animations_and_folders(make, tmp_path):
    alpha = np.full((48, 64), 255, np.uint8)
    alpha[:, 40:] = 0
    frames = [np.dstack([frame, alpha]) for frame in FRAMES]
    source = encode(tmp_path / "in.mov", frames, codec="prores_ks", form="yuva444p10le")
    for name in ("out.webm", "out.mov"):
        one, _ = make(source, f"one-{name}")
        other, result = make(source, f"two-{name}", ends=[7])
        assert result.kept == 6
        assert np.array_equal(decoded(one)[1], decoded(other)[1])
    for name in ("out.webp", "out.gif", "out.png", "out", "%d.jpg"):
        one, _ = make(source, f"one-{name}")
        other, result = make(source, f"two-{name}", ends=[7])
        assert result.kept == 6
        assert files(one) == files(other)
    assert hidden(tmp_path) == []


def files(output):
    """What a file, a folder or a pattern holds."""
    if output.is_dir():
        found = sorted(output.iterdir())
    else:
        found = sorted(output.parent.glob(output.name.replace("%d", "*")))
    assert len(found) in (1, 12)
    return [path.read_bytes() for path in found]


@pytest.mark.parametrize("fps", [60.0, 250.0])
def test_frames_that_repeat_across_a_break(make, tmp_path, fps):
    """At the higher rate a frame repeats over whole pieces."""
    source = encode(tmp_path / "in.mkv", FRAMES[:4], codec="ffv1", form="bgr0")
    video = VideoOptions(fps=fps, **LOSSLESS)
    one = decoded(make(source, "one.mkv", video)[0])
    other = decoded(make(source, "two.mkv", video, ends=[4])[0])
    assert one[0] == other[0] and np.array_equal(one[1], other[1])


def test_ended_early_it_plays_and_is_gone_on_with(make, tmp_path):
    source = encode(tmp_path / "in.mp4", FRAMES, sound=True)
    output, result = make(source, "out.mp4", callback=lambda done, total: done == 8)
    assert result.interrupted and len(decoded(output)[0]) == 8
    # Ended while what is kept is written again, the longer part stays.
    _, result = make(source, "out.mp4", callback=lambda done, total: done == 2)
    assert result.interrupted and len(decoded(output)[0]) == 8
    output, result = make(source, "out.mp4")
    assert (result.kept, len(decoded(output)[0])) == (6, 12) and hidden(tmp_path) == []


OTHERS = {
    "alpha": {"options": StylizeOptions(alpha=0.5)},
    "smooth": {"options": StylizeOptions(smooth=0.5)},
    "steady": {"video": VideoOptions(steady=0.1)},
    "crf": {"video": VideoOptions(crf=30)},
    "styles": {"styles": np.zeros((9, 9, 3), np.uint8)},
    "style_at": {"video": VideoOptions(style_at={1: np.zeros((9, 9, 3), np.uint8)})},
    "masks": {"options": StylizeOptions(masks=[np.zeros((9, 9), np.float32)])},
}


def test_another_recipe_or_source_is_refused(make, tmp_path):
    source = encode(tmp_path / "in.mp4", FRAMES)
    output, _ = make(source, "out.mp4", callback=lambda done, total: done == 7)
    kept = progress_file(output).read_bytes()
    for name, other in OTHERS.items():
        message = error_of(lambda other=other: make(source, "out.mp4", **other))
        assert f"out.mp4: found an unfinished run with other values of {name}; allowed: " in message
    source.write_bytes(encode(tmp_path / "other.mp4", FRAMES[1:]).read_bytes())
    assert "other values of source;" in error_of(lambda: make(source, "out.mp4"))
    assert progress_file(output).read_bytes() == kept
    # A run that begins anew, and is whole, leaves nothing of the one before.
    make(source, "out.mp4", resume=False)
    assert hidden(tmp_path) == []


def test_what_is_no_progress_is_refused(make, tmp_path):
    source = encode(tmp_path / "in.mp4", FRAMES)
    progress_file(tmp_path / "out.mp4").write_text("notes of mine, much longer than a head" * 40)
    assert "out.mp4.adain-resume: found progress that cannot" in error_of(
        lambda: make(source, "out.mp4")
    )
    assert hidden(tmp_path) == [".out.mp4.adain-resume"]


def test_frames_of_a_folder(make, tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for number, frame in enumerate(FRAMES):
        Image.fromarray(frame).save(folder / f"{number}.png")
    one = decoded(make(folder, "one.mkv", VideoOptions(**LOSSLESS))[0])
    other = decoded(make(folder, "two.mkv", VideoOptions(**LOSSLESS), ends=[7])[0])
    assert np.array_equal(one[1], other[1])
    assert one[0] == other[0] == [Fraction(n, 25) for n in range(12)]
