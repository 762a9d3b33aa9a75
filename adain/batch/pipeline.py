"""A pipeline of threads: pictures are read, stylized and written at the same time.

The network is what takes long; with bounded queues on both sides of it, it waits for no file, and
memory holds a few pictures however many there are.
"""

import queue
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from adain.batch import stores
from adain.batch.journal import Recorder, read_source
from adain.batch.listing import Job
from adain.batch.room import Room, Ticket, pixels_of
from adain.errors import AdaINError, found_error
from adain.images import Picture, encode_image, load_image

_READERS = 2
# For each device: while one picture is brought into form for the networks, another is in them.
COMPUTING = 2
_WRITERS = 2
# Twentieths of a second for the work under way, where the pipeline is left early.
_PATIENCE = 40
# Pictures that wait on each side of the networks, for each of these.
_WAITING = 2
# What all pictures under way have in pixels, of 24 bytes with their results.
_PIXELS = 60_000_000


@dataclass(frozen=True)
class Outcome:
    """What became of a picture: ``done``, ``skipped``, or ``failed`` with an ``error``."""

    kind: Literal["done", "skipped", "failed"]
    source: Path
    result: Path
    error: str = ""
    width: int = 0
    height: int = 0


@dataclass(frozen=True)
class Look:
    """A style, or a mixture, that pictures are made in.

    ``folder`` is where its results lie below the output; ``recipe`` the digest of all that makes
    them. ``stylize`` takes the number of the device and a picture.
    """

    folder: Path
    recipe: str
    stylize: Callable[[int, Picture], Picture]


@dataclass(frozen=True)
class Settings:
    output: Path
    quality: int
    max_side: int | None
    skip_existing: bool


class _End:
    """What the threads of a stage send to the next when there is nothing more."""


