"""Videos that break off, and what of them can be had."""

import re

import pytest
from helpers import error_of
from video_files import decoded, drawn, encode

from adain.options import StylizeOptions
from adain.video import VideoOptions, stylize_video

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
    found = re.search(r"breaks off after ([\d.]+) s .* or an end at \1 s", message)
    assert found is not None, message
    end = float(found[1])
    assert error_of(lambda: run(end + 0.05)) == message
    run(end)
    times = decoded(tmp_path / "out.mkv")[0]
    assert len(times) >= 1 and times[-1] < end
