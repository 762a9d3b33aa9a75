"""What the page and the REST service share: the models, and a bounded line before the device."""

from __future__ import annotations

import math
import os
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from adain import AdaINError, Style, Stylizer
from adain.images.picture import FloatArray, Picture
from adain.providers import cores
from adain.server.pictures import Pictures, identity
from adain.server.settings import Settings

T = TypeVar("T")

# Beside the pictures being computed, so many are read or written: the device never waits for a
# decoder, and no more pictures than these are in memory. Where the network has only two cores, none
# is, since it loses more by sharing them: `python -m benchmarks.service` has 0.91 to 0.94 of the
# bare runtime's pictures without, and at most 0.91 with.
BESIDE = 2
KEPT_STYLES = 64
# Each may take a quarter of the memory, and users may have imported any number.
OPEN_MODELS = 2
# So many people may drag a slider in turn, each at the price of a decoder pass.
CACHED_CONTENTS = 4
# A picture of more pixels leaves hundreds of MB with ONNX Runtime, which are given back after it.
LARGE = 2_000_000


class BusyError(AdaINError):
    """Too many requests are waiting; ``retry_after`` is in seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(eq=False)
class _Ticket:
    """A place in the line."""

    begun: bool = False  # its turn has come
    dropped: bool = False  # nobody waits for it any longer
    large: bool = False  # it read a picture of which much memory is left


class Engine:
    """Runs one request after another; ``settings.workers`` pictures are on the device at a time.

    A request is a function that reads pictures, computes within ``computing()``, and writes. What
    comes while ``settings.queue`` requests wait is refused with BusyError.
    """

    def __init__(self, settings: Settings, device: str = "auto", beside: int | None = None) -> None:
        self.settings = settings
        self.beside = (BESIDE if cores() > 2 else 0) if beside is None else beside
        self._device = device
        self._stylizers: OrderedDict[str, Stylizer] = OrderedDict()  # the last used at the end
        self._opening: dict[str, threading.Lock] = {}
        self._pictures = Pictures(settings.max_pixels)
        self._styles: OrderedDict[tuple[object, ...], Style] = OrderedDict()
        self._pool = ThreadPoolExecutor(settings.workers + self.beside, "request")
        self._device_free = threading.Condition()
        self._on_device = 0
        self._waiting: deque[_Ticket] = deque()  # for the device, first to last
        self._own = threading.local()  # the ticket of the request that this thread answers
        self._lock = threading.Lock()
        self._tickets: dict[Future[Any], _Ticket] = {}
        self._reserved = 0
        self._seconds = 0.0  # a turn takes so long, as of late
        self.computed = 0
        self.stopping = False

    def stylizer(self, model: str = "fast") -> Stylizer:
        """The Stylizer of a model, opened when it is first asked for; AdaINError as it says.

        The OPEN_MODELS that were used last stay open.
        """
        with self._lock:
            opening = self._opening.setdefault(model, threading.Lock())
        with opening:
            with self._lock:
                stylizer = self._stylizers.get(model)
            if stylizer is None:
                stylizer = Stylizer(model, self._device)
                if stylizer.device == "cpu":
                    # A GPU refuses what does not fit; an operating system ends the process.
                    stylizer = Stylizer(
                        model,
                        self._device,
                        memory_limit=_share_of_memory(),
                        cached_contents=CACHED_CONTENTS,
                    )
            with self._lock:
                self._stylizers[model] = stylizer
                self._stylizers.move_to_end(model)
                # Whoever still works with the one that goes keeps it until then.
                while len(self._stylizers) > OPEN_MODELS:
                    self._stylizers.popitem(last=False)
            return stylizer

    @property
    def device(self) -> str:
        """What the model that was used last runs on; "" before the first."""
        opened = list(self.devices.values())
        return opened[-1] if opened else ""

    @property
    def devices(self) -> dict[str, str]:
        """What the opened models run on, by model."""
        return {model: opened.device for model, opened in list(self._stylizers.items())}

    def picture(self, source: Path | bytes, max_side: int | None = None) -> Picture:
        """An image file or its bytes as a Picture; the last few are kept. AdaINError as
        `load_image` says."""
        picture = self._pictures.get(source, max_side)
        if picture.width * picture.height > LARGE:
            self._ticket().large = True
        return picture

    def style(
        self, source: Path | bytes, model: str, seen: Callable[[], FloatArray], *how: object
    ) -> Style:
        """The style of an image file or its bytes, whose picture ``seen`` gives; the last are kept.

        ``how`` tells pictures of one source apart.
        """
        key = (model, *identity(source), *how)
        with self._lock:
            if key in self._styles:
                self._styles.move_to_end(key)
                return self._styles[key]
        rgb = seen()
        with self.computing(picture=False):
            style = self.stylizer(model).encode_style(rgb, max_side=None)
        with self._lock:
            self._styles[key] = style
            while len(self._styles) > KEPT_STYLES:
                self._styles.popitem(last=False)
        return style

    @property
    def cache_hits(self) -> int:
        """How many pictures did not have to be decoded again."""
        return self._pictures.hits

    @property
    def in_line(self) -> int:
        """How many requests were accepted and are not answered yet."""
        return self._reserved

    @contextmanager
    def computing(self, *, picture: bool = True) -> Iterator[None]:
        """The device, for as long as this lasts; BusyError where the turn came too late.

        ``picture`` is whether a picture comes of it that counts: a style alone is none.
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

    def _take_turn(self, ticket: _Ticket) -> None:
        def settled() -> bool:
            first = self._waiting[0] is ticket and self._on_device < self.settings.workers
            return first or ticket.dropped or (self.stopping and not ticket.begun)

        with self._device_free:
            self._waiting.append(ticket)
            try:
                self._device_free.wait_for(settled)
            finally:
                self._waiting.remove(ticket)
                self._device_free.notify_all()
            if ticket.dropped:
                raise BusyError("nobody waits for this any longer", retry_after=1)
            if self.stopping and not ticket.begun:
                raise _stopping()
            ticket.begun = True
            self._on_device += 1

    def submit(self, request: Callable[[], T]) -> Future[T]:
        """Line up a request; BusyError where the line is full, or the server is stopping."""
        ticket = _Ticket()
        with self._lock:
            if self.stopping:
                raise _stopping()
            if self._reserved >= self.settings.workers + self.settings.queue:
                wait = self._reserved * self._seconds / self.settings.workers
                seconds = min(60, max(1, math.ceil(wait)))
                message = f"busy: {self._reserved} requests are in line; try again in {seconds} s"
                raise BusyError(message, retry_after=seconds)
            try:
                future = self._pool.submit(self._answer, ticket, request)
            except RuntimeError as error:  # shut down
                raise _stopping() from error
            self._reserved += 1
            self._tickets[future] = ticket
        future.add_done_callback(self._leave)
        return future

    def run(self, request: Callable[[], T]) -> T:
        """Wait for the answer to a request: BusyError as `submit`, or where the time is over."""
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
        """Take a request that nobody waits for any longer out of the line; what to say of it."""
        with self._lock:
            ticket = self._tickets.get(future)
        future.cancel()
        if ticket is not None:
            with self._device_free:
                ticket.dropped = True
                self._device_free.notify_all()
        seconds = self.settings.timeout
        return BusyError(f"busy: no result after {seconds:g} seconds; try again", retry_after=5)

    def close(self) -> None:
        """Finish what is running, refuse what is waiting."""
        with self._lock, self._device_free:
            self.stopping = True
            self._device_free.notify_all()
        self._pool.shutdown(wait=True, cancel_futures=True)

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
            if ticket.large:
                for stylizer in list(self._stylizers.values()):
                    stylizer.give_back_memory()

    def _ticket(self) -> _Ticket:
        """That of the request which this thread answers, or one that nobody looks at."""
        return getattr(self._own, "ticket", None) or _Ticket()

    def _leave(self, future: Future[Any]) -> None:
        with self._lock:
            self._reserved -= 1
            del self._tickets[future]


def _share_of_memory() -> int | None:
    """A quarter of the machine's, or of what this container has; None where nobody tells.

    Two models may be open, and pictures, features and results take their part.
    """
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
    with suppress(OSError, ValueError):  # of version 1, or no number: "max"
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    return total // 4


def _stopping() -> BusyError:
    return BusyError("the server is stopping", retry_after=10)
