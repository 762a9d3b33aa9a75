"""The request queue: its bound, its order of leaving, its end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future

import pytest
from serving import PATIENCE

from adain.server.asgi import CLIENT
from adain.server.queue import BusyError, RequestQueue
from adain.server.settings import Settings


@pytest.fixture(params=[0, 2])
def queue(request: pytest.FixtureRequest) -> Iterator[RequestQueue]:
    """Two may wait beside those who read or write."""
    queue = RequestQueue(Settings(queue=request.param + 2, timeout=PATIENCE), request.param)
    yield queue
    queue.close()


class Blocking:
    """A request that is on the device until it is let go."""

    def __init__(self, queue: RequestQueue) -> None:
        self._queue = queue
        self.started = threading.Event()
        self.go = threading.Event()

    def __call__(self) -> str:
        with self._queue.computing():
            self.started.set()
            assert self.go.wait(PATIENCE)
        return "done"


def fill(queue: RequestQueue) -> Blocking:
    """Have one picture on the device; the next can only wait."""
    blocking = Blocking(queue)
    queue.submit(blocking)
    assert blocking.started.wait(PATIENCE)
    return blocking


def turn(queue: RequestQueue) -> None:
    with queue.computing():
        pass


def eventually(queue: RequestQueue, length: int) -> None:
    until = time.monotonic() + PATIENCE
    while queue.length != length:
        assert time.monotonic() < until, f"{queue.length} in the queue"
        time.sleep(0.01)


def test_its_length_is_bounded(queue: RequestQueue) -> None:
    blocking = fill(queue)
    waiting = [queue.submit(lambda: turn(queue)) for _ in range(queue.beside + 2)]
    with pytest.raises(BusyError, match=f"{queue.beside + 3} requests") as caught:
        queue.submit(lambda: None)
    assert 1 <= caught.value.retry_after <= 60
    assert queue.length == queue.beside + 3 == queue.limit
    blocking.go.set()
    assert [future.result(PATIENCE) for future in waiting] == [None] * (queue.beside + 2)
    eventually(queue, 0)
    assert queue.run(lambda: 7) == 7


def test_who_gives_up_leaves_it(queue: RequestQueue) -> None:
    blocking = fill(queue)
    ran = []
    futures = [queue.submit(lambda: turn(queue) or ran.append(1)) for _ in range(queue.beside + 2)]
    for future in futures:
        queue.give_up(future)
    eventually(queue, 1)
    blocking.go.set()
    eventually(queue, 0)
    assert ran == []
    assert queue.computed == 1


def test_nobody_waits_forever() -> None:
    queue = RequestQueue(Settings(timeout=1), 0)
    blocking = fill(queue)
    with pytest.raises(BusyError, match="no result after 1 seconds"):
        queue.run(lambda: turn(queue))
    blocking.go.set()
    queue.close()


def test_a_requests_own_timeout_is_its_own(queue: RequestQueue) -> None:
    def fail() -> None:
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        queue.run(fail)


def test_what_is_to_be_done_at_the_end_is_done_once(queue: RequestQueue) -> None:
    done = []

    def clean() -> None:
        done.append(queue.length)

    def request() -> int:
        queue.at_end(clean)
        queue.at_end(clean)
        return len(done)

    assert queue.run(request) == 0
    assert done == [1]


def test_closing_finishes_what_runs_and_refuses_what_waits(queue: RequestQueue) -> None:
    blocking = Blocking(queue)
    running = queue.submit(blocking)
    assert blocking.started.wait(PATIENCE)
    waiting = [queue.submit(lambda: turn(queue)) for _ in range(queue.beside + 2)]
    closing = threading.Thread(target=queue.close)
    closing.start()
    while not queue.stopping:
        time.sleep(0.01)
    with pytest.raises(BusyError, match="stopping"):
        queue.submit(lambda: None)
    eventually(queue, 1)  # who waits is told at once
    blocking.go.set()
    closing.join(PATIENCE)
    assert running.result(0) == "done"
    for future in waiting:
        with pytest.raises((BusyError, CancelledError)):
            future.result(0)
    assert queue.length == 0


def test_a_picture_that_began_goes_on_to_its_end(queue: RequestQueue) -> None:
    began, go = threading.Event(), threading.Event()

    def twice() -> str:
        turn(queue)
        began.set()
        assert go.wait(PATIENCE)
        turn(queue)
        return "done"

    future = queue.submit(twice)
    assert began.wait(PATIENCE)
    closing = threading.Thread(target=queue.close)
    closing.start()
    while not queue.stopping:
        time.sleep(0.01)
    go.set()
    assert future.result(PATIENCE) == "done"
    closing.join(PATIENCE)


def submitted(queue: RequestQueue, client: str, ran: list[str], name: str) -> Future[None]:
    token = CLIENT.set(client)
    try:
        return queue.submit(lambda: ran.append(name))
    finally:
        CLIENT.reset(token)


def test_clients_take_turns_and_the_greediest_makes_room() -> None:
    queue = RequestQueue(Settings(queue=4, timeout=PATIENCE), 0)
    blocking = fill(queue)
    ran: list[str] = []
    greedy = [submitted(queue, "greedy", ran, f"greedy {n}") for n in range(4)]
    with pytest.raises(BusyError):  # the queue is full, and nobody has more in it
        submitted(queue, "greedy", ran, "one more")
    polite = [submitted(queue, "polite", ran, f"polite {n}") for n in range(2)]
    with pytest.raises(BusyError):  # both have two
        submitted(queue, "polite", ran, "one more")
    for future in greedy[2:]:
        with pytest.raises(BusyError, match="in line"):
            future.result(PATIENCE)
    blocking.go.set()
    for future in (*greedy[:2], *polite):
        future.result(PATIENCE)
    assert ran == ["greedy 0", "polite 0", "greedy 1", "polite 1"]
    assert queue.refusals == {"queue_full": 4}
    queue.close()


def test_the_wait_and_the_work_are_told_apart() -> None:
    queue = RequestQueue(Settings(queue=4, timeout=PATIENCE), 0)
    told: list[tuple[str, float]] = []
    queue.observe = lambda kind, seconds: told.append((kind, seconds))
    blocking = fill(queue)
    second = queue.submit(lambda: turn(queue))
    time.sleep(0.2)
    blocking.go.set()
    second.result(PATIENCE)
    queue.close()
    waits = [seconds for kind, seconds in told if kind == "wait"]
    work = [seconds for kind, seconds in told if kind == "compute"]
    assert len(waits) == len(work) == 2
    assert waits[1] >= 0.2 and work[0] >= 0.2 and min(work) < 0.2


def test_the_end_waits_no_longer_than_it_may() -> None:
    queue = RequestQueue(Settings(queue=4, timeout=PATIENCE), 0)
    blocking = fill(queue)
    waiting = queue.submit(lambda: None)
    assert not queue.close(0.1)
    with pytest.raises(BusyError, match="stopping"):
        waiting.result(PATIENCE)
    blocking.go.set()
    assert queue.close(PATIENCE)
