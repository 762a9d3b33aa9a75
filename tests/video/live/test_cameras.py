"""A file that plays at its own rate, and devices that are not there."""

import time

import numpy as np
from helpers import error_of
from video_files import decoded, drawn, encode

from adain.video.live.cameras import DeviceCamera, FileCamera


def test_a_file_plays_at_its_own_rate(tmp_path):
    source = encode(tmp_path / "in.mkv", [drawn(n) for n in range(6)], codec="ffv1", form="bgr0")
    camera = FileCamera(source, max_side=32)
    begun = time.monotonic()
    frames = list(camera)
    # The last is shown at a fifth of a second; later under load, but never before.
    assert time.monotonic() - begun >= 0.2
    camera.close()
    assert len(frames) == len(decoded(source)[1]) and frames[0].shape == (24, 32, 3)
    whole = FileCamera(source)
    assert np.array_equal(next(iter(whole)), drawn(0))
    whole.close()


def test_what_is_no_camera():
    assert "camera 97: found no picture; allowed: " in error_of(lambda: DeviceCamera(97))
