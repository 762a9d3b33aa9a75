"""The request queue: bounded in length and in time, in front of a device that few use at a time."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from adain import AdaINError
from adain.providers import cores
from adain.server.settings import Settings

T = TypeVar("T")

# Beside the pictures being computed, so many are read or written: the device never waits for a
# decoder, and no more pictures than these are in memory. Where the network has only two cores, none
# is, since it loses more by sharing them: `python -m benchmarks.service` has 0.91 to 0.94 of the
# bare runtime's pictures without, and at most 0.91 with.
BESIDE = 2


class BusyError(AdaINError):
    """Too many requests are waiting; ``retry_after`` is in seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(eq=False)
class _Ticket:
    """A request's place in the queue."""

    started: bool = False  # it has had the device
    abandoned: bool = False  # nobody waits for its result any longer
    cleanups: set[Callable[[], None]] = field(default_factory=set)  # to call at its end


class RequestQueue:
    """Runs requests in a pool of threads; ``settings.workers`` of them have the device at a time.

    A request is a function that reads pictures, computes within ``computing()``, and writes. What
    comes while ``settings.queue`` requests wait is refused with BusyError. ``beside`` is how many
    are read or written while others compute, by default BESIDE where there are cores for it.
    """

    def __init__(self, settings: Settings, beside: int | None = None) -> None:
        self.settings = settings
        self.beside = (BESIDE if cores() > 2 else 0) if beside is None else beside
        self.limit = settings.workers + settings.queue
        self._pool = ThreadPoolExecutor(settings.workers + self.beside, "request")
        self._device_free = threading.Condition()
        self._on_device = 0
        self._waiting: deque[_Ticket] = deque()  # for the device, first to last
        self._own = threading.local()  # the ticket of the request that this thread answers
        self._lock = threading.Lock()
        self._tickets: dict[Future[Any], _Ticket] = {}
        self._seconds = 0.0  # a running mean of the time that a picture has the device
        self.computed = 0
        self.stopping = False

    @property
    def length(self) -> int:
        """How many requests were accepted and are not answered yet."""
        with self._lock:
            return len(self._tickets)

    def submit(self, request: Callable[[], T]) -> Future[T]:
        """Enqueue a request; BusyError where the queue is full, or the server is stopping."""
        ticket = _Ticket()
        with self._lock:
            if self.stopping:
                raise _stopping()
            length = len(self._tickets)
            if length >= self.limit:
                wait = length * self._seconds / self.settings.workers
                seconds = min(60, max(1, math.ceil(wait)))
                message = f"busy: {length} requests are in line; try again in {seconds} s"
                raise BusyError(message, retry_after=seconds)
            try:
                future = self._pool.submit(self._answer, ticket, request)
            except RuntimeError as error:  # shut down
                raise _stopping() from error
            self._tickets[future] = ticket
        future.add_done_callback(self._leave)
        return future

    def run(self, request: Callable[[], T]) -> T:
        """Wait for the result of a request: BusyError as `submit`, or where the time is over."""
        future = self.submit(request)
        try:
            return future.result(self.settings.timeout)
        except FutureTimeoutError as error:
            if future.done():  # the request's own
                raise
            raise self.give_up(future) from error
        except CancelledError as error:
            raise _stopping() from error

    def give_up(self, future: Future[Any]) -> BusyError:
        """Take a request that nobody waits for any longer out of the queue; what to say of it."""
        with self._lock:
            ticket = self._tickets.get(future)
        future.cancel()
        if ticket is not None:
            with self._device_free:
                ticket.abandoned = True
                self._device_free.notify_all()
        seconds = self.settings.timeout
        return BusyError(f"busy: no result after {seconds:g} seconds; try again", retry_after=5)

    def close(self) -> None:
        """Finish what is running, refuse what is waiting."""
        with self._lock, self._device_free:
            self.stopping = True
            self._device_free.notify_all()
        self._pool.shutdown(wait=True, cancel_futures=True)

    @contextmanager
    def computing(self, *, picture: bool = True) -> Iterator[None]:
        """The device, for as long as this lasts; BusyError where the turn came too late.

        Turns are first come, first served. ``picture`` is whether a picture comes of it that
        counts: a style alone is none.
        """
        self._take_turn(self._ticket())
        started = time.monotonic()
        try:
            yield
        finally:
            with self._device_free:
                self._on_device -= 1
                self._device_free.notify_all()
        took = time.monotonic() - started
        if not picture:
            return
        with self._lock:
            self.computed += 1
            self._seconds += (took - self._seconds) / min(self.computed, 20)

    def abandonment(self) -> Callable[[], bool]:
        """Whether nobody waits any longer for the request that this thread answers."""
        ticket = self._ticket()
        return lambda: ticket.abandoned

    def at_end(self, cleanup: Callable[[], None]) -> None:
        """Have ``cleanup`` called once when the request that this thread answers is over."""
        self._ticket().cleanups.add(cleanup)

    def _take_turn(self, ticket: _Ticket) -> None:
        def settled() -> bool:
            first = self._waiting[0] is ticket and self._on_device < self.settings.workers
            return first or ticket.abandoned or (self.stopping and not ticket.started)

        with self._device_free:
            self._waiting.append(ticket)
            try:
                self._device_free.wait_for(settled)
            finally:
                self._waiting.remove(ticket)
                self._device_free.notify_all()
            if ticket.abandoned:
                raise BusyError("nobody waits for this any longer", retry_after=1)
            if self.stopping and not ticket.started:
                raise _stopping()
            ticket.started = True
            self._on_device += 1

    def _answer(self, ticket: _Ticket, request: Callable[[], T]) -> T:
        self._own.ticket = ticket
        try:
            return request()
        except AdaINError as error:
            # Its frames hold pictures for as long as somebody holds the error.
            error.__cause__ = error.__context__ = None
            raise error.with_traceback(None)  # noqa: B904
        finally:
            del self._own.ticket
            for cleanup in ticket.cleanups:
                cleanup()

    def _ticket(self) -> _Ticket:
        """That of the request which this thread answers, or one that nobody looks at."""
        return getattr(self._own, "ticket", None) or _Ticket()

    def _leave(self, future: Future[Any]) -> None:
        with self._lock:
            del self._tickets[future]


def _stopping() -> BusyError:
    return BusyError("the server is stopping", retry_after=10)
