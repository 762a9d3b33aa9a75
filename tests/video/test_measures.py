"""The warping error by the rendered clips' own flow, and the energy of detail."""

import numpy as np
import pytest

from adain.video import clips
from adain.video.measures import detail, warped, warping_error


@pytest.fixture
def still_camera(monkeypatch):
    monkeypatch.setattr(clips, "GRAIN", 0.0)


def smooth():
    y, x = np.mgrid[0:200, 0:320].astype(np.float32)
    return np.stack([np.sin(x / 19), np.cos(y / 17), np.sin((x + y) / 23)], axis=-1) * 0.4 + 0.5


@pytest.mark.parametrize("kind", ["pan", "zoom", "rotation", "object", "still"])
def test_exact_flow_leaves_no_error(still_camera, kind):
    clip = clips.render(smooth().astype(np.float32), kind, 10, (160, 96))
    for now, earlier in ((1, 0), (9, 8), (9, 1)):
        flow, seen = clip.flow(now, earlier)
        assert seen.mean() > 0.5
        error = warping_error(clip.frames[now], clip.frames[earlier], flow, seen)
        assert error < (1.5 / 255) ** 2
        if kind in ("pan", "zoom", "rotation"):
            none = np.zeros_like(flow)
            assert warping_error(clip.frames[now], clip.frames[earlier], none, seen) > 3 * error


def test_nothing_is_seen_across_a_cut():
    clip = clips.render(smooth().astype(np.float32), "cut", 10, (160, 96))
    assert clip.flow(5, 4)[1].sum() == 0 < clip.flow(4, 3)[1].sum()


def test_an_object_hides_what_lies_behind():
    clip = clips.render(smooth().astype(np.float32), "object", 12, (160, 96))
    now, before = (clip.layers[n] == 1 for n in (11, 10))
    assert now.any() and not np.array_equal(now, before)
    _, seen = clip.flow(11, 10)
    assert not seen[before & ~now].any() and seen[now & before].any()


def test_warped_by_whole_pixels():
    picture = np.random.default_rng(0).random((8, 9, 3), np.float32)
    flow = np.zeros((8, 9, 2), np.float32)
    flow[..., 0], flow[..., 1] = -2, 1
    assert np.allclose(warped(picture, flow)[:-1, 2:], picture[1:, :-2], atol=1e-6)
    seen = np.zeros((8, 9), np.float32)
    seen[2, 3] = 1
    other = picture + np.float32(0.5)
    assert np.isclose(warping_error(other, picture, np.zeros_like(flow), seen), 0.25)


def test_detail_is_what_blur_takes():
    noise = np.random.default_rng(0).random((64, 64, 3), np.float32)
    assert detail(np.full((8, 8, 3), 0.4, np.float32)) < 1e-12
    assert detail(0.5 * noise) == pytest.approx(detail(noise) / 4, rel=1e-4)
