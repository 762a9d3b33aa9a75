"""Room for pictures in memory: a weighted semaphore, and what a picture weighs unread."""

import threading
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path

from adain.images.reading import open_image

# Files below this many bytes are not looked into: a small picture, or a plain one.
_SMALL = 1_000_000


class Room:
    """Pictures under way take so many pixels at most; one of any size finds room alone."""

    def __init__(self, pixels: int) -> None:
        self._pixels, self._taken = pixels, 0
        self._changed = threading.Condition()

    def take(self, pixels: int, stopped: Callable[[], bool]) -> None:
        """Wait until there is room, or nobody wants it any more."""
        with self._changed:
            while self._taken and self._taken + pixels > self._pixels and not stopped():
                self._changed.wait(0.1)
            self._taken += pixels

    def give(self, pixels: int) -> None:
        with self._changed:
            self._taken -= pixels
            self._changed.notify_all()


class Ticket:
    """The room of a picture, given back when all that is made of it is."""

    def __init__(self, room: Room, pixels: int, uses: int) -> None:
        self._room, self._pixels, self._left = room, pixels, uses
        self._lock = threading.Lock()

    def used(self) -> None:
        with self._lock:
            self._left -= 1
            last = self._left == 0
        if last:
            self._room.give(self._pixels)


def pixels_of(source: Path | bytes) -> int:
    """How many pixels a file or its bytes have, by the header; 0 for small ones and those that say
    nothing."""
    with suppress(Exception):
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        if size >= _SMALL:
            with BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
                width, height = open_image(file, "a picture").size
                return width * height
    return 0
