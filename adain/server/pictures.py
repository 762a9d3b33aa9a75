"""The pictures that people are working on, decoded once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from adain.cache import Cache
from adain.images.picture import Picture

# Pixels of decoded pictures that are kept for somebody's next position of a slider: 12 bytes each.
KEPT_PIXELS = 4_000_000


class Pictures:
    """The last decoded pictures, up to KEPT_PIXELS in all; ``decode`` reads a file or bytes."""

    def __init__(self, decode: Callable[[Path | bytes, int | None], Picture]) -> None:
        self._decode = decode
        self._kept: Cache[Picture] = Cache(limit=KEPT_PIXELS, cost=lambda p: p.width * p.height)

    @property
    def hits(self) -> int:
        """How many did not have to be decoded again."""
        return self._kept.hits

    def get(self, source: Path | bytes, max_side: int | None) -> Picture:
        return self._kept.get((*identity(source), max_side), lambda: self._decode(source, max_side))


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
