"""The server's end of a video process: starts it, gives it the networks, ends it."""

from __future__ import annotations

import errno
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from adain.cgroups import memory_limit
from adain.cores import cores
from adain.errors import AdaINError, DeviceError, found_error
from adain.images import Picture
from adain.images.windows import of_array
from adain.recipe import Recipe
from adain.server.decoding.channel import Bytes
from adain.server.decoding.pool import CRASHES, OUR_FAULTS
from adain.server.decoding.start import start
from adain.server.engine import Engine
from adain.server.settings import Settings

FloatArray = npt.NDArray[np.float32]
MODULE = "adain.server.video.process"
LOOK = 0.1  # seconds between looks at whether it has taken too long
# Frames of a file may have so many times the pixels that are computed of them.
SCALED_DOWN = 4
# What the process takes at most: of its own, for each pixel that is decoded and that is encoded,
# and for each thread. Measured with 4K in and Full HD out: 230 MB and 150 MB on two cores.
BYTES, BYTES_DECODED, BYTES_ENCODED, BYTES_OF_A_THREAD = 300_000_000, 100, 300, 24_000_000

Paint = Callable[[Bytes, Sequence[float] | None, Callable[[FloatArray], FloatArray]], FloatArray]


class Child:
    """A video process for one request, in a folder; killed where it is silent for too long."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._settings = settings
        self._process, self._channel = start(MODULE, "for a video", folder=folder)
        self._until = time.monotonic() + settings.timeout
        self._late = False
        self._over = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self.kill()
        self._process.wait()
        self._channel.close()

    def kill(self) -> None:
        """End it at once; whoever waits for its answer learns of it."""
        self._process.kill()

    def _watch(self) -> None:
        while not self._over.wait(LOOK):
            if time.monotonic() > self._until:
                self._late = True
                self.kill()
                return

    def look(self, max_side: int | None, *, whole: bool) -> dict[str, Any]:
        """What `adain.server.video.process.look` says; AdaINError for what is no video.

        ``whole`` is whether it must not break off.
        """
        seconds = self._settings.timeout
        self._begin({"task": "look", "max_side": max_side, "whole": whole, "seconds": seconds})
        return self._receive(0)[0]

    def make(
        self,
        request: dict[str, Any],
        paint: Paint,
        told: Callable[[int, int | None], None],
    ) -> dict[str, Any]:
        """Have the video written: ``paint`` stylizes a frame, ``told`` hears of the progress.

        What ``paint`` is told of a frame beside its pixels are the shares of its styles, where
        these change over time, and what makes of its statistics those that the decoder is told.
        """
        self._begin({"task": "make", **request})
        room = 4 * self._settings.max_video_pixels
        while True:
            about, data = self._receive(room)
            if "progress" in about:
                done, total = about["progress"]
                told(int(done), None if total is None else int(total))
            if "frame" in about:
                frame = _frame(about["frame"], data)
                self._until = float("inf")  # the turn of a frame is not its fault
                rgb = paint(frame, about.get("shares"), self._told)
                self._until = time.monotonic() + self._settings.timeout
                self._send({"painted": True}, rgb)
            elif "made" in about:
                return about

    def _told(self, own: FloatArray) -> FloatArray:
        """What the decoder is to be told of a frame, whose ``own`` statistics these are."""
        own = np.ascontiguousarray(own, np.float32)
        self._until = time.monotonic() + self._settings.timeout  # now it is its turn
        self._send({"statistics": own.shape}, own)
        _, data = self._receive(own.nbytes)
        self._until = float("inf")  # it waits for its frame again
        if data.nbytes != own.nbytes:
            raise DeviceError("found a video process's answer that is none")
        return data.view(np.float32).reshape(own.shape)

    def _begin(self, request: dict[str, Any]) -> None:
        try:
            self._channel.send({**request, "memory": most_memory(self._settings)})
        except OSError:
            raise self._ended() from None

    def _send(self, about: dict[str, Any], array: FloatArray) -> None:
        try:
            self._channel.send_samples(about, [np.ascontiguousarray(array, np.float32)])
        except (EOFError, OSError, ValueError):
            raise self._ended() from None

    def _receive(self, limit: int) -> tuple[dict[str, Any], Bytes]:
        """The next that it says; AdaINError where that is what is wrong, or where it has ended."""
        try:
            about, data = self._channel.receive_samples(limit)
        except (EOFError, OSError, ValueError):
            raise self._ended() from None
        self._until = time.monotonic() + self._settings.timeout
        if "error" in about:
            raise self._error(about)
        return about, data

    def _error(self, about: dict[str, Any]) -> AdaINError:
        if about.get("memory"):
            memory = most_memory(self._settings) // 10**6
            found = f"a video that takes more than {memory:,} MB beside the networks"
            return found_error("content", found, "a smaller one")
        if about.get("errno") == errno.EFBIG:
            return found_error("content", "a video whose result is too large", "a shorter one")
        line = str(about["error"])[:1000]
        return DeviceError(line) if about.get("errno") in OUR_FAULTS else AdaINError(line)

    def _ended(self) -> AdaINError:
        """What to say of a process that has ended without a word."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        status = self._process.poll()
        late = self._late or (status is not None and -status == getattr(signal, "SIGXCPU", None))
        if late:
            return found_error("content", "a video that takes too long to read", "an intact one")
        if status is not None and -status in CRASHES:
            found = f"a video that FFmpeg fails at ({-status})"
            return found_error("content", found, "an intact one")
        return DeviceError(f"content: the video process ended with status {status}")


def most_memory(settings: Settings) -> int:
    """Bytes that a video process may take, beside what it has before it reads anything."""
    pixels = settings.max_video_pixels
    size = BYTES + (SCALED_DOWN * BYTES_DECODED + BYTES_ENCODED) * pixels
    size += BYTES_OF_A_THREAD * cores()
    total = memory_limit()
    return size if total is None else min(size, total // 4)


def _frame(shape: Any, data: Bytes) -> Bytes:
    height, width, channels = (int(side) for side in shape)
    if min(height, width) < 1 or channels not in (3, 4) or height * width * channels != data.size:
        raise DeviceError("found a video process's answer that is none")
    return data.reshape(height, width, channels)


def painted(engine: Engine, model: str, recipe: Recipe) -> Paint:
    """What stylizes the frames of a video, each in a turn of its own on the device."""

    def paint(
        frame: Bytes,
        shares: Sequence[float] | None,
        statistics: Callable[[FloatArray], FloatArray],
    ) -> FloatArray:
        content = of_array(frame, "a frame")
        made = replace(recipe, statistics=statistics, shares=shares or recipe.shares)
        with engine.queue.computing(picture=False):
            machine = engine.stylizer(model)
            return cast(Picture, machine.stylize_recipe(content, made, exact=True)).rgb

    return paint
