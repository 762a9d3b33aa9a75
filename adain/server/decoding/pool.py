"""The pool of decoder processes: image files of strangers are read where reading can be stopped.

Some files of a few KB take gigabytes or minutes to decode, and no thread can be stopped, so the
server never decodes them itself. A process that broke a limit is replaced.
"""

from __future__ import annotations

import errno
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from adain.cgroups import memory_limit
from adain.errors import AdaINError, DeviceError, found_error
from adain.images.picture import Picture
from adain.server.decoding.channel import Bytes
from adain.server.decoding.start import start

MODULE = "adain.server.decoding.process"
# What decoding takes at most, measured over all formats and modes, for a sound file of this size.
BYTES_PER_PIXEL = 48
BYTES = 128_000_000
LOOK = 0.1  # seconds between looks at whether anybody still waits
# By these a library ends the process when a file has misled it; by others the system does.
CRASHES = [
    getattr(signal, name)
    for name in ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL")
    if hasattr(signal, name)
]
# What is the machine's fault, whatever the file.
OUR_FAULTS = (errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EACCES, errno.EPERM)


class LimitExceededError(AdaINError):
    """A file that takes more time or memory than any picture; ``limit`` names which."""

    def __init__(self, message: str, limit: str) -> None:
        super().__init__(message)
        self.limit = limit


class _Process:
    """A decoder process, and what it works at."""

    def __init__(self) -> None:
        # Threads of a library's own would take the cores from the network.
        self._child, self._channel = start(
            MODULE, "to decode in", variables={"OMP_NUM_THREADS": "1"}
        )
        self.until = float("inf")
        self.abandoned: Callable[[], bool] = _never
        self.ended = ""  # why it was ended here

    def ask(self, request: dict[str, Any], data: bytes, limit: int) -> tuple[dict[str, Any], Bytes]:
        self._channel.send(request, [data])
        return self._channel.receive_samples(limit)

    def look(self, now: float) -> None:
        """End it where nobody waits for it any longer."""
        if self.abandoned():
            self.ended = "abandoned"
        elif now > self.until:
            self.ended = "time"
        if self.ended:
            self._child.kill()

    def close(self) -> int:
        """The exit status, negative for a signal."""
        self._child.kill()
        self._channel.close()
        return self._child.wait()

    def status(self) -> int:
        """The exit status of one that has ended by itself, or is about to."""
        with suppress(subprocess.TimeoutExpired):
            return self._child.wait(5)
        return self.close()


def _never() -> bool:
    return False


class Decoders:
    """``count`` decoder processes, each with one file at a time.

    ``seconds`` by the clock end a decoding even where no limit of CPU time does.
    """

    def __init__(self, count: int, max_pixels: int, seconds: float) -> None:
        self._max_pixels = max_pixels
        self._seconds = seconds
        self._count = count
        self._free = threading.Semaphore(count)
        self._lock = threading.Lock()
        self._idle: list[_Process] = []
        self._busy: set[_Process] = set()
        self._closed = threading.Event()
        self.refusals: Counter[str] = Counter()  # by the limit that was exceeded
        self._watch: threading.Thread | None = None
        self.memory = BYTES + BYTES_PER_PIXEL * max_pixels
        total = memory_limit()
        if total is not None:
            self.memory = min(self.memory, total // 4 // count)

    def start(self) -> None:
        """Have them all ready: each takes a moment to begin."""
        with self._lock:
            while len(self._idle) + len(self._busy) < self._count:
                self._idle.append(_Process())

    def decode(
        self, source: Path | bytes, max_side: int | None, abandoned: Callable[[], bool] = _never
    ) -> Picture:
        """A file or its bytes as `load_image` reads them; ended as soon as it is ``abandoned``.

        Raises AdaINError as `load_image` does, LimitExceededError for what takes too much, and
        DeviceError where it is not for the file.
        """
        request = {
            "path": None if isinstance(source, bytes) else str(source),
            "max_side": max_side,
            "max_pixels": self._max_pixels,
            "memory": self.memory,
        }
        name = "the bytes" if isinstance(source, bytes) else str(source)
        data = source if isinstance(source, bytes) else b""
        for last in (False, True):
            with self._process(abandoned) as process:
                try:
                    about, samples = process.ask(request, data, 16 * self._max_pixels)
                except (EOFError, OSError, ValueError):
                    status = process.status()
                    process.ended = process.ended or "ended"
                    self._check_end(name, process.ended, -status)
                    if last:
                        message = f"{name}: the decoder ended with status {status}"
                        raise DeviceError(message) from None
                    continue  # perhaps it had ended before
                if "error" in about:
                    if about.get("kind") == "memory":
                        process.ended = "memory"
                    raise self._error(name, about)
                return _picture(about, samples)
        raise AssertionError

    @contextmanager
    def _process(self, abandoned: Callable[[], bool]) -> Iterator[_Process]:
        while not self._free.acquire(timeout=LOOK):
            if abandoned() or self._closed.is_set():
                raise DeviceError("nobody waits for this any longer")
        try:
            with self._lock:
                process = self._idle.pop() if self._idle else _Process()
                process.abandoned, process.until = abandoned, time.monotonic() + self._seconds
                self._busy.add(process)
                if self._watch is None:
                    self._watch = threading.Thread(target=self._look, daemon=True)
                    self._watch.start()
            try:
                yield process
            finally:
                with self._lock:
                    self._busy.discard(process)
                    kept = not process.ended and not self._closed.is_set()
                    if kept:
                        self._idle.append(process)
                if not kept:
                    process.close()
                    if not self._closed.is_set():
                        with suppress(DeviceError):
                            self.start()  # the next is ready when it is wanted
        finally:
            self._free.release()

    def _look(self) -> None:
        while not self._closed.wait(LOOK):
            with self._lock:
                for process in self._busy:
                    process.look(time.monotonic())

    def _check_end(self, name: str, ended: str, number: int) -> None:
        """Raise for a file that has ended its decoder."""
        if ended == "abandoned":
            raise DeviceError("nobody waits for this any longer")
        if ended == "time" or number == getattr(signal, "SIGXCPU", None):
            found = "a file that takes longer to decode than any picture of its size"
            self.refusals["decode_time"] += 1
            raise LimitExceededError(str(found_error(name, found, "an intact image")), "time")
        if number in CRASHES:
            raise found_error(name, f"a file that its decoder fails at ({number})", "an intact one")

    def _error(self, name: str, about: dict[str, Any]) -> AdaINError:
        if about.get("kind") == "memory":
            found = f"an image that takes more than {self.memory // 10**6:,} MB to decode"
            self.refusals["decode_memory"] += 1
            return LimitExceededError(str(found_error(name, found, "a smaller one")), "memory")
        line = str(about["error"])
        return DeviceError(line) if about.get("errno") in OUR_FAULTS else AdaINError(line)

    def close(self) -> None:
        """End them all."""
        self._closed.set()
        with self._lock:
            for process in self._idle:
                process.close()
            self._idle.clear()


def _picture(about: dict[str, Any], samples: Bytes) -> Picture:
    height, width, parts = (int(number) for number in about["shape"])
    floats = samples.view(np.float32)
    count = height * width
    if parts not in (1, 2) or len(floats) != count * (3 if parts == 1 else 4):
        raise DeviceError("found a decoder's answer that is none")
    rgb = floats[: 3 * count].reshape(height, width, 3)
    return Picture(rgb, floats[3 * count :].reshape(height, width) if parts == 2 else None)
