"""A video job: what is within the limits of a server."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adain import AdaINError, Style
from adain.errors import MissingError
from adain.options import StylizeOptions
from adain.server.settings import Settings
from adain.server.video.job import Job, check_found, check_offered
from adain.video import VideoOptions

SETTINGS = Settings(max_video_seconds=10, max_video_pixels=10_000)
FOUND = {"width": 100, "height": 100, "pixels": 40_000, "frames": 250, "seconds": 10.0}


def check(found: dict[str, object], **video: float) -> Job:
    job = Job("", "", "", Path(), "fast", [], StylizeOptions(), VideoOptions(**video), "mp4")
    check_found(job, FOUND | found, SETTINGS)
    return job


def test_what_is_just_within_the_limits() -> None:
    job = check({})
    assert (job.width, job.height) == (100, 100)
    check({"seconds": 1000.0}, start=990)
    check({"seconds": 1000.0, "frames": 60_000}, start=3, end=13)
    check({"seconds": 10.0, "frames": 10_000}, fps=60)
    check({"seconds": None, "frames": 600})  # an animation


@pytest.mark.parametrize(
    ("found", "video", "said"),
    [
        ({"width": 101}, {}, "content: found frames of 101 x 100 pixels; allowed: at most 10,000"),
        ({"width": 400, "height": 400}, {}, "by a max_side of 100"),
        ({"pixels": 40_001}, {}, "at most 40,000, and 10,000 after max_side"),
        ({"seconds": 10.2}, {}, "content: found 10.2 s of video; allowed: at most 10 s"),
        ({"seconds": 50.0}, {"start": 5, "end": 20}, "content: found 15.0 s"),
        ({"seconds": 5.0}, {"start": 5}, "start: found 5 s; allowed: less than the 5.00 s"),
        ({"frames": 601}, {}, "content: found about 601 frames; allowed: at most 600"),
        ({"frames": 5}, {"fps": 100}, "content: found about 1,000 frames"),
        ({"frames": 601, "seconds": None}, {}, "content: found about 601 frames"),
    ],
)
def test_what_is_beyond_a_limit(
    found: dict[str, object], video: dict[str, float], said: str
) -> None:
    with pytest.raises(AdaINError) as caught:
        check(found, **video)
    assert said in str(caught.value)


def test_what_a_job_that_is_over_holds_no_longer() -> None:
    style = Style(np.ones(3, np.float32), "fast")
    plane = np.ones((9, 9), np.float32)
    options = StylizeOptions(masks=[plane], alpha=plane, max_side=64)
    video = VideoOptions(style_at={1: style}, fps=5)
    job = Job("", "", "", Path(), "fast", [style], options, video, "mp4")
    job.let_go()
    assert not job.styles and not job.video.style_at
    assert job.options.masks is None and job.options.alpha == 1
    assert (job.options.max_side, job.video.fps) == (64, 5)


def test_a_server_without_videos_says_so() -> None:
    check_offered(SETTINGS)
    with pytest.raises(MissingError, match="--no-video"):
        check_offered(Settings(video=False))
