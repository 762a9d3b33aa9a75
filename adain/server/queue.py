"""The request queue: bounded, fair to its clients, in front of a device that few use at a time."""

from __future__ import annotations

import contextvars
import math
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from adain import AdaINError
from adain.cores import cores
from adain.server.asgi import CLIENT
from adain.server.settings import Settings

T = TypeVar("T")

# Beside the pictures being computed, so many are read or written: the device never waits for a
# decoder, and no more pictures than these are in memory. Where the network has only two cores, none
# is, since it loses more by sharing them: `python -m benchmarks.service` has 0.91 to 0.94 of the
# bare runtime's pictures without, and at most 0.91 with.
BESIDE = 2


class BusyError(AdaINError):
    """No room or no time for a request; ``retry_after`` is in seconds, ``reason`` for metrics."""

    def __init__(self, message: str, retry_after: int, reason: str = "queue_full") -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.reason = reason

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.retry_after, self.reason)


@dataclass(eq=False)
class _Ticket:
    """A request's place in the queue."""

    client: str = ""
    request: Callable[[], Any] | None = None
    future: Future[Any] = field(default_factory=Future)
    submitted: float = 0.0
    waited: float = 0.0  # seconds, for a thread and for the device
    started: bool = False  # it has had the device
    abandoned: bool = False  # nobody waits for its result any longer
    cleanups: set[Callable[[], None]] = field(default_factory=set)  # to call at its end


