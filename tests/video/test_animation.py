"""GIF, APNG and animated WebP, in and out: frames, durations, loops and alpha."""

import struct
import zlib
from fractions import Fraction

import numpy as np
import pytest
from helpers import distance, error_of
from PIL import Image
from video_files import decoded, drawn, encode

from adain.options import StylizeOptions
from adain.video import VideoOptions, stylize_video

DURATIONS = [40, 60, 50, 150, 200]
UNTOUCHED, ALONE = StylizeOptions(alpha=0), VideoOptions(steady=0)


def animation(path, *, alpha=False, loop=0, **more):
    frames = [Image.fromarray(drawn(5 * number)) for number in range(5)]
    if alpha:
        for frame in frames:
            mask = Image.new("L", frame.size, 255)
            mask.paste(0, (40, 0, 64, 48))
            frame.putalpha(mask)
    loops = {} if loop is None else {"loop": loop}
    frames[0].save(
        path,
        save_all=True,
        append_images=frames[1:],
        duration=DURATIONS,
        lossless=True,
        **loops,
        **more,
    )
    return path


def read(path):
    with Image.open(path) as image:
        pictures, durations = [], []
        for number in range(image.n_frames):
            image.seek(number)
            pictures.append(np.array(image.convert("RGBA")))
            durations.append(round(image.info["duration"]))
        return pictures, durations, image.info.get("loop")


@pytest.fixture
def run(stylizer, painting, tmp_path):
    def run(source, name, options=UNTOUCHED, video=ALONE):
        stylize_video(source, painting, tmp_path / name, options, video, stylizer=stylizer)
        return tmp_path / name

    return run


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp"])
def test_frames_durations_and_alpha(run, tmp_path, suffix, alpha):
    source = animation(tmp_path / f"in{suffix}", alpha=alpha)
    before, durations, loop = read(source)
    after, found, looped = read(run(source, f"out{suffix}"))
    assert (found, looped) == (durations, loop) and durations == DURATIONS
    for old, new in zip(before, after, strict=True):
        assert np.array_equal(old[..., 3] > 127, new[..., 3] > 127)
        seen = old[..., 3] > 127
        assert distance(old[seen][:, :3], new[seen][:, :3]) < 0.03
        assert seen.all() != alpha


@pytest.mark.parametrize(
    ("suffix", "loop"), [(".gif", None), (".gif", 2), (".png", 3), (".webp", 4)]
)
def test_loops(run, tmp_path, suffix, loop):
    source = animation(tmp_path / f"in{suffix}", loop=loop)
    assert read(run(source, f"out{suffix}"))[2] == read(source)[2] == loop


def test_one_to_another_and_to_a_video(run, tmp_path):
    source = animation(tmp_path / "in.gif")
    assert read(run(source, "out.webp"))[1] == DURATIONS
    times = decoded(run(source, "out.mp4"))[0]
    assert times == [Fraction(time, 1000) for time in (0, 40, 100, 150, 300)]
    film = encode(tmp_path / "in.mp4", [drawn(n) for n in range(5)])
    assert read(run(film, "film.gif"))[1] == [40] * 5


def test_stylized(run, stylizer, painting, tmp_path):
    source = animation(tmp_path / "in.png")
    after = read(run(source, "out.png", StylizeOptions()))[0]
    for number, pixels in enumerate(after):
        expected = stylizer.stylize(drawn(5 * number), painting)
        assert distance(pixels[..., :3], expected) < 0.01


def test_a_part_and_a_smaller_one(run, tmp_path):
    source = animation(tmp_path / "in.gif")
    video = VideoOptions(steady=0, start=0.1, end=0.3)
    output = run(source, "out.gif", StylizeOptions(alpha=0, max_side=32), video)
    pictures, durations, _ = read(output)
    assert durations == [50, 150] and pictures[0].shape == (24, 32, 4)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def patched(data, tag, at, new):
    """The bytes with others, so far after a tag; what is a chunk of PNG's gets its checksum."""
    at += (begin := data.index(tag))
    data = data[:at] + new + data[at + len(new) :]
    if data[:4] == b"\x89PNG":
        end = begin + 4 + int.from_bytes(data[begin - 4 : begin], "big")
        data = data[:end] + struct.pack(">I", zlib.crc32(data[begin:end])) + data[end + 4 :]
    return data


HEAD = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0))
BROKEN = {
    "cut off": (".gif", lambda data: data[:-600]),
    "cut off early": (".gif", lambda data: data[:9]),
    "cut off ": (".png", lambda data: data[:-600]),
    "cut off  ": (".webp", lambda data: data[:-30]),
    "12 GB a frame": (".gif", lambda data: patched(data, b"GIF89a", 6, b"\xff" * 4)),
    "30 GB a frame": (
        ".png",
        lambda data: patched(data, b"IHDR", 4, struct.pack(">II", *[10**5] * 2)),
    ),
    "800 MB a frame": (".webp", lambda data: patched(data, b"VP8X", 12, b"\xff\x3f\0" * 2)),
    "two milliards of frames": (
        ".png",
        lambda data: patched(data, b"acTL", 4, struct.pack(">I", 2**31 - 1)),
    ),
    "no frame": (".gif", lambda data: b"GIF89a\4\0\4\0\0\0\0;"),
    "no frame ": (
        ".png",
        lambda data: HEAD + chunk(b"acTL", bytes(8)) + chunk(b"IEND", b""),
    ),
    "no frame  ": (
        ".webp",
        lambda data: b"RIFF\x16\0\0\0WEBPVP8X\n\0\0\0\2\0\0\0\3\0\0\3\0\0",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken(stylizer, painting, tmp_path, kind):
    suffix, broken = BROKEN[kind]
    source = animation(tmp_path / f"in{suffix}")
    source.write_bytes(broken(source.read_bytes()))

    def run():
        stylize_video(source, painting, tmp_path / f"out{suffix}", stylizer=stylizer)

    message = error_of(run)
    assert f"in{suffix}: found " in message and "; allowed: " in message
    assert [path.name for path in tmp_path.iterdir()] == [source.name]


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp"])
def test_one_pixel(run, tmp_path, suffix):
    frames = [Image.new("RGB", (1, 1), (200, 60, 30 * number)) for number in range(3)]
    source = tmp_path / f"in{suffix}"
    more = {"save_all": True, "append_images": frames[1:], "lossless": True}
    frames[0].save(source, duration=50, **more)
    pictures, durations, _ = read(run(source, f"out{suffix}"))
    assert [picture.shape for picture in pictures] == [(1, 1, 4)] * 3 and durations == [50] * 3
    assert len(decoded(run(source, "out.mp4"))[0]) == 3
