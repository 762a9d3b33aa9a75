"""The line before the device: its bound, its order of leaving, its end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import numpy as np
import pytest
from serving import picture

from adain import AdaINError
from adain.images.picture import Picture
from adain.server.engine import BusyError, Engine
from adain.server.settings import Settings

SOON = 10.0


@pytest.fixture(params=[0, 2])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Two may wait beside those who read or write, and nobody waits for more than a second."""
    settings = Settings(queue=request.param + 2, timeout=1, max_pixels=10_000)
    engine = Engine(settings, device="cpu", beside=request.param)
    yield engine
    engine.close()


class Blocking:
    """A request that is on the device until it is let go."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.started = threading.Event()
        self.go = threading.Event()

    def __call__(self) -> str:
        with self._engine.computing():
            self.started.set()
            assert self.go.wait(SOON)
        return "done"


def fill(engine: Engine) -> Blocking:
    """Have one picture on the device; the next can only wait."""
    blocking = Blocking(engine)
    engine.submit(blocking)
    assert blocking.started.wait(SOON)
    return blocking


def turn(engine: Engine) -> None:
    with engine.computing():
        pass


def eventually(engine: Engine, in_line: int) -> None:
    until = time.monotonic() + SOON
    while engine.in_line != in_line:
        assert time.monotonic() < until, f"{engine.in_line} in line"
        time.sleep(0.01)


def test_the_line_is_bounded(engine: Engine) -> None:
    blocking = fill(engine)
    waiting = [engine.submit(lambda: turn(engine)) for _ in range(engine.beside + 2)]
    with pytest.raises(BusyError, match=f"{engine.beside + 3} requests") as caught:
        engine.submit(lambda: None)
    assert 1 <= caught.value.retry_after <= 60
    assert engine.in_line == engine.beside + 3
    blocking.go.set()
    assert [future.result(SOON) for future in waiting] == [None] * (engine.beside + 2)
    eventually(engine, 0)
    assert engine.run(lambda: 7) == 7


def test_who_gives_up_leaves_the_line(engine: Engine) -> None:
    blocking = fill(engine)
    ran = []
    futures = [
        engine.submit(lambda: turn(engine) or ran.append(1)) for _ in range(engine.beside + 2)
    ]
    for future in futures:
        engine.give_up(future)
    eventually(engine, 1)
    blocking.go.set()
    eventually(engine, 0)
    assert ran == []
    assert engine.computed == 1


def test_nobody_waits_forever(engine: Engine) -> None:
    blocking = fill(engine)
    with pytest.raises(BusyError, match="no result after 1 seconds"):
        engine.run(lambda: turn(engine))
    blocking.go.set()


def test_a_requests_own_timeout_is_its_own(engine: Engine) -> None:
    def fail() -> None:
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        engine.run(fail)


def test_closing_finishes_what_runs_and_refuses_what_waits(engine: Engine) -> None:
    blocking = Blocking(engine)
    running = engine.submit(blocking)
    assert blocking.started.wait(SOON)
    waiting = [engine.submit(lambda: turn(engine)) for _ in range(engine.beside + 2)]
    closing = threading.Thread(target=engine.close)
    closing.start()
    while not engine.stopping:
        time.sleep(0.01)
    with pytest.raises(BusyError, match="stopping"):
        engine.submit(lambda: None)
    eventually(engine, 1)  # who waits is told at once
    blocking.go.set()
    closing.join(SOON)
    assert running.result(0) == "done"
    for future in waiting:
        with pytest.raises((BusyError, CancelledError)):
            future.result(0)
    assert engine.in_line == 0


def test_a_picture_that_began_goes_on_to_its_end(engine: Engine) -> None:
    began, go = threading.Event(), threading.Event()

    def twice() -> str:
        turn(engine)
        began.set()
        assert go.wait(SOON)
        turn(engine)
        return "done"

    future = engine.submit(twice)
    assert began.wait(SOON)
    closing = threading.Thread(target=engine.close)
    closing.start()
    while not engine.stopping:
        time.sleep(0.01)
    go.set()
    assert future.result(SOON) == "done"
    closing.join(SOON)


def test_pictures_are_kept_and_checked(engine: Engine, tmp_path: Path) -> None:
    data = picture(40, 30)
    first = engine.picture(data)
    assert engine.picture(data) is first
    assert engine.cache_hits == 1
    assert engine.picture(data, 20).width == 20
    path = tmp_path / "a.png"
    path.write_bytes(data)
    kept = engine.picture(path)
    assert np.array_equal(kept.rgb, first.rgb)
    path.write_bytes(picture(41, 30))
    assert engine.picture(path).width == 41
    with pytest.raises(AdaINError, match="10,000 pixels"):
        engine.picture(picture(101, 100))


def test_a_model_is_opened_once(engine: Engine) -> None:
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(engine.stylizer("fast"))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1
    assert engine.devices == {"fast": "cpu"}
    with pytest.raises(AdaINError, match="model"):
        engine.stylizer("none")


def test_the_memory_of_a_large_picture_is_given_back(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []
    give_back = "adain.sessions.Sessions.give_back_memory"
    monkeypatch.setattr(give_back, lambda sessions: given.append(sessions))
    monkeypatch.setattr("adain.server.engine.LARGE", 80 * 60)

    def stylize(data: bytes) -> None:
        content = engine.picture(data)
        with engine.computing():
            engine.stylizer().stylize_picture(content, data)

    engine.run(lambda: stylize(picture(80, 60)))
    assert given == []
    engine.run(lambda: stylize(picture(81, 60)))
    assert len(given) == 1


def test_a_request_that_the_memory_does_not_suffice_for(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adain.server.engine._share_of_memory", lambda: 20_000_000)
    data = picture(64, 48)
    content = engine.picture(data).resized(2000, 2000)

    def stylize(content: Picture) -> Picture:
        with engine.computing():
            return engine.stylizer().stylize_picture(content, data)

    with pytest.raises(AdaINError, match=r"memory_limit: found 20,000,000 bytes") as caught:
        engine.run(lambda: stylize(content))
    assert caught.value.__context__ is None
    assert engine.run(lambda: stylize(engine.picture(data))).width == 64
