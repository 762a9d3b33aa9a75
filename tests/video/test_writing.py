"""What containers do not take: it is left out, and said."""

import os
from fractions import Fraction

import numpy as np
import pytest
from helpers import error_of
from PIL import Image, ImageSequence
from video_files import av, decoded, drawn, encode

from adain.options import StylizeOptions
from adain.video import VideoOptions, stylize_video

FRAMES = [drawn(number) for number in range(12)]


@pytest.fixture
def run(stylizer, painting, tmp_path):
    def run(source, name):
        output, options = tmp_path / name, StylizeOptions(alpha=0)
        video = VideoOptions(steady=0)
        return output, stylize_video(source, painting, output, options, video, stylizer=stylizer)

    return run


def with_sound(path, codec):
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound = out.add_stream(codec, rate=48000, layout="mono")
        for number, pixels in enumerate(FRAMES):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        form = sound.codec_context.format.name
        samples = np.zeros((1, 9216), np.float32 if form == "fltp" else np.int16)
        audio = av.AudioFrame.from_ndarray(samples, format=form, layout="mono")
        audio.rate, audio.pts = 48000, 0
        out.mux(sound.encode(audio))
        out.mux(sound.encode(None))
    return path


@pytest.mark.parametrize(
    ("source", "codec", "target"),
    [("in.ts", "aac", "out.avi"), ("in.mkv", "flac", "out.ts"), ("in.mov", "pcm_s16le", "out.ts")],
)
def test_sound_that_is_left_out(run, tmp_path, source, codec, target):
    """AAC of transport streams lacks what AVI writes into its head; of FLAC .ts makes data."""
    output, done = run(with_sound(tmp_path / source, codec), target)
    with av.open(str(output)) as container:
        assert [stream.type for stream in container.streams] == ["video"]
    muxer = {"out.avi": "avi", "out.ts": "mpegts"}[target]
    assert f"audio in {codec} is left out: {muxer} takes none" in done.notes
    assert len(decoded(output)[0]) == 12


def test_sound_that_transport_streams_take(run, tmp_path):
    output, done = run(with_sound(tmp_path / "in.mp4", "aac"), "out.ts")
    with av.open(str(output)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
    assert done.notes == []


@pytest.mark.parametrize("suffix", [".ts", ".avi"])
def test_chapters_that_are_left_out(run, tmp_path, suffix):
    source = encode(tmp_path / "in.mp4", FRAMES, sound=True)
    muxer = {".ts": "mpegts", ".avi": "avi"}[suffix]
    notes = run(source, f"out{suffix}")[1].notes
    assert f"chapters are left out: {muxer} takes none" in notes


@pytest.mark.parametrize("fps", [60, 100, 120, 240])
def test_a_gif_of_many_frames_a_second_is_not_slower(run, tmp_path, fps):
    """Browsers show what is shown for 0.01 s for 0.1."""
    count = fps // 5
    frames = [drawn(n) for n in range(count)]
    source = encode(tmp_path / "in.mp4", frames, [90_000 * n // fps for n in range(count)])
    output, done = run(source, "out.gif")
    with Image.open(output) as image:
        durations = [frame.info["duration"] for frame in ImageSequence.Iterator(image)]
    assert min(durations) >= 20 and sum(durations) == pytest.approx(200, abs=10)
    (note,) = done.notes
    assert note.startswith("frames within 0.02 s of another are left out")


def test_the_longest_name(run, tmp_path):
    source = encode(tmp_path / "in.mp4", FRAMES[:2])
    assert run(source, 250 * "x" + ".mp4")[0].exists()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="POSIX permissions")
def test_a_folder_that_is_not_writable_is_said(run, tmp_path):
    source = encode(tmp_path / "in.mp4", FRAMES[:2])
    folder = "/proc" if os.geteuid() == 0 else str(tmp_path / "locked")
    if folder != "/proc":
        os.mkdir(folder, 0o500)
    if not os.path.isdir(folder):
        pytest.skip("no folder here that root cannot write into")
    message = error_of(lambda: run(source, f"{folder}/x.mp4"))
    assert message.startswith(f"{folder}/x.mp4: found a file that cannot be written")
