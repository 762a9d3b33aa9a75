"""Styles that were encoded for somebody, by id."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from adain import Style

KEPT_STYLES = 1000


@dataclass
class Kept:
    """A style by id, until its time is over."""

    style: Style
    expires: float


class StyleStore:
    """The last ``limit`` encoded styles, each for ``keep`` seconds after its last use."""

    def __init__(self, keep: float, limit: int = KEPT_STYLES) -> None:
        self._keep = keep
        self._limit = limit
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Kept] = OrderedDict()

    def add(self, style: Style) -> tuple[str, float]:
        """The new id, and when it expires in seconds since 1970."""
        name = secrets.token_urlsafe(16)
        with self._lock:
            self._forget()
            kept = self._kept[name] = Kept(style, time.time() + self._keep)
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)
        return name, kept.expires

    def get(self, name: str) -> Style | None:
        with self._lock:
            self._forget()
            kept = self._kept.get(name)
            if kept is None:
                return None
            kept.expires = time.time() + self._keep
            self._kept.move_to_end(name)
            return kept.style

    def _forget(self) -> None:
        # In the order of use, which is that of expiry.
        now = time.time()
        while self._kept and next(iter(self._kept.values())).expires < now:
            self._kept.popitem(last=False)
