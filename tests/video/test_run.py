"""Videos that come out as they went in: times, sound, shape, colours; and none that is half one."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from helpers import distance, error_of
from PIL import Image
from video_files import TIMES, av, decoded, drawn, encode, packets

from adain.options import StylizeOptions
from adain.video import VideoOptions, stylize_video

FRAMES = [drawn(number) for number in range(12)]
ALONE = VideoOptions(steady=0)
# The strength 0 is the content: what remains is the way through reader and writer.
UNTOUCHED = StylizeOptions(alpha=0)


@pytest.fixture
def run(stylizer, painting, tmp_path):
    def run(source, name="out.mp4", options=None, video=None, styles=painting, **more):
        output = tmp_path / name
        result = stylize_video(source, styles, output, options, video, stylizer=stylizer, **more)
        assert not list(tmp_path.glob(".*"))
        return output, result

    return run


@pytest.fixture
def refused(run, tmp_path):
    """The error of a run that leaves nothing behind."""

    def refused(source, name="out.mp4", **more):
        before = sorted(tmp_path.rglob("*"))
        message = error_of(lambda: run(source, name, **more))
        assert sorted(tmp_path.rglob("*")) == before
        return message

    return refused


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_times_sound_chapters_and_metadata_stay(run, tmp_path, suffix):
    source = encode(tmp_path / f"in{suffix}", FRAMES, TIMES, sound=True)
    output, result = run(source, f"out{suffix}")
    assert (result.frames, result.shots, result.notes) == (12, 1, [])
    assert decoded(output)[0] == decoded(source)[0]
    # They are B-frames: the order in the file is not that of the times.
    stamps = [time for _, time in packets(source, "video")]
    assert stamps != sorted(stamps)
    assert packets(output, "audio") == packets(source, "audio")
    with av.open(str(source)) as before, av.open(str(output)) as after:
        assert after.metadata["title"] == before.metadata["title"] == "A title"
        assert after.streams.audio[0].language == "nor"
        titles = [(c["start"] * c["time_base"], c["metadata"]["title"]) for c in after.chapters()]
        assert titles == [(0, "One"), (Fraction(2, 5), "Two")]


def test_first_frame_later_than_0_keeps_its_time(run, tmp_path):
    source = encode(tmp_path / "in.mp4", FRAMES, [9000 + time for time in TIMES])
    output, _ = run(source)
    assert decoded(output)[0] == decoded(source)[0]
    assert decoded(output)[0][0] == Fraction(1, 10)


def test_rotation_and_pixel_aspect(run, tmp_path):
    aspect = Fraction(4, 3)
    source = encode(tmp_path / "in.mp4", FRAMES[:3], turn=90, aspect=aspect)
    output, result = run(source, options=UNTOUCHED, video=ALONE)
    with av.open(str(output)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (48, 64) == (result.width, result.height)
        assert stream.sample_aspect_ratio == 1 / aspect
        assert next(container.decode(stream)).rotation == 0
    # Turned by 90 degrees to the left.
    assert distance(decoded(output)[1][0], np.rot90(FRAMES[0])) < 0.03


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", [1, 5])
def test_colours_range_and_matrix(run, tmp_path, full, matrix):
    flat = [np.full((48, 64, 3), (200, 60, 30), np.uint8)] * 3
    source = encode(tmp_path / "in.mp4", flat, full=full, matrix=matrix)
    output, _ = run(source, options=UNTOUCHED, video=ALONE)
    with av.open(str(output)) as container:
        frame = next(container.decode(video=0))
    assert (frame.color_range, frame.colorspace) == (2 if full else 1, matrix)
    assert (frame.color_primaries, frame.color_trc) == (1, 1)
    shown = frame.to_ndarray(
        format="rgb24", src_colorspace=matrix, src_color_range=2 if full else 1
    )
    assert np.abs(shown[24, 32].astype(int) - (200, 60, 30)).max() <= 3


def test_odd_sides_are_padded(run, tmp_path):
    odd = [frame[:47, :63] for frame in FRAMES[:3]]
    source = encode(tmp_path / "in.mkv", odd, codec="ffv1", form="yuv444p")
    output, result = run(source, options=UNTOUCHED, video=ALONE)
    (note,) = result.notes
    assert "63 x 47" in note and "64 x 48" in note
    pixels = decoded(output)[1][0]
    assert pixels.shape == (48, 64, 3)
    assert distance(pixels[:47, :63], odd[0]) < 0.03


def test_each_frame_alone_is_the_stylizers(run, stylizer, painting, tmp_path):
    source = encode(tmp_path / "in.mkv", FRAMES[:3], codec="ffv1", form="bgr0")
    output, _ = run(source, "out.mkv", video=VideoOptions(steady=0, codec="ffv1"))
    expected = [stylizer.stylize(frame, painting) for frame in FRAMES[:3]]
    for found, wanted in zip(decoded(output)[1], expected, strict=True):
        assert distance(found, wanted) < 0.03


def test_frames_between_whole_ones(run, tmp_path):
    """Every frame is there, with its time; those between are close to what they would be alone."""
    source = encode(tmp_path / "in.mkv", FRAMES, TIMES, codec="ffv1", form="bgr0")
    made = {}
    for every in (1, 3):
        video = VideoOptions(stylize_every=every, codec="ffv1")
        output, result = run(source, f"{every}.mkv", video=video)
        made[every] = decoded(output)
        assert made[every][0] == decoded(source)[0] and result.shots == 1
        assert set(result.seconds) == {"decoding", "flow", "networks", "blending", "encoding"}
    for one, other in zip(made[1][1], made[3][1], strict=True):
        assert distance(one, other) < 0.06


def test_a_cut_begins_anew(run, stylizer, painting, tmp_path):
    cut = FRAMES[:6] + [drawn(number, shot=1) for number in range(6)]
    source = encode(tmp_path / "in.mkv", cut, codec="ffv1", form="bgr0")
    found = {}
    for steady in (0, 0.9):
        video = VideoOptions(steady=steady, codec="ffv1")
        output, result = run(source, f"{steady}.mkv", video=video)
        found[steady] = decoded(output)[1]
    assert result.shots == 2
    for first in (0, 6):
        assert np.array_equal(found[0][first], found[0.9][first])
    assert not np.array_equal(found[0][8], found[0.9][8])


def test_start_and_end(run, tmp_path):
    source = encode(tmp_path / "in.mp4", FRAMES, sound=True)
    output, _ = run(source, video=VideoOptions(start=0.16, end=0.32))
    assert decoded(output)[0] == [Fraction(n, 25) for n in range(4)]
    before = [p for p in packets(source, "audio") if Fraction(4, 25) <= p[1] < Fraction(8, 25)]
    after = packets(output, "audio")
    assert [data for data, _ in after] == [data for data, _ in before] != []


def test_frame_rate(run, tmp_path):
    source = encode(tmp_path / "in.mp4", FRAMES)
    for fps, count in ((12.5, 6), (50, 24)):
        output, _ = run(source, video=VideoOptions(fps=fps))
        assert decoded(output)[0] == [Fraction(n) / Fraction(fps) for n in range(count)]


def test_avi_has_a_constant_rate(run, tmp_path):
    source = encode(tmp_path / "in.mp4", FRAMES, [7200 * n // (1 + n % 2) for n in range(0, 24, 2)])
    output, result = run(source, "out.avi")
    assert result.notes == ["avi gives every frame the same duration"]
    times = decoded(output)[0]
    assert len({after - before for before, after in itertools.pairwise(times)}) == 1
    assert run(output, "again.mp4")[1].frames == len(times)
    # AAC begins before 0, which moved all but the first picture.
    source = encode(tmp_path / "sound.mp4", FRAMES, sound=True)
    assert packets(source, "audio")[0][1] < 0
    assert decoded(run(source, "sound.avi")[0])[0] == decoded(source)[0]


def test_style_changes_over_time(run, stylizer, painting, tmp_path):
    other = painting[:, ::-1] // 3
    still = [FRAMES[0]] * 6
    source = encode(tmp_path / "in.mkv", still, codec="ffv1", form="bgr0")
    video = VideoOptions(steady=0, style_at={0.08: other}, codec="ffv1")
    output, _ = run(source, "out.mkv", video=video)
    frames = decoded(output)[1]
    both = [stylizer.encode_style(style) for style in (painting, other)]
    for number, style in ((0, both[0]), (1, 0.5 * both[0] + 0.5 * both[1]), (2, both[1])):
        assert distance(frames[number], stylizer.stylize(FRAMES[0], style)) < 0.03
    assert distance(frames[0], frames[2]) > 0.05 and np.array_equal(frames[2], frames[5])


def test_masks_and_a_map_of_strengths(run, stylizer, painting, tmp_path):
    other, mask = painting[:, ::-1] // 3, np.linspace(0, 1, 64, dtype=np.float32)[None]
    Image.fromarray(np.rint(mask * 255).astype(np.uint8)).save(tmp_path / "mask.png")
    how = StylizeOptions(masks=[tmp_path / "mask.png", 1 - mask], alpha=mask[:, ::-1])
    source = encode(tmp_path / "in.mkv", FRAMES[:2], codec="ffv1", form="bgr0")
    video = VideoOptions(steady=0, codec="ffv1")
    output, _ = run(source, "out.mkv", how, video, [painting, other])
    for frame, found in zip(FRAMES[:2], decoded(output)[1], strict=True):
        assert distance(found, stylizer.stylize_with(frame, [painting, other], how)) < 0.03


def test_what_else_the_file_holds(run, tmp_path):
    """Subtitles are copied; a second video is left out, which is said."""
    path = tmp_path / "in.mkv"
    with av.open(str(path), "w") as out:
        videos = [out.add_stream("libx264", rate=25) for _ in range(2)]
        words = out.add_stream("subrip")
        words.codec_context.subtitle_header = b"[Script Info]\n"
        for stream in videos:
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number, pixels in enumerate(FRAMES):
            for stream in videos:
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, 25)
                out.mux(stream.encode(frame))
        for stream in videos:
            out.mux(stream.encode(None))
        packet = av.Packet(b"Hello")
        packet.stream, packet.pts, packet.dts, packet.duration = words, 100, 100, 200
        packet.time_base = Fraction(1, 1000)
        out.mux(packet)
    output, result = run(path, "out.mkv")
    assert result.notes == ["a second picture, such as a cover, is left out"]
    assert packets(output, "subtitles") == [(b"Hello", Fraction(1, 10))]


def test_ended_early_it_plays(run, tmp_path):
    source = encode(tmp_path / "in.mp4", FRAMES, sound=True)
    output, result = run(source, callback=lambda done, total: done == 5)
    assert result.interrupted and len(decoded(output)[0]) == 5


def test_an_error_leaves_the_old_file(run, tmp_path):
    source = encode(tmp_path / "in.mp4", FRAMES)
    (tmp_path / "out.mp4").write_text("old")

    def fails(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(source, callback=fails)
    assert (tmp_path / "out.mp4").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "out.mp4"]


def test_changing_resolution(refused, tmp_path):
    """Two streams of MPEG-2 on end, as a broadcast changes from one to the next."""
    parts = [
        encode(tmp_path / f"{side}.m2v", [drawn(n, side, 48) for n in range(6)], codec="mpeg2video")
        for side in (64, 96)
    ]
    source = tmp_path / "in.m2v"
    source.write_bytes(b"".join(part.read_bytes() for part in parts))
    message = refused(source)
    assert "96 x 48 pixels after 64 x 48" in message


def test_truncated(refused, tmp_path):
    frames = [drawn(n) for n in range(75)]
    for name, options in (("in.mp4", {}), ("start.mp4", {"movflags": "faststart"}), ("in.mkv", {})):
        source = encode(tmp_path / name, frames, options={"g": "10"}, container_options=options)
        source.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
        message = refused(source)
        assert name in message and ("breaks off after" in message or "no video" in message)


BROKEN = {
    "text": (b"no video at all", "no video"),
    "empty": (b"", "no video"),
    "header of 10 GB": (
        b"\0\0\0\x18ftypisom\0\0\0\0isomiso2" + b"\0\0\0\1moov" + (10 << 30).to_bytes(8, "big"),
        "no ",
    ),
    "frames of 15 GB": (b"YUV4MPEG2 W100000 H100000 F25:1 C420\nFRAME\n" + bytes(999), "no video"),
    "frames of 144 MB": (b"YUV4MPEG2 W12000 H8000 F25:1 C420\nFRAME\n" + bytes(999), "pixels"),
    "no frame": (b"YUV4MPEG2 W64 H48 F25:1 C420\n", "without a frame"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_no_video(refused, tmp_path, kind):
    data, words = BROKEN[kind]
    source = tmp_path / "in.mp4"
    source.write_bytes(data)
    message = refused(source)
    assert "in.mp4: found " in message and words in message and "allowed: " in message


# Four milliards of samples and of their times: where, after a box's name, a film's head says it.
CLAIMS = {b"stsz": 12, b"stts": 8}


@pytest.mark.parametrize("box", CLAIMS)
def test_a_head_that_claims_gigabytes(refused, tmp_path, box):
    source = encode(tmp_path / "in.mp4", FRAMES)
    data = source.read_bytes()
    at = data.index(box) + CLAIMS[box]
    source.write_bytes(data[:at] + b"\xff" * 4 + data[at + 4 :])
    assert "in.mp4: found " in refused(source)


def test_missing_and_sound_alone_and_no_frame(refused, tmp_path):
    assert "no.mp4: found " in refused(tmp_path / "no.mp4")
    with av.open(str(tmp_path / "sound.m4a"), "w", format="mp4") as out:
        stream = out.add_stream("aac", rate=8000, layout="mono")
        audio = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), "fltp", "mono")
        audio.rate, audio.pts = 8000, 0
        out.mux([*stream.encode(audio), *stream.encode(None)])
    assert "no moving picture (audio alone)" in refused(tmp_path / "sound.m4a")
    source = encode(tmp_path / "in.mp4", FRAMES)
    assert "no frame in the time asked for" in refused(source, video=VideoOptions(start=9))


def test_one_pixel(run, tmp_path):
    source = encode(
        tmp_path / "in.mkv", [np.full((1, 1, 3), 90, np.uint8)] * 3, codec="ffv1", form="bgr0"
    )
    output, result = run(source, "out.mkv")
    assert (result.width, result.height, len(decoded(output)[0])) == (2, 2, 3)


def test_mistakes(refused, tmp_path):
    source = encode(tmp_path / "in.mp4", FRAMES[:2], sound=True)
    assert "out.xyz: found " in refused(source, "out.xyz")
    assert "one of the inputs" in refused(source, "in.mp4")
    assert "codec: found 'x'" in refused(source, video=VideoOptions(codec="x"))
    assert "codec: found 'aac'" in refused(source, video=VideoOptions(codec="aac"))
    assert "crf: found " in refused(source, "a.avi", video=VideoOptions(crf=3))
    assert "no/out.mp4: found " in refused(source, "no/out.mp4")
    message = refused(source, options=StylizeOptions(masks=[np.ones((2, 2))] * 2))
    assert message.startswith("masks: found 2 for 1 style")


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".avi", ".ts"])
def test_attachments_are_left_out_where_they_must_be(run, tmp_path, suffix):
    source = tmp_path / "in.mkv"
    with av.open(str(source), "w") as file:
        stream = file.add_stream("libx264", 10, width=64, height=48, pix_fmt="yuv420p")
        file.add_attachment("note.txt", "text/plain", b"a note")
        for frame in FRAMES[:2]:
            pixels = np.ascontiguousarray(frame[:48, :64])
            file.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        file.mux(stream.encode(None))
    output, result = run(source, f"out{suffix}")
    assert len(decoded(output)[0]) == 2
    assert [note for note in result.notes if note.startswith("an attachment, such as a font, is")]


def test_what_the_container_does_not_take_is_said(run, tmp_path):
    source = encode(tmp_path / "in.mp4", FRAMES[:2], sound=True)
    _, result = run(source, "out.webm")
    assert [note for note in result.notes if "aac is left out" in note]


def test_a_folder_of_frames_in_and_out(run, tmp_path):
    (tmp_path / "frames").mkdir()
    for number in range(9, 12):
        Image.fromarray(drawn(number)).save(tmp_path / "frames" / f"{number}.png")
    output, _ = run(tmp_path / "frames", "made", UNTOUCHED, VideoOptions(steady=0, fps=10))
    names = sorted(path.name for path in output.iterdir())
    assert names == ["000001.png", "000002.png", "000003.png"]
    for number, name in zip(range(9, 12), names, strict=True):
        with Image.open(output / name) as image:
            assert np.array_equal(np.asarray(image), drawn(number))
    film, _ = run(tmp_path / "made" / "%06d.png", "film.mkv", video=VideoOptions(fps=10))
    assert decoded(film)[0] == [0, Fraction(1, 10), Fraction(2, 10)]


@pytest.mark.parametrize("suffix", [".mov", ".mkv", ".webm"])
def test_alpha(run, tmp_path, suffix):
    alpha = np.full((48, 64), 255, np.uint8)
    alpha[:, 40:] = 0
    frames = [np.dstack([frame, alpha]) for frame in FRAMES[:3]]
    source = encode(tmp_path / "in.mkv", frames, codec="ffv1", form="bgra")
    output, result = run(source, f"out{suffix}", UNTOUCHED, ALONE)
    assert not result.notes
    with av.open(str(output)) as container:
        stream = container.streams.video[0]
        if suffix == ".webm":
            # FFmpeg's own decoder of VP9 knows nothing of alpha.
            assert stream.metadata.get("alpha_mode") == "1"
            return
        pixels = next(container.decode(stream)).to_ndarray(format="rgba")
    assert np.array_equal(pixels[..., 3] > 127, alpha > 127)
    assert distance(pixels[:, :40, :3], FRAMES[0][:, :40]) < 0.03


@pytest.mark.parametrize(("transfer", "kind"), [(16, "PQ"), (18, "HLG")])
def test_high_dynamic_range_is_tone_mapped(run, tmp_path, transfer, kind):
    """A gray of diffuse white, 203 cd/m2, comes out about as white as the display's."""
    white = {16: 148, 18: 191}[transfer]  # 0.58 of PQ's range and 0.75 of HLG's, in 8 bits
    flat = [np.full((48, 64, 3), white, np.uint8)] * 2
    source = encode(tmp_path / "in.mkv", flat, form="yuv420p10le", codec="ffv1", transfer=transfer)
    output, result = run(source, "out.mkv", UNTOUCHED, ALONE)
    (note,) = result.notes
    assert kind in note and "tone-mapped" in note
    with av.open(str(output)) as container:
        frame = next(container.decode(video=0))
    assert (frame.color_primaries, frame.color_trc, frame.colorspace) == (1, 1, 1)
    level = frame.to_ndarray(format="rgb24")[24, 32]
    assert np.ptp(level.astype(int)) <= 4 and 190 <= level.min() <= 255
