"""Decoder processes: the same pictures, and an end to what takes too much."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from serving import PATIENCE, encoded, picture, waves

from adain import AdaINError, load_image
from adain.errors import DeviceError
from adain.server.decoding import pool
from adain.server.decoding.pool import Decoders, LimitExceededError
from benchmarks import uploads

# As many refining scans as are taken, of a picture so large: some seconds of decoding.
SCANS, SLOW_SIDE = 450, 6000
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="limits are kept on Linux alone")


@pytest.fixture
def decoders() -> Iterator[Decoders]:
    decoders = Decoders(1, 4_000_000, PATIENCE)
    yield decoders
    decoders.close()


def process_of(decoders: Decoders) -> int:
    [process] = decoders._idle
    return process._child.pid


def test_pictures_are_those_of_load_image(decoders: Decoders, tmp_path: Path) -> None:
    with_alpha = np.dstack([waves(900, 700, 1), waves(900, 700, 2)[..., :1]])
    path = tmp_path / "ä.png"
    path.write_bytes(encoded(with_alpha))
    for source, side in ((picture(), None), (encoded(with_alpha), 333), (path, None)):
        wanted, found = load_image(source, max_side=side), decoders.decode(source, side)
        assert np.array_equal(found.rgb, wanted.rgb)
        assert (found.alpha is None) == (wanted.alpha is None)
        assert wanted.alpha is None or np.array_equal(found.alpha, wanted.alpha)
        found.rgb[0, 0] = 0  # as of any picture, they may be written to


def test_its_errors_are_those_of_load_image(decoders: Decoders, tmp_path: Path) -> None:
    for source in (b"no picture", b"", picture()[:200], picture(3000, 1500), tmp_path / "none"):
        with pytest.raises(AdaINError) as wanted:
            load_image(source, max_pixels=4_000_000)
        with pytest.raises(AdaINError) as found:
            decoders.decode(source, None)
        assert str(found.value) == str(wanted.value)
    assert decoders.decode(picture(), None).width == 64


@LINUX
def test_a_file_that_takes_too_long_ends_its_process_alone(decoders: Decoders) -> None:
    decoders.decode(picture(), None)
    before = process_of(decoders)
    decoders._max_pixels = SLOW_SIDE**2
    decoders._seconds = 0.3
    with pytest.raises(LimitExceededError, match="takes longer to decode") as caught:
        decoders.decode(uploads.many_scans(SCANS, SLOW_SIDE), None)
    assert caught.value.limit == "time"
    decoders._seconds = PATIENCE
    assert decoders.decode(picture(), None).width == 64
    assert process_of(decoders) != before


@LINUX
def test_a_file_that_takes_too_much_memory_is_refused(decoders: Decoders) -> None:
    decoders.memory = 100_000_000
    with pytest.raises(LimitExceededError, match="more than 100 MB to decode") as caught:
        decoders.decode(uploads.deep_gray_with_alpha(2000), None)
    assert caught.value.limit == "memory"
    assert decoders.decode(picture(), None).width == 64


def test_who_goes_away_ends_the_decoding(decoders: Decoders) -> None:
    gone = threading.Event()
    threading.Timer(0.5, gone.set).start()
    decoders._max_pixels = SLOW_SIDE**2
    with pytest.raises(DeviceError, match="nobody waits"):
        decoders.decode(uploads.many_scans(SCANS, SLOW_SIDE), None, gone.is_set)
    assert decoders.decode(picture(), None).width == 64


def test_a_process_that_was_ended_meanwhile_is_replaced(decoders: Decoders) -> None:
    decoders.decode(picture(), None)
    os.kill(process_of(decoders), signal.SIGKILL)
    assert decoders.decode(picture(40, 30), None).width == 40


def test_a_decoder_that_never_answers_is_the_servers_fault(
    decoders: Decoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "MODULE", "adain.server.nothing_here")
    with pytest.raises(DeviceError, match="the decoder ended with status 1"):
        decoders.decode(picture(), None)


def test_no_process_outlives_the_server(decoders: Decoders) -> None:
    decoders.decode(picture(), None)
    [process] = decoders._idle
    assert process._child.poll() is None
    assert process._child.stdin is not None
    process._child.stdin.close()  # as the system does when the server is gone
    assert process._child.wait(PATIENCE) == 0


def test_as_many_wait_as_there_are_processes(decoders: Decoders) -> None:
    found = []
    threads = [
        threading.Thread(
            target=lambda seed=seed: found.append(decoders.decode(picture(seed=seed), None))
        )
        for seed in range(6)
    ]
    for thread in threads:
        thread.start()
    until = time.monotonic() + PATIENCE
    for thread in threads:
        thread.join(until - time.monotonic())
    assert len(found) == 6
    process_of(decoders)
