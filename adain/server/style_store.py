"""Styles that were encoded for somebody, by id."""

from __future__ import annotations

import secrets
import time

from adain import Style
from adain.cache import Cache

KEPT_STYLES = 1000


class StyleStore:
    """The last ``limit`` encoded styles, each for ``keep`` seconds after its last use."""

    def __init__(self, keep: float, limit: int = KEPT_STYLES) -> None:
        self._keep = keep
        self._kept: Cache[Style] = Cache(limit, seconds=keep)

    def add(self, style: Style) -> tuple[str, float]:
        """The new id, and when it expires in seconds since 1970."""
        name = secrets.token_urlsafe(16)
        self._kept.put(name, style)
        return name, time.time() + self._keep

    def get(self, name: str) -> Style | None:
        return self._kept.find(name)
