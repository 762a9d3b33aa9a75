"""Frames of several videos by one Stylizer, and the statistics that those of a shot share."""

from fractions import Fraction

import numpy as np
import pytest
from video_files import drawn, scene

from adain.options import StylizeOptions
from adain.video import VideoOptions
from adain.video.clips import render
from adain.video.frames import Frame
from adain.video.painter import Painter


def frames(shot=0):
    pixels = [drawn(number, shot=shot) for number in range(3)]
    return [Frame(each, Fraction(n, 25), Fraction(1, 25)) for n, each in enumerate(pixels)]


@pytest.fixture
def painter(stylizer, painting):
    def painter(steady=0.5):
        return Painter(stylizer, painting, StylizeOptions(), VideoOptions(steady=steady))

    return painter


def test_two_videos_at_a_time(painter):
    alone = [painter(), painter()]
    expected = [[a.paint(f) for f in frames(shot)] for shot, a in enumerate(alone)]
    both = [painter(), painter()]
    for number in range(3):
        for shot in (0, 1):
            found = both[shot].paint(frames(shot)[number])
            assert np.array_equal(found, expected[shot][number])
    assert [each.shots for each in both] == [1, 1]


def test_statistics_follow_a_shot_slowly(painter, monkeypatch):
    found = painter()
    told, follow = [], found._told

    def noted(own):
        told.append((own, follow(own)))
        return told[-1][1]

    monkeypatch.setattr(found, "_told", noted)
    shots = [*frames()[:2], *frames(shot=1)[:2]]
    for frame in shots:
        found.paint(frame)
    assert found.shots == 2
    for first in (0, 2):
        (own, same), (later, used) = told[first : first + 2]
        assert np.array_equal(own, same) and not np.array_equal(later, used)
        assert np.allclose(used, own + 0.04 * (later - own), atol=1e-6)


def test_every_other_frame_is_the_one_before_moved(stylizer, painting, monkeypatch):
    """The networks see whole frames every third time; a patch is as the whole has it."""
    sizes = []
    run = stylizer.stylize_recipe

    def noted(content, *rest, **more):
        sizes.append((content.height, content.width))
        return run(content, *rest, **more)

    monkeypatch.setattr(stylizer, "stylize_recipe", noted)
    made = {}
    pixels = render(scene(), "pan", 6, (192, 128)).pixels()
    moving = [Frame(each, Fraction(n, 25), Fraction(1, 25)) for n, each in enumerate(pixels)]
    for every in (1, 3):
        sizes.clear()
        video = VideoOptions(steady=0.9, stylize_every=every)
        painter = Painter(stylizer, painting, StylizeOptions(), video)
        made[every] = [painter.paint(frame) for frame in moving]
        whole = [n for n, size in enumerate(sizes) if size == (128, 192)]
        assert len(whole) == (6 if every == 1 else 2)
    # What comes in on the side is drawn at once.
    assert sizes[0] == (128, 192) and len(sizes) > 2
    for one, other in zip(made[1], made[3], strict=True):
        assert np.sqrt(((one - other) ** 2).mean()) < 0.05


def test_masks_are_of_whole_frames(stylizer, painting):
    mask = np.zeros((48, 64), np.float32)
    mask[:, 32:] = 1
    options = StylizeOptions(masks=[mask])
    found = [
        Painter(stylizer, painting, options, VideoOptions(steady=0.9, stylize_every=every))
        for every in (1, 2)
    ]
    for frame in frames():
        one, other = (painter.paint(frame) for painter in found)
        assert np.abs(one - other)[:, :24].mean() < 0.03
