"""Videos that break off, and what of them can be had; where times begin, and how one is sought."""

import re
from contextlib import closing
from fractions import Fraction

import pytest
from helpers import error_of
from video_files import av, decoded, drawn, encode

from adain.options import StylizeOptions
from adain.video import VideoOptions, stylize_video
from adain.video.reading import VideoFile

UNTOUCHED = StylizeOptions(alpha=0)


@pytest.mark.parametrize("kept", [0.6, 0.8, 0.99])
def test_the_end_that_an_error_names_is_one(tmp_path, stylizer, painting, kept):
    start = {"movflags": "faststart"}
    frames = [drawn(number) for number in range(75)]
    whole = encode(tmp_path / "whole.mp4", frames, options={"g": "5"}, container_options=start)
    source = tmp_path / "part.mp4"
    data = whole.read_bytes()
    source.write_bytes(data[: int(kept * len(data))])

    def run(end: float | None) -> None:
        video = VideoOptions(steady=0, end=end)
        stylize_video(source, painting, tmp_path / "out.mkv", UNTOUCHED, video, stylizer=stylizer)

    message = error_of(lambda: run(None))
    assert not (tmp_path / "out.mkv").exists()
    found = re.search(r"breaks off after ([\d.]+) s .* or an end at \1 s", message)
    assert found is not None, message
    end = float(found[1])
    assert error_of(lambda: run(end + 0.05)) == message
    run(end)
    # B-frames lie behind what they are shown before: none of those may lack.
    times = decoded(tmp_path / "out.mkv")[0]
    assert times == [Fraction(number, 25) for number in range(len(times))] != []
    assert times[-1] < end <= float(times[-1] + Fraction(1, 25))


@pytest.fixture
def times_of(tmp_path, stylizer, painting):
    """The times of the frames that a video has in a lossless output, and what was noted."""

    def times_of(source, name="out.mkv", **more):
        video = VideoOptions(steady=0, **more)
        output = tmp_path / name
        done = stylize_video(source, painting, output, UNTOUCHED, video, stylizer=stylizer)
        return decoded(output)[0], done.notes

    return times_of


FRAMES = [drawn(number) for number in range(50)]
SOUGHT = {
    "x.ts": {"codec": "libx264"},
    "x.m2v": {"codec": "mpeg2video"},
    "x.mpg": {"codec": "mpeg2video"},
    "x.avi": {"codec": "mjpeg", "form": "yuvj420p", "options": {}},
    "open.avi": {"codec": "libx264", "options": {"g": "12", "x264-params": "open-gop=1"}},
    "x.mkv": {"codec": "libx264"},
    "x.mp4": {"codec": "libx264"},
}


@pytest.mark.parametrize("name", SOUGHT)
@pytest.mark.parametrize("start", [0.31, 1.39, 1.79])
def test_a_start_loses_no_frame(tmp_path, times_of, name, start):
    """Also where a format has no index, and a seek lands behind the key frame that is wanted."""
    more = {"options": {"g": "12"}} | SOUGHT[name]
    source = encode(tmp_path / name, FRAMES, **more)
    whole, _ = times_of(source)
    assert len(whole) == 50
    times = times_of(source, start=start)[0]
    # The frame that is shown at the start has begun before, unless the file gives it less time.
    times = times[1:] if times[0] == 0 else times
    assert times == pytest.approx([time - start for time in whole if time >= start], abs=0.002)


def test_h264_with_b_frames_in_avi(tmp_path, times_of):
    """AVI says when frames are decoded, and FFmpeg guesses in which order they are shown."""
    source = tmp_path / "in.avi"
    with av.open(str(source), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"bf": "3"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(24):
            frame = av.VideoFrame.from_ndarray(FRAMES[number], format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    times, _ = times_of(source)
    assert [time - times[0] for time in times] == [Fraction(number, 25) for number in range(24)]
    for name in ("out.avi", "out.mp4"):
        assert len(times_of(source, name)[0]) == 24
    assert len(times_of(source, end=float(times[4]))[0]) == 4


def test_a_broadcast_begins_at_any_time(tmp_path, times_of):
    source = encode(tmp_path / "in.ts", FRAMES[:20], [9_000_000 + 3600 * n for n in range(20)])
    with av.open(str(source)) as container:
        assert container.start_time > 90_000_000
    times, _ = times_of(source, "out.mp4")
    assert times == [Fraction(number, 25) for number in range(20)]
    assert len(times_of(source, end=0.4)[0]) == 10
    assert len(times_of(source, "out.ts", start=0.4)[0]) in (10, 11)


def test_joined_broadcasts_go_on(tmp_path, times_of):
    parts = [
        encode(tmp_path / f"{begin}.ts", FRAMES[:20], [begin + 3600 * n for n in range(20)])
        for begin in (9_000_000, 450_000, 90_000_000)
    ]
    source = tmp_path / "in.ts"
    source.write_bytes(b"".join(part.read_bytes() for part in parts))
    for name in ("out.mkv", "out.mp4", "out.avi"):
        times, _ = times_of(source, name)
        assert times == pytest.approx([n / 25 for n in range(60)], abs=0.1)
    with closing(VideoFile(source)) as file:
        assert file.measured(whole=True) == (60, pytest.approx(2.4, abs=0.1))


def test_a_trim_over_whole_groups_of_pictures(tmp_path, times_of):
    """An edit list that begins behind a key frame: the packets before it are none to FFmpeg."""
    source = encode(tmp_path / "in.mp4", FRAMES, options={"g": "10", "bf": "0"})
    data = source.read_bytes()
    at = data.index(b"elst") + 12
    assert data[at - 4 : at] == (1).to_bytes(4, "big")
    length = int.from_bytes(data[at : at + 4], "big")
    edit = (length * 15 // 50).to_bytes(4, "big") + (3600 * 35).to_bytes(4, "big")
    source.write_bytes(data[:at] + edit + data[at + 8 :])
    assert len(times_of(source)[0]) == 15


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_other_streams_may_outlast_the_pictures(tmp_path, times_of, suffix):
    """A second video, and in Matroska subtitles."""
    source = tmp_path / f"in{suffix}"
    with av.open(str(source), "w") as out:
        videos = [out.add_stream("libx264", rate=25) for _ in range(2)]
        if suffix == ".mkv":
            words = out.add_stream("subrip")
            words.codec_context.subtitle_header = b"[Script Info]\n"
        for stream in videos:
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(50):
            for stream in videos[number >= 10 :]:
                frame = av.VideoFrame.from_ndarray(FRAMES[number], format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, 25)
                out.mux(stream.encode(frame))
        for stream in videos:
            out.mux(stream.encode(None))
        if suffix == ".mkv":
            packet = av.Packet(b"Hello")
            packet.stream, packet.pts, packet.dts, packet.duration = words, 300, 300, 20_000
            packet.time_base = Fraction(1, 1000)
            out.mux(packet)
    assert len(times_of(source)[0]) == 10
