"""Video jobs in this process: what is left of them, and what ends them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from serving import PATIENCE
from video_files import drawn, encode

from adain import AdaINError, Style
from adain.options import StylizeOptions
from adain.server.engine import Engine
from adain.server.queue import BusyError
from adain.server.settings import Settings
from adain.server.video import CONTENT
from adain.server.video.job import Job
from adain.server.video.jobs import Videos
from adain.video import VideoOptions

SETTINGS = Settings(timeout=PATIENCE, max_video_seconds=0.7, video_queue=3, video_disk=60_000)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = Engine(SETTINGS, "cpu")
    yield engine
    engine.close()


@pytest.fixture
def videos(engine: Engine, tmp_path: Path) -> Iterator[Videos]:
    folder = tmp_path / "jobs"
    folder.mkdir()
    videos = Videos(engine, folder)
    yield videos
    videos.close()


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("film") / "a.mp4"
    return encode(path, [drawn(n) for n in range(12)]).read_bytes()


@pytest.fixture(scope="module")
def style(engine: Engine) -> Style:
    return engine.stylizer().encode_style(drawn(3))


def job(videos: Videos, film: bytes, style: Style, client: str = "a") -> Job:
    name, folder = videos.new_folder()
    (folder / CONTENT).write_bytes(film)
    options = StylizeOptions()
    return Job(name, client, "", folder, "fast", [style], options, VideoOptions(), "mp4")


def wait(until: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not until():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_result_goes_after_a_while_and_the_video_at_once(
    videos: Videos, film: bytes, style: Style
) -> None:
    made = job(videos, film, style)
    videos.check(made)
    videos.add(made)
    wait(lambda: made.state == "done" and not (made.folder / CONTENT).exists())
    assert [path.name for path in made.folder.iterdir()] == ["result.mp4"]
    assert made.size == videos.disk == made.result.stat().st_size
    assert not made.styles
    videos.sweep()
    assert videos.find(made.id, "anybody") is made
    made.expires = time.monotonic() - 1
    assert videos.find(made.id, "anybody") is None
    assert not made.folder.exists()


def test_a_process_that_dies_is_the_servers_fault(
    videos: Videos, film: bytes, style: Style, caplog: pytest.LogCaptureFixture
) -> None:
    broken = job(videos, film, style)
    turn = videos.engine.queue.computing()
    with turn:  # until its first frame waits for the device
        videos.add(broken)
        wait(lambda: broken.child is not None)
        assert broken.child is not None
        broken.child.kill()
    wait(lambda: broken.state == "failed" and not broken.folder.exists())
    assert broken.error == "the server failed"
    assert "the video process ended with status -9" in caplog.text


def test_a_video_that_breaks_off_is_taken_up_to_an_end(
    videos: Videos, tmp_path: Path, style: Style
) -> None:
    frames = [drawn(n) for n in range(75)]
    options = {"movflags": "faststart"}
    path = encode(tmp_path / "a.mp4", frames, options={"g": "10"}, container_options=options)
    halved = path.read_bytes()[: path.stat().st_size // 2]
    broken = job(videos, halved, style)
    with pytest.raises(AdaINError, match="content: found a video that breaks off after "):
        videos.check(broken)
    broken.video = VideoOptions(end=0.2)
    videos.check(broken)
    videos.add(broken)
    wait(lambda: broken.state == "done")
    assert broken.frames == 5


def test_what_is_found_on_the_way_fails_in_a_line(
    videos: Videos, tmp_path: Path, style: Style
) -> None:
    parts = [
        encode(tmp_path / f"{side}.m2v", [drawn(n, side, 48) for n in range(6)], codec="mpeg2video")
        for side in (64, 96)
    ]
    changing = job(videos, b"".join(part.read_bytes() for part in parts), style)
    videos.check(changing)
    videos.add(changing)
    wait(lambda: changing.state == "failed" and not changing.folder.exists())
    assert changing.error is not None
    assert changing.error.startswith("content: found 96 x 48 pixels after 64 x 48 at 0.2")
    with pytest.raises(FileNotFoundError):
        changing.result.stat()


def test_more_frames_than_are_allowed_end_a_video(
    videos: Videos, film: bytes, style: Style
) -> None:
    videos.settings = replace(videos.settings, max_video_seconds=0.1)
    many = job(videos, film, style)
    with pytest.raises(
        AdaINError, match=r"content: found 0\.5 s of video; allowed: at most 0\.1 s"
    ):
        videos.check(many)
    videos.add(many)  # as if its packets had said less
    wait(lambda: many.state == "failed")
    assert many.error == "content: found more than 6 frames; allowed: at most 6"


def test_the_disk_has_room_for_so_much(videos: Videos, film: bytes, style: Style) -> None:
    one = job(videos, film, style)
    videos.add(one)
    left = SETTINGS.video_disk - videos.disk
    videos.check_room("b", left - 40_000)
    with pytest.raises(BusyError, match="all the room there is") as caught:
        videos.check_room("b", SETTINGS.video_disk)
    assert caught.value.reason == "video_disk"
    wait(lambda: one.state == "done")
    # What its result may take ends with the disk.
    videos.settings = replace(SETTINGS, video_disk=videos.disk + len(film) + 1000)
    large = job(videos, film, style)
    videos.add(large)
    wait(lambda: large.state == "failed")
    assert large.error is not None and large.error.startswith("content: found a video whose result")


def test_no_client_has_all_places(videos: Videos, film: bytes, style: Style) -> None:
    with videos.engine.queue.computing():  # nothing is made meanwhile
        for client in ("a", "a", "b", "c"):
            videos.add(job(videos, film[:9000], style, client))
            own = client == "a"
        with pytest.raises(BusyError, match="2 videos of yours are in line"):
            videos.check_room("a", 0)
        with pytest.raises(BusyError, match="4 videos are in line; try again in 60 s"):
            videos.add(job(videos, film, style, "d"))
        assert videos.unfinished == 4 and not own
        videos.close()
    assert videos.unfinished == 0
    with pytest.raises(BusyError, match="stopping"):
        videos.add(job(videos, film, style, "d"))
