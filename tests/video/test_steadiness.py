"""Blending along the flow: what is steadied, what is left alone, and what is carried on."""

import cv2
import numpy as np
import pytest
from video_files import scene

from adain.video.clips import render
from adain.video.lost import lost_parts
from adain.video.measures import detail, warping_error
from adain.video.motion import MotionFinder
from adain.video.steadiness import Steadier

RANDOM = np.random.default_rng(0)


def flickering(clip, amount=0.06):
    """What a network might make of the frames of a clip: other noise on each."""
    return [
        np.clip(1 - frame + RANDOM.normal(0, amount, frame.shape), 0, 1).astype(np.float32)
        for frame in clip.frames
    ]


def steadied(clip, stylized, share):
    finder, steadier = MotionFinder(), Steadier(share)
    begun, made = [], []
    for number, (content, picture) in enumerate(zip(clip.pixels(), stylized, strict=True)):
        motion = finder.look(content)
        if motion is None:
            begun.append(number)
        made.append(steadier.blend(picture, motion))
    return made, begun


def error(clip, frames):
    pairs = range(1, len(frames))
    return np.mean([warping_error(frames[n], frames[n - 1], *clip.flow(n, n - 1)) for n in pairs])


@pytest.mark.parametrize("kind", ["pan", "zoom", "rotation", "still"])
def test_flicker_is_less_and_detail_is_kept(kind):
    clip = render(scene(), kind, 8, (192, 128))
    alone, clean = flickering(clip), 1 - clip.frames
    errors = []
    for share in (0, 0.5, 0.9):
        made, begun = steadied(clip, alone, share)
        assert begun == [0]
        errors.append(error(clip, made))
        # What moves with the content stays; what flickers beside it may go.
        assert np.mean([*map(detail, made)]) > 0.95 * np.mean([*map(detail, clean)])
    assert errors[2] < errors[1] < errors[0] and errors[2] < errors[0] / 4


def test_first_frame_of_each_shot_is_the_picture_alone():
    clip = render(scene(), "cut", 10, (192, 128), other=1 - scene(1)[::-1])
    alone = flickering(clip)
    made, begun = steadied(clip, alone, 0.9)
    assert begun == [0, 5]
    assert np.array_equal(made[0], alone[0]) and np.array_equal(made[5], alone[5])
    assert not np.array_equal(made[6], alone[6])


def test_no_trail_behind_an_object():
    """Where the scene comes out from behind it, nothing of the object's style is left."""
    clip = render(scene(), "object", 12, (192, 128))
    inside = [(layer == 1)[..., None] for layer in clip.layers]
    alone = [np.where(i, 0.9, 0.1).astype(np.float32) + np.zeros(3, np.float32) for i in inside]
    made, begun = steadied(clip, alone, 0.9)
    assert begun == [0]
    worst = [np.abs(m - a).max(axis=-1) > 0.15 for m, a in zip(made, alone, strict=True)]
    # Some pixels at its edges, where flow is no better than its patches.
    assert max(w.mean() for w in worst) < 0.03


def test_carried_where_it_can_be_followed_and_drawn_anew_where_not():
    """With a patch for what the object uncovers, frames between have no trail either."""
    clip = render(scene(), "object", 12, (320, 192))
    inside = [(layer == 1)[..., None] for layer in clip.layers]
    alone = [np.where(i, 0.9, 0.1).astype(np.float32) + np.zeros(3, np.float32) for i in inside]
    finder, steadier = MotionFinder(), Steadier(0.9)
    patched = 0
    for number, (content, picture) in enumerate(zip(clip.pixels(), alone, strict=True)):
        motion = finder.look(content)
        if motion is None or number % 3 == 0:
            made = steadier.blend(picture, motion)
        else:
            parts = lost_parts(motion.weight)
            assert parts is not None
            patched += sum(box.width * box.height for box, _ in parts)
            made = steadier.carry([(box, picture[box.slices]) for box, _ in parts], motion)
        assert (np.abs(made - picture).max(axis=-1) > 0.15).mean() < 0.03
    assert 0 < patched < 0.3 * 8 * 320 * 192


def test_after_a_cut_a_carried_frame_has_the_detail_of_its_own_shot():
    clip = render(scene(), "still", 2, (192, 128))
    finder, steadier = MotionFinder(), Steadier(0.9)
    finder.look(clip.pixels()[0])
    motion = finder.look(clip.pixels()[1])
    assert motion is not None
    noisy = RANDOM.random((128, 192, 3)).astype(np.float32)
    # The shot before has 16 times as much of it.
    pale = noisy / 4
    steadier.blend(noisy, None)
    steadier.blend(noisy, motion)
    assert np.array_equal(steadier.blend(pale, None), pale)
    assert 0.97 < detail(steadier.carry([], motion)) / detail(pale) < 1.03


def test_other_sizes():
    """Smaller than a patch of the flow, wide and low, and one whose flow is found at less."""
    for height, width in ((1, 1), (5, 40), (16, 128), (5, 200), (40, 1000), (500, 900)):
        finder, steadier = MotionFinder(), Steadier(0.9)
        frame = RANDOM.integers(0, 256, (height, width, 3)).astype(np.uint8)
        stylized = (frame / 255).astype(np.float32)
        motion = finder.look(frame)
        assert motion is None and np.array_equal(steadier.blend(stylized, motion), stylized)
        motion = finder.look(frame)
        assert motion is not None and motion.weight.shape == (height, width)
        assert np.abs(steadier.blend(stylized, motion) - stylized).max() < 1e-4
        assert np.abs(steadier.carry([], motion) - stylized).max() < 1e-4
    # Another size is another shot.
    assert finder.look(frame[:100]) is None


def test_flow_of_a_low_frame_is_as_long_as_it_is():
    """What is added below it, so that flow can be found, makes it no shorter."""
    noise = np.random.default_rng(4).random((24, 60)).astype(np.float32)
    noise = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX)
    frames = [
        np.repeat(noise[top : top + 12, 4:56, None], 3, axis=2).astype(np.uint8) for top in (3, 4)
    ]
    finder = MotionFinder()
    assert finder.look(frames[0]) is None
    motion = finder.look(frames[1])
    assert motion is not None
    rows = np.arange(12, dtype=np.float32)[:, None]
    assert abs(float(np.median((motion.y - rows)[2:-4])) - 1) < 0.1
