"""The options of a comparison of videos, and its methods."""

import pytest
from helpers import error_of

from adain.learning.comparison.video_options import CompareVideoOptions, VideoMethod


def test_each_model_per_frame_and_steady():
    options = CompareVideoOptions(models=["fast"], steady=0.5, stylize_every=2)
    per_frame, steady = options.methods()
    assert (per_frame.name, steady.name) == ("fast, per frame", "fast, steady 0.5, every 2")
    assert per_frame == VideoMethod("fast")
    assert (steady.options().steady, steady.options().stylize_every) == (0.5, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"frames": 1}, "frames: found 1"),
        ({"size": 8}, "size: found 8"),
        ({"steady": 0.0}, "steady: found 0"),
        ({"stylize_every": 99}, "stylize_every: found 99"),
        ({"threads": 0}, "threads: found 0"),
        ({"models": ["none"]}, "none"),
    ],
)
def test_mistakes(options, message):
    assert message in error_of(lambda: CompareVideoOptions(**options))
