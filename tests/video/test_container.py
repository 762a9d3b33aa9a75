"""What container files say of their length, and lists of other files."""

from fractions import Fraction
from functools import partial

import pytest
from helpers import error_of
from video_files import drawn, encode

from adain.options import StylizeOptions
from adain.video import VideoOptions, stylize_video
from adain.video.container import last_frames, missing_bytes, open_file

FRAMES = [drawn(number) for number in range(75)]
CONTAINERS = {
    "mkv": {},
    "webm": {},
    "mp4": {"movflags": "faststart"},
    "mov": {"movflags": "faststart"},
    "fragments.mp4": {"movflags": "frag_keyframe+empty_moov"},
    "avi": {},
}


def made(folder, name):
    path, options = folder / f"whole.{name}", CONTAINERS[name]
    if name == "avi":
        return encode(path, FRAMES, codec="mjpeg", form="yuvj420p")
    codec = "libvpx" if name == "webm" else "libx264"
    return encode(path, FRAMES, codec=codec, options={"g": "5"}, container_options=options)


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_file_that_lacks_a_few_bytes(tmp_path, stylizer, painting, name):
    whole = made(tmp_path, name)
    assert missing_bytes(whole) is None
    data = whole.read_bytes()
    # A cut within the last packet, and within what comes behind it.
    source, output = tmp_path / f"part.{name}", tmp_path / "out.mkv"
    for size in (len(data) - 9, int(0.98 * len(data))):
        source.write_bytes(data[:size])
        assert missing_bytes(source) == f"{size} of {len(data)} bytes"
        message = error_of(partial(stylize_video, source, painting, output, stylizer=stylizer))
        assert f"({size} of {len(data)} bytes)" in message and not output.exists()


@pytest.mark.parametrize("name", CONTAINERS)
def test_what_follows_is_no_matter(tmp_path, name):
    whole = made(tmp_path, name)
    for more in (b"\0" * 5, b"and more of it" * 9):
        source = tmp_path / f"more.{name}"
        source.write_bytes(whole.read_bytes() + more)
        assert missing_bytes(source) is None


def test_recordings_whose_length_was_never_filled_in(tmp_path, stylizer, painting):
    live = {"live": "1"}
    source = encode(tmp_path / "in.mkv", FRAMES[:10], container_options=live)
    assert missing_bytes(source) is None
    avi = encode(tmp_path / "in.avi", FRAMES[:10], codec="mjpeg", form="yuvj420p")
    data = avi.read_bytes()
    avi.write_bytes(data[:4] + bytes(4) + data[8:])
    for path in (source, avi):
        assert missing_bytes(path) is None
        video = VideoOptions(steady=0)
        untouched = StylizeOptions(alpha=0)
        output = tmp_path / "out.mp4"
        done = stylize_video(path, painting, output, untouched, video, stylizer=stylizer)
        assert done.frames == 10


@pytest.mark.parametrize(
    "data", [b"", b"\x1a\x45\xdf\xa3", b"RIFF\xff\xff\0\0WAVE", b"text", bytes(40)]
)
def test_files_of_other_kinds_state_nothing(tmp_path, data):
    (tmp_path / "file").write_bytes(data)
    assert missing_bytes(tmp_path / "file") is None


def test_the_last_frames(tmp_path):
    with open_file(str(made(tmp_path, "mkv"))) as container:
        key, complete = last_frames(container, 0)
    assert key == Fraction(65, 25) <= complete <= Fraction(74, 25)


def test_boxes_of_large_files(tmp_path):
    """64-bit lengths, and a last box that goes to the end of the file."""
    head = (16).to_bytes(4, "big") + b"ftypisom\0\0\0\0"
    large = (1).to_bytes(4, "big") + b"mdat" + (100).to_bytes(8, "big")
    (tmp_path / "large.mp4").write_bytes(head + large + bytes(60))
    assert missing_bytes(tmp_path / "large.mp4") == "92 of 116 bytes"
    (tmp_path / "open.mp4").write_bytes(head + (0).to_bytes(4, "big") + b"mdat" + bytes(60))
    assert missing_bytes(tmp_path / "open.mp4") is None
