"""A camera's newest frame is the next one shown; keys change what it becomes."""

import threading

import numpy as np
import pytest
from helpers import distance, error_of
from video_files import drawn

from adain.errors import AdaINError
from adain.options import StylizeOptions
from adain.video.live import stylize_live


class Screen:
    """Collects what is shown; ``keys`` are pressed one at a frame."""

    def __init__(self, keys=()):
        self.keys, self.frames = list(keys), []

    def __call__(self, frame, status):
        self.frames.append(frame)
        return self.keys.pop(0) if self.keys else None


def test_the_newest_frame_is_next(stylizer, painting):
    """While one is shown, five come: four of them are dropped."""
    frames = [drawn(7 * number) for number in range(7)]
    shown, come = threading.Semaphore(0), threading.Semaphore(0)

    def camera():
        yield frames[0]
        shown.acquire()
        yield from frames[1:6]
        come.release()
        shown.acquire()
        yield frames[6]

    screen = Screen()

    def show(frame, status):
        screen(frame, status)
        shown.release()
        if len(screen.frames) == 1:
            come.acquire()

    status = stylize_live(camera(), [painting], show, steady=0, stylizer=stylizer)
    assert (status.seen, status.shown) == (7, 3)
    for found, number in zip(screen.frames, (0, 5, 6), strict=True):
        expected = stylizer.stylize(frames[number], painting)
        assert distance(found, expected) < 0.005
    assert status.rate > 0 and status.latency > 0


def test_keys(stylizer, painting):
    """Each frame is waited for, so that each key has its own."""
    still, other = drawn(0), painting[:, ::-1] // 3
    shown = threading.Semaphore(0)

    def camera():
        while True:
            yield still
            shown.acquire()

    screen = Screen(["2", "-", "[-", "+", "1", "9", "²", "q", "2"])

    def show(frame, status):
        shown.release()
        return screen(frame, status)

    options = StylizeOptions(alpha=0.6)
    status = stylize_live(camera(), [painting, other], show, options, steady=0.5, stylizer=stylizer)
    assert status.shown == 8 and screen.keys == ["2"]
    wanted = [(painting, 0.6), (other, 0.6), (other, 0.5), (other, 0.3), (other, 0.4)]
    wanted += [(painting, 0.4)] * 3
    for found, (style, alpha) in zip(screen.frames, wanted, strict=True):
        assert np.abs(found - stylizer.stylize(still, style, alpha).astype(int)).max() <= 2


def test_what_the_camera_and_the_screen_raise_is_raised(stylizer, painting):
    def broken():
        yield drawn(0)
        raise AdaINError("camera 3: found no further picture; allowed: a camera that stays")

    assert "camera 3" in error_of(
        lambda: stylize_live(broken(), [painting], Screen(), stylizer=stylizer)
    )

    def show(frame, status):
        raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        stylize_live((drawn(n) for n in range(3)), [painting], show, stylizer=stylizer)
    assert threading.active_count() == before
    assert "styles: found none" in error_of(lambda: stylize_live([], [], Screen()))
