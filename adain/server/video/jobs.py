"""Video jobs: one is made at a time, some wait, and each is deleted a while after it is over."""

from __future__ import annotations

import errno
import logging
import math
import secrets
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from adain import AdaINError
from adain.errors import DeviceError, found_error
from adain.recipe import Recipe
from adain.server.engine import Engine
from adain.server.queue import BusyError
from adain.server.video import CONTENT
from adain.server.video.child import Child, painted
from adain.server.video.job import OVER, Job, State, check_found, most_frames

# Beside the videos, so much of a disk stays free.
SPARE = 100_000_000
# Seconds after which whoever was refused may ask again, at least and at most.
SOONEST, LATEST = 5, 600

# Of a job's options of videos, what its process is told.
_TOLD = ("steady", "stylize_every", "start", "end", "fps", "crf")

log = logging.getLogger(__name__)


class Videos:
    """The video jobs of a server, in a ``folder`` that goes with it.

    ``settings.video_queue`` may wait while one is made, and no client has more than half of these
    places. What was made is kept for ``settings.keep`` seconds. What comes when the queue, or
    ``settings.video_disk``, is full is refused with BusyError.
    """

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.settings = engine, engine.settings
        self._folder = folder
        self._jobs: dict[str, Job] = {}  # in the order in which they came
        self._changed = threading.Condition()
        self._looking = threading.Semaphore(1)
        self._thread: threading.Thread | None = None
        self._stopping = False
        self.ended: Counter[str] = Counter()  # jobs, by the state in which they ended
        self.frames = 0  # of all
        # By reason, of those that have arrived; the middleware counts the others.
        self.refusals: Counter[str] = Counter()

    @property
    def unfinished(self) -> int:
        with self._changed:
            return sum(job.state not in OVER for job in self._jobs.values())

    @property
    def disk(self) -> int:
        """Bytes that the videos take."""
        with self._changed:
            return sum(job.size for job in self._jobs.values())

    def check_room(self, client: str, size: int) -> None:
        """Raise BusyError where a client's video of ``size`` bytes would not be taken; OSError for
        want of disk."""
        settings = self.settings
        with self._changed:
            waiting = [job for job in self._jobs.values() if job.state not in OVER]
            own = sum(job.client == client for job in waiting)
            running = next((job for job in waiting if job.state == "running"), None)
        most = max(1, (settings.video_queue + 1) // 2)
        if len(waiting) > settings.video_queue or own >= most:
            left = (running and running.left) or 60
            seconds = min(LATEST, max(SOONEST, math.ceil(left)))
            whose = f"{own} videos of yours" if own >= most else f"{len(waiting)} videos"
            message = f"busy: {whose} are in line; try again in {seconds} s"
            raise BusyError(message, seconds, "video_queue")
        if self.disk + size > settings.video_disk:
            message = (
                "busy: the videos here take all the room there is; delete yours, or try again later"
            )
            raise BusyError(message, LATEST, "video_disk")
        if shutil.disk_usage(self._folder).free < 2 * size + SPARE:
            raise OSError(errno.ENOSPC, "no room on the disk for a video")

    def new_folder(self) -> tuple[str, Path]:
        """The id of a job, which nobody can guess, and its folder."""
        name = secrets.token_urlsafe(16)
        folder = self._folder / name
        folder.mkdir(mode=0o700)
        return name, folder

    def check(self, job: Job) -> None:
        """Look at the video of a job, and raise AdaINError where it is none or too large."""
        with self._looking, Child(job.folder, self.settings) as child:
            found = child.look(job.options.max_side, whole=job.video.end is None)
        check_found(job, found, self.settings)

    def add(self, job: Job) -> None:
        """Put a job that was checked in line; BusyError as `check_room` has it."""
        with self._changed:
            if self._stopping:
                raise BusyError("the server is stopping", 10, "stopping")
            try:
                self.check_room(job.client, job.size)
            except BusyError as error:  # another was faster
                self.refusals[error.reason] += 1
                raise
            self._jobs[job.id] = job
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True, name="videos")
                self._thread.start()
            self._changed.notify_all()

    def find(self, name: str, owner: str) -> Job | None:
        """The job of an id; None where there is none that ``owner`` may see."""
        self.sweep()
        with self._changed:
            job = self._jobs.get(name)
        return job if job is not None and job.owner in ("", owner) else None

    def before(self, job: Job) -> int:
        """How many are made before it."""
        with self._changed:
            waiting = [each for each in self._jobs.values() if each.state not in OVER]
        return waiting.index(job) if job in waiting else 0

    def cancel(self, job: Job) -> None:
        """End a job that waits or runs; delete one that is over."""
        with self._changed:
            if job.state in OVER:
                self._jobs.pop(job.id, None)
            else:
                self._end(job, "cancelled")
                if job.child is not None:
                    job.child.kill()
                    return  # whose end deletes its files
        delete(job.folder)

    def sweep(self) -> None:
        """Delete what is over for long enough."""
        now = time.monotonic()
        with self._changed:
            old = [job for job in self._jobs.values() if job.expires and job.expires < now]
            for job in old:
                del self._jobs[job.id]
        for job in old:
            delete(job.folder)

    def close(self) -> None:
        """End all jobs."""
        with self._changed:
            self._stopping = True
            for job in self._jobs.values():
                if job.state not in OVER:
                    self._end(job, "cancelled")
                if job.child is not None:
                    job.child.kill()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(self.settings.drain)

    def _end(self, job: Job, state: State, error: str | None = None) -> None:
        job.state, job.error = state, error
        job.expires = time.monotonic() + self.settings.keep
        job.let_go()
        self.ended[state] += 1

    def _work(self) -> None:
        for job in self._next():
            try:
                self._make(job)
            except Exception as error:
                self._fail(job, error)
            finally:
                job.child = None
            with suppress(OSError):
                (job.folder / CONTENT).unlink()
            if job.state != "done":
                delete(job.folder)
            self.engine.give_back_memory()

    def _next(self) -> Iterator[Job]:
        while True:
            with self._changed:
                waiting: list[Job] = []
                while not self._stopping and not waiting:
                    waiting = [job for job in self._jobs.values() if job.state == "waiting"]
                    if not waiting:
                        self._changed.wait()
                if self._stopping:
                    return
                waiting[0].state = "running"
            yield waiting[0]

    def _make(self, job: Job) -> None:
        recipe = _recipe(job)
        paint = painted(self.engine, job.model, recipe)
        request = {
            "output": job.result.name,
            "max_side": job.options.max_side,
            "colours": job.options.colours,
            "smooth": job.options.smooth,
            "even": recipe.is_even,
            "style_at": list(job.video.style_at),
            "disk": max(1, self.settings.video_disk - self.disk),
            "video": {name: getattr(job.video, name) for name in _TOLD},
        }
        most = most_frames(self.settings)

        def told(done: int, total: int | None) -> None:
            if not done:
                return
            now = time.monotonic()
            if not job.began:
                job.began, job.first = now, done
            self.frames += max(0, done - job.frames)
            job.frames, job.total, job.seconds = done, total, now - job.began
            if done > most:
                raise found_error("content", f"more than {most:,} frames", f"at most {most:,}")

        with Child(job.folder, self.settings) as child:
            with self._changed:
                if job.state != "running":
                    return
                job.child = child
            about = child.make(request, paint, told)
        with self._changed:
            job.child = None
            if job.state == "running":
                told(int(about["made"]), job.total)
                job.notes = [str(note)[:300] for note in about["notes"][:20]]
                self._end(job, "done")

    def _fail(self, job: Job, error: Exception) -> None:
        line = str(error)
        with self._changed:
            if job.state != "running":
                return  # it was cancelled, and its process killed
            if not isinstance(error, AdaINError) or isinstance(error, DeviceError):
                log.error("a video: %s", line, exc_info=not isinstance(error, AdaINError))
                line = "the server failed"
            self._end(job, "failed", line)


def _recipe(job: Job) -> Recipe:
    """What is to be made of each frame; of styles that change over time, the shares are its own."""
    recipe = Recipe.of(job.styles, job.options)
    if not job.video.style_at:
        return recipe
    sources = [recipe.mixture(recipe.sources), *job.video.style_at.values()]
    return replace(recipe, sources=sources)


def delete(folder: Path) -> None:
    """Delete the folder of a job."""
    shutil.rmtree(folder, ignore_errors=True)