class RequestQueue:
    """Runs requests in a pool of threads; ``settings.workers`` of them have the device at a time.

    A request is a function that reads pictures, computes within ``computing()``, and writes. The
    clients take turns: of each that waits, one request is run before the second of any. What comes
    while ``settings.queue`` requests wait is refused with BusyError, unless another client has more
    of them waiting, whose last is refused in its place. ``beside`` is how many are read or written
    while others compute, by default BESIDE where there are cores for it.

    ``observe`` is called with the seconds that a request has waited ("wait") and that each turn on
    the device has taken ("compute").
    """

    def __init__(self, settings: Settings, beside: int | None = None) -> None:
        self.settings = settings
        self.beside = (BESIDE if cores() > 2 else 0) if beside is None else beside
        self.limit = settings.workers + settings.queue
        self._threads = settings.workers + self.beside
        self._pool = ThreadPoolExecutor(self._threads, "request")
        self._device_free = threading.Condition()
        self._on_device = 0
        self._turns: deque[_Ticket] = deque()  # for the device, first to last
        self._own = threading.local()  # the ticket of the request that this thread answers
        # Futures call back while it is held.
        self._lock = threading.RLock()
        self._tickets: dict[Future[Any], _Ticket] = {}
        # Those that no thread has yet, by client; the client whose turn it is comes first.
        self._lines: OrderedDict[str, deque[_Ticket]] = OrderedDict()
        self._running: set[_Ticket] = set()
        self._none_runs = threading.Condition(self._lock)
        self._seconds = 0.0  # a running mean of the time that a picture has the device
        self.computed = 0
        self.refusals: Counter[str] = Counter()  # by reason
        self.observe: Callable[[str, float], None] = lambda kind, seconds: None
        self.stopping = False

    @property
    def length(self) -> int:
        """How many requests were accepted and are not answered yet."""
        with self._lock:
            return len(self._tickets)

    def submit(self, request: Callable[[], T]) -> Future[T]:
        """Enqueue a request; BusyError where the queue is full, or the server is stopping."""
        client = CLIENT.get("")
        with self._lock:
            if self.stopping:
                raise self._refusal(_stopping())
            if len(self._tickets) >= self.limit and not self._make_room(client):
                raise self._refusal(self._full())
            context = contextvars.copy_context()
            ticket = _Ticket(client, lambda: context.run(request), submitted=time.monotonic())
            self._tickets[ticket.future] = ticket
            self._lines.setdefault(client, deque()).append(ticket)
            self._dispatch()
        ticket.future.add_done_callback(self._leave)
        return ticket.future

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

    def give_up(self, future: Future[Any], gone: bool = False) -> BusyError:
        """Take a request that nobody waits for any longer out of the queue; what to say of it.

        ``gone`` is whether that is because its client went away, and not because it took too long.
        """
        with self._lock:
            ticket = self._tickets.get(future)
            if ticket is not None:
                self._remove(ticket)
        future.cancel()
        if ticket is not None:
            with self._device_free:
                ticket.abandoned = True
                self._device_free.notify_all()
        seconds = self.settings.timeout
        message = f"busy: no result after {seconds:g} seconds; try again"
        error = BusyError(message, retry_after=5, reason="timeout")
        return error if gone else self._refusal(error)

    def close(self, seconds: float | None = None) -> bool:
        """Refuse what waits, finish what runs; whether that took no more than ``seconds``."""
        with self._lock, self._device_free:
            self.stopping = True
            waiting = [ticket for line in self._lines.values() for ticket in line]
            self._lines.clear()
            self._device_free.notify_all()
        for ticket in waiting:
            if ticket.future.set_running_or_notify_cancel():
                ticket.future.set_exception(self._refusal(_stopping()))
        with self._none_runs:
            finished = self._none_runs.wait_for(lambda: not self._running, seconds)
        self._pool.shutdown(wait=finished)
        return finished

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
        self.observe("compute", took)
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

    def _full(self) -> BusyError:
        length = len(self._tickets)
        wait = length * self._seconds / self.settings.workers
        seconds = min(60, max(1, math.ceil(wait)))
        message = f"busy: {length} requests are in line; try again in {seconds} s"
        return BusyError(message, retry_after=seconds)

    def _make_room(self, client: str) -> bool:
        """Refuse the last request of the client that has most waiting, if that is not this one."""
        own = len(self._lines.get(client, ()))
        greediest = max(self._lines.values(), key=len, default=None)
        if greediest is None or len(greediest) < own + 2:
            return False
        ticket = greediest[-1]
        self._remove(ticket)
        if ticket.future.set_running_or_notify_cancel():
            ticket.future.set_exception(self._refusal(self._full()))
        return True

    def _remove(self, ticket: _Ticket) -> None:
        line = self._lines.get(ticket.client)
        if line is not None and ticket in line:
            line.remove(ticket)
            if not line:
                del self._lines[ticket.client]

    def _dispatch(self) -> None:
        """Give free threads what waits; the lock is held."""
        while self._lines and len(self._running) < self._threads:
            client, line = next(iter(self._lines.items()))
            ticket = line.popleft()
            if line:
                self._lines.move_to_end(client)
            else:
                del self._lines[client]
            if ticket.future.set_running_or_notify_cancel():
                self._running.add(ticket)
                self._pool.submit(self._answer, ticket)

    def _take_turn(self, ticket: _Ticket) -> None:
        def settled() -> bool:
            first = self._turns[0] is ticket and self._on_device < self.settings.workers
            return first or ticket.abandoned or (self.stopping and not ticket.started)

        began = time.monotonic()
        with self._device_free:
            self._turns.append(ticket)
            try:
                self._device_free.wait_for(settled)
            finally:
                self._turns.remove(ticket)
                self._device_free.notify_all()
            if ticket.abandoned:
                raise BusyError("nobody waits for this any longer", 1, "timeout")
            if self.stopping and not ticket.started:
                raise self._refusal(_stopping())
            ticket.started = True
            self._on_device += 1
        ticket.waited += time.monotonic() - began

    def _answer(self, ticket: _Ticket) -> None:
        self._own.ticket = ticket
        ticket.waited = time.monotonic() - ticket.submitted
        result, failure = None, None
        try:
            assert ticket.request is not None
            result = ticket.request()
        except BaseException as error:
            failure = error
            if isinstance(error, AdaINError):
                # Its frames hold pictures for as long as somebody holds the error.
                error.__cause__ = error.__context__ = None
                failure = error.with_traceback(None)
        finally:
            del self._own.ticket
            for cleanup in ticket.cleanups:
                cleanup()
        self.observe("wait", ticket.waited)
        ticket.request = None
        if failure is None:
            ticket.future.set_result(result)
        else:
            ticket.future.set_exception(failure)
        with self._lock:
            self._running.discard(ticket)
            self._dispatch()
            self._none_runs.notify_all()

    def _ticket(self) -> _Ticket:
        """That of the request which this thread answers, or one that nobody looks at."""
        return getattr(self._own, "ticket", None) or _Ticket()

    def _leave(self, future: Future[Any]) -> None:
        with self._lock:
            del self._tickets[future]

    def _refusal(self, error: BusyError) -> BusyError:
        self.refusals[error.reason] += 1
        return error


def _stopping() -> BusyError:
    return BusyError("the server is stopping", retry_after=10, reason="stopping")
