"""Optical flow that is exact on rendered clips, and where a shot ends."""

import numpy as np
import pytest
from video_files import drawn, scene

from adain.video.clips import render
from adain.video.motion import MotionFinder


@pytest.mark.parametrize("kind", ["pan", "zoom", "rotation", "still"])
def test_flow_is_that_of_the_clip(kind):
    clip = render(scene(), kind, 4, (192, 128))
    finder = MotionFinder()
    assert finder.look(clip.pixels()[0]) is None
    x, y = np.meshgrid(np.arange(192), np.arange(128))
    for number in range(1, 4):
        motion = finder.look(clip.pixels()[number])
        assert motion is not None and motion.weight.min() >= 0 and motion.weight.max() <= 1
        flow, seen = clip.flow(number, number - 1)
        found = np.stack([motion.x - x, motion.y - y], axis=-1)
        inside = (seen > 0) & (motion.weight > 0.9)
        assert inside.mean() > 0.7
        assert np.linalg.norm(found - flow, axis=-1)[inside].mean() < 0.25


def test_what_an_object_uncovers_is_not_followed():
    clip = render(scene(), "object", 15, (192, 128))
    finder = MotionFinder()
    *_, before, now = clip.pixels()
    finder.look(before)
    motion = finder.look(now)
    uncovered = (clip.layers[13] == 1) & (clip.layers[14] != 1)
    assert uncovered.any() and motion.weight[uncovered].mean() < 0.2
    assert motion.weight[:, 130:].mean() > 0.85


def test_noise_alone_is_no_cut_and_a_flash_is_one():
    finder = MotionFinder()
    frames = [drawn(number, 160, 120) for number in range(4)]
    noise = np.random.default_rng(0)
    noisy = [np.clip(f + noise.normal(0, 8, f.shape), 0, 255).astype(np.uint8) for f in frames]
    assert [finder.look(frame) is None for frame in noisy] == [True, False, False, False]
    assert finder.look(255 - frames[3]) is None
