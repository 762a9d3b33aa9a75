"""The pictures that people are working on, decoded once."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from pathlib import Path

from adain import load_image
from adain.images.picture import Picture

# Pixels of decoded pictures that are kept for somebody's next position of a slider: 12 bytes each.
KEPT_PIXELS = 4_000_000


class Pictures:
    """The last decoded pictures, up to KEPT_PIXELS in all."""

    def __init__(self, max_pixels: int) -> None:
        self._max_pixels = max_pixels
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[object, ...], Picture] = OrderedDict()
        self.hits = 0

    def get(self, source: Path | bytes, max_side: int | None) -> Picture:
        key = (*identity(source), max_side)
        with self._lock:
            if key in self._kept:
                self.hits += 1
                self._kept.move_to_end(key)
                return self._kept[key]
        picture = load_image(source, max_side=max_side, max_pixels=self._max_pixels)
        with self._lock:
            self._kept[key] = picture
            while sum(p.width * p.height for p in self._kept.values()) > KEPT_PIXELS:
                self._kept.popitem(last=False)
        return picture


def identity(source: Path | bytes) -> tuple[object, ...]:
    """What no other image shares."""
    if isinstance(source, bytes):
        return (hashlib.blake2b(source, digest_size=16).digest(),)
    try:
        found = os.stat(source)
    except OSError:
        return (source,)  # `load_image` says what is wrong
    # Not its name and size alone: another may take its place. The time is not enough, since an
    # upload that is asked for again has its time set anew.
    return source, found.st_ino, found.st_size