class Pipeline:
    """Makes every picture in every look; ``devices`` is how many networks there are."""

    def __init__(
        self,
        jobs: Iterator[Job],
        looks: Sequence[Look],
        journal: Recorder,
        settings: Settings,
        devices: int,
    ) -> None:
        self._jobs, self._taking = jobs, threading.Lock()
        self._looks, self._journal, self._settings = looks, journal, settings
        self._stop = threading.Event()
        self._room = Room(_PIXELS)
        self._failure: BaseException | None = None
        self._read: queue.Queue[Any] = queue.Queue(_WAITING * devices)
        self._made: queue.Queue[Any] = queue.Queue(_WAITING * devices)
        # Bounded as well: whoever reports may be slower than files that are skipped.
        self._outcomes: queue.Queue[Any] = queue.Queue(1000)
        self._threads = [
            *self._stage(_READERS, lambda _: self._reads(), self._read, COMPUTING * devices),
            *self._stage(
                COMPUTING * devices, lambda n: self._computes(n % devices), self._made, _WRITERS
            ),
            *self._stage(_WRITERS, lambda _: self._writes(), self._outcomes, 1),
        ]

    def _stage(
        self, count: int, work: Callable[[int], None], following: "queue.Queue[Any]", takers: int
    ) -> list[threading.Thread]:
        """Threads of which the last to end tells those that follow."""
        left, lock = [count], threading.Lock()

        def run(number: int) -> None:
            try:
                work(number)
            except BaseException as error:
                self._failure = self._failure or error
                self._stop.set()
            finally:
                with lock:
                    left[0] -= 1
                    last = left[0] == 0
                if last:
                    for _ in range(takers):
                        self._put(following, _End, always=True)

        return [threading.Thread(target=run, args=(n,), daemon=True) for n in range(count)]

    def run(self) -> Generator[Outcome, None, None]:
        """What becomes of each picture, in the order in which it is known.

        Mistakes in a picture are an Outcome; others are raised.
        """
        for thread in self._threads:
            thread.start()
        try:
            while (outcome := self._outcomes.get()) is not _End:
                yield outcome
        finally:
            # Where nobody asks any more, what is under way ends and nothing new begins. A thread
            # that waits for the next line of a list is left to itself.
            self._stop.set()
            for thread in self._threads:
                for _ in range(_PATIENCE if thread.is_alive() else 0):
                    with suppress(queue.Empty):
                        self._outcomes.get_nowait()
                    thread.join(0.05)
                    if not thread.is_alive():
                        break
        if self._failure is not None:
            raise self._failure

    def _put(self, where: "queue.Queue[Any]", item: Any, *, always: bool = False) -> None:
        while always or not self._stop.is_set():
            with suppress(queue.Full):
                where.put(item, timeout=0.1)
                return
            if self._stop.is_set():
                # Nobody takes it: make room for the end.
                with suppress(queue.Empty):
                    where.get_nowait()

    def _items(self, where: "queue.Queue[Any]") -> Iterator[Any]:
        while (item := where.get()) is not _End and not self._stop.is_set():
            yield item
            del item  # a picture is not held while the next is waited for

    def _reads(self) -> None:
        while not self._stop.is_set():
            with self._taking:
                job = next(self._jobs, None)
            if job is None:
                return
            looks = [look for look in self._looks if not self._is_done(job, look)]
            for look in self._looks:
                if look not in looks:
                    self._tell("skipped", job, look)
            if not looks:
                continue
            try:
                read, data = read_source(job.source)
            except (AdaINError, OSError) as error:
                for look in looks:
                    self._tell("failed", job, look, _told(job.source, error))
                continue
            pixels = pixels_of(data)
            self._room.take(pixels, self._stop.is_set)
            ticket = Ticket(self._room, pixels, len(looks))
            try:
                picture = load_image(data, max_side=self._settings.max_side)
            except (AdaINError, OSError) as error:
                for look in looks:
                    self._tell("failed", job, look, _told(job.source, error))
                    ticket.used()
                continue
            finally:
                del data
            self._put(self._read, (job, looks, ticket, read, picture))
            del picture

    def _is_done(self, job: Job, look: Look) -> bool:
        result = look.folder / job.result
        skips = self._settings.skip_existing
        return skips and self._journal.is_done(result, job.source, look.recipe)

    def _computes(self, device: int) -> None:
        for job, looks, ticket, read, picture in self._items(self._read):
            for look in looks:
                try:
                    made = look.stylize(device, picture)
                except AdaINError as error:
                    self._tell("failed", job, look, _told(job.source, error))
                    ticket.used()
                else:
                    self._put(self._made, (job, look, ticket, read, made))
                    del made
            del picture

    def _writes(self) -> None:
        for job, look, ticket, read, made in self._items(self._made):
            result = look.folder / job.result
            path = self._settings.output / result
            try:
                if _is_same(path, job.source):
                    raise found_error(str(path), "one of the inputs", "another folder")
                data = encode_image(made, path.suffix, quality=self._settings.quality)
                stores.write(path, data)
                self._journal.record(result, read, look.recipe)
            except (AdaINError, OSError) as error:
                self._tell("failed", job, look, _told(path, error))
            else:
                self._tell("done", job, look, size=(made.width, made.height))
            del made
            ticket.used()

    def _tell(
        self,
        kind: Literal["done", "skipped", "failed"],
        job: Job,
        look: Look,
        error: str = "",
        size: tuple[int, int] = (0, 0),
    ) -> None:
        outcome = Outcome(kind, job.source, look.folder / job.result, error, *size)
        self._put(self._outcomes, outcome)


def _is_same(path: Path, source: Path) -> bool:
    if stores.is_stored(path) or stores.is_stored(source):
        return str(path) == str(source)
    return path.exists() and path.samefile(source)


def _told(path: Path, error: Exception) -> str:
    """An error in one line that names the file."""
    if isinstance(error, OSError) and not isinstance(error, AdaINError):
        error = found_error(str(path), str(error.strerror or error), "a file that can be read")
    text = str(error).removeprefix("the bytes: ")
    return text if str(path) in text else f"{path}: {text}"
