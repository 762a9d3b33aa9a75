"""`/v1/video` as a program meets it: jobs, their results, and what is refused."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from serving import PATIENCE, ROOT, SERVICE, Demo, one_line, picture, serving
from video_files import TIMES, decoded, drawn, encode, packets
from video_jobs import EXACT, LIMITS, end_of, job_of, send

from adain import Stylizer
from adain.drawings import catalog
from adain.options import StylizeOptions
from adain.video import VideoOptions, stylize_video


@pytest.fixture
def long(tmp_path: Path) -> Path:
    """A video that takes longer to make than whatever a test does meanwhile."""
    frames = [drawn(n) for n in range(25)]
    return encode(tmp_path / "long.mp4", frames * 60, options={"preset": "ultrafast"})


def test_a_video_is_the_librarys(
    client: httpx.Client, video: Path, tmp_path: Path, stylizer: Stylizer
) -> None:
    answer = send(client, video, alpha=0.8, max_side=48, steady=0.7, crf=EXACT)
    job = job_of(answer)
    assert answer.json()["id"] in job and answer.json()["state"] in ("waiting", "running")
    about = end_of(client, job)
    assert about["state"] == "done" and about["error"] is None
    assert (about["frames"], about["width"], about["height"]) == (len(TIMES), 48, 36)
    made = client.get(about["file"])
    assert made.status_code == 200
    assert made.headers["content-type"] == "video/mp4"
    found, wanted = tmp_path / "found.mp4", tmp_path / "wanted.mp4"
    found.write_bytes(made.content)
    style = catalog.file_of("night")
    options = StylizeOptions(alpha=0.8, max_side=48)
    stylize_video(
        video, style, wanted, options, VideoOptions(steady=0.7, crf=EXACT), stylizer=stylizer
    )
    for one, other in zip(decoded(found), decoded(wanted), strict=True):
        assert np.array_equal(one, other)
    assert packets(found, "audio") == packets(video, "audio")
    part = client.get(about["file"], headers={"Range": "bytes=10-99"})
    assert part.status_code == 206
    assert part.content == made.content[10:100]
    beyond = client.get(about["file"], headers={"Range": "bytes=900000000-"})
    assert beyond.status_code == 416
    assert one_line(beyond).startswith("Range: ")
    assert client.delete(job).status_code == 204
    for gone in (job, about["file"]):
        assert client.get(gone).status_code == 404
    assert client.delete(job).status_code == 404


def test_a_part_in_a_mixture_as_another_format(
    client: httpx.Client, video: Path, tmp_path: Path
) -> None:
    fields = {"end": 0.4, "fps": 10, "format": "webm", "crf": 40, "stylize_every": 2}
    about = end_of(client, job_of(send(client, video, style=picture(), weight=[1, 3], **fields)))
    assert about["state"] == "done"
    assert about["frames"] == about["total"] == 4
    assert about["notes"] == ["audio in aac is left out: webm takes none"]
    made = client.get(about["file"])
    assert made.headers["content-type"] == "video/webm"
    path = tmp_path / "b.webm"
    path.write_bytes(made.content)
    times, _ = decoded(path)
    assert [float(time) for time in times] == [0, 0.1, 0.2, 0.3]


@pytest.mark.parametrize(
    "look", [{"colours": "luminance"}, {"colours": "matched"}, {"smooth": 0.5}]
)
def test_colours_are_kept_and_contents_smoothed(
    client: httpx.Client, video: Path, tmp_path: Path, stylizer: Stylizer, look: Any
) -> None:
    about = end_of(client, job_of(send(client, video, **look, end=0.2, steady=0, crf=EXACT)))
    found, wanted = tmp_path / "found.mp4", tmp_path / "wanted.mp4"
    found.write_bytes(client.get(about["file"]).content)
    options, part = StylizeOptions(**look), VideoOptions(end=0.2, steady=0, crf=EXACT)
    stylize_video(video, catalog.file_of("night"), wanted, options, part, stylizer=stylizer)
    assert np.array_equal(decoded(found)[1], decoded(wanted)[1])


def test_what_is_no_video_is_one_line_before_it_is_taken(
    client: httpx.Client, video: Path, tmp_path: Path
) -> None:
    listed = tmp_path / "list.m3u8"
    listed.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{video}\n#EXT-X-ENDLIST\n")
    script = tmp_path / "script"
    script.write_text(f"ffconcat version 1.0\nfile {video}\n")
    wide = encode(tmp_path / "wide.mp4", [drawn(n, 160, 130) for n in range(2)])
    huge = encode(tmp_path / "huge.mp4", [drawn(n, 300, 280) for n in range(2)])
    for given, fields, said in (
        (b"", {}, "content: found "),
        (b"no video", {}, "content: found no video"),
        (listed, {}, "content: found no video"),
        (script, {}, "content: found no video"),
        (video.read_bytes()[:900], {}, "content: found "),
        (wide, {}, "content: found frames of 160 x 130 pixels; allowed: at most 20,000"),
        (huge, {"max_side": 64}, "content: found frames of 84,000 pixels; allowed: at most 80,000"),
        (video, {"start": 5}, "start: found 5 s; allowed: less than the 0."),
        (video, {"start": 2, "end": 1}, "end: found 1 s"),
        (video, {"style_id": "nothing"}, "style_id: found 'nothing'"),
    ):
        answer = send(client, given, **fields)
        assert answer.status_code == 400, answer.text
        assert one_line(answer).startswith(said)
    assert job_of(send(client, wide, max_side=64))
    for fields in ({"steady": 2}, {"fps": 1000}, {"format": "avi"}, {"codec": "libx265"}):
        answer = send(client, video, **fields)
        assert answer.status_code == 422
        assert one_line(answer).startswith(next(iter(fields)))
    large = send(client, b"0" * 1_000_000)
    assert large.status_code == 413
    for path in ("/v1/video/nothing", "/v1/video/nothing/file"):
        assert one_line(client.get(path)) == "there is no such video, or no longer"


def test_a_video_beyond_the_longest_is_refused(
    client: httpx.Client, video: Path, tmp_path: Path
) -> None:
    times = [0, 90_000 * 80, 90_000 * 81]
    slow = encode(tmp_path / "slow.mp4", [drawn(n) for n in range(3)], times)
    answer = send(client, slow)
    assert answer.status_code == 400
    assert one_line(answer).startswith("content: found 82.0 s of video; allowed: at most 70 s")
    about = end_of(client, job_of(send(client, slow, end=70)))
    assert (about["state"], about["frames"]) == ("done", 1)


def test_pictures_are_answered_while_a_video_is_made_and_it_is_cancelled(
    server: Demo, client: httpx.Client, long: Path
) -> None:
    before = server.number("adain_video_bytes")
    job = job_of(send(client, long))
    until = time.monotonic() + PATIENCE
    while not (about := client.get(job).json())["frames"]:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert about["total"] == 1500
    for seed in range(5):
        files = {"content": picture(64, 48, seed), "style": picture(64, 64, 9)}
        assert client.post("/v1/stylize", files=files).status_code == 200
    while (later := client.get(job).json())["frames"] == about["frames"]:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert later["state"] == "running"
    assert later["frames_per_second"] > 0 and later["seconds_left"] > 0
    early = client.get(f"{job}/file")
    assert early.status_code == 409
    assert one_line(early) == "the video is running still"
    other = job_of(send(client, long))
    assert client.get(other).json()["before"] == 1
    refused = send(client, long)
    assert refused.status_code == 503
    assert one_line(refused).startswith("busy: 2 videos of yours are in line; try again in ")
    assert int(refused.headers["retry-after"]) >= 5
    for each in (other, job):
        assert client.delete(each).status_code == 204
        assert client.get(each).json()["state"] == "cancelled"
    assert one_line(client.get(f"{job}/file")) == "the video is cancelled"
    assert server.number('adain_videos_total{state="cancelled"}') == 2
    assert server.number("adain_video_frames_total") > later["frames"]
    until = time.monotonic() + PATIENCE
    while server.number("adain_video_bytes") > before:  # once its process has ended
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_server_that_stops_ends_its_videos_and_leaves_nothing(long: Path, tmp_path: Path) -> None:
    with serving(*LIMITS, program=SERVICE, TMPDIR=str(tmp_path)) as demo:
        with demo.client() as client:
            job = job_of(send(client, long))
            while not client.get(job).json()["frames"]:
                time.sleep(0.05)
        assert [path.name[:13] for path in tmp_path.iterdir() if path.is_dir()]
        assert demo.stop() == 0
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []


def test_what_is_not_there_is_told_before_the_video_is_sent(video: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['av'] = None")
    paths = f"{tmp_path}:{ROOT}"
    for options, variables, said in (
        (("--no-video",), {}, "videos are not stylized here: the server has --no-video"),
        ((), {"PYTHONPATH": paths}, "not installed; `pip install 'adain[video]'` does"),
    ):
        with serving(*options, program=SERVICE, **variables) as demo, demo.client() as client:
            answer = send(client, video)
            assert answer.status_code == 501
            assert one_line(answer).endswith(said)


def test_a_video_is_its_owners_and_its_id_is_not_logged(video: Path) -> None:
    options = ("--auth", "ann:one", "--auth", "bob:two", *LIMITS, "--root-path", "/a")
    with serving(*options, program=SERVICE) as demo:
        with demo.client() as client:
            assert send(client, video).status_code == 401
        with demo.client(auth=("ann", "one")) as ann, demo.client(auth=("bob", "two")) as bob:
            job = job_of(send(ann, video))
            assert job.startswith("/a/v1/video/")
            file = end_of(ann, job)["file"]
            assert ann.get(file).status_code == 200
            for refused in (bob.get(job), bob.get(file), bob.delete(job)):
                assert refused.status_code == 404
            assert ann.delete(job).status_code == 204
        name = job.rpartition("/")[2]
        demo.stop()
        assert name not in demo.log and f"/v1/video/{name[:4]}.../file" in demo.log
