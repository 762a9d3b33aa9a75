"""Styles that were encoded for somebody, by id."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from typing import NamedTuple, Protocol

from adain import Style
from adain.cache import Cache
from adain.server.asgi import CLIENT
from adain.server.queue import BusyError

KEPT_STYLES = 4000
KEPT_FOR_ONE = 500  # client


class _Kept(NamedTuple):
    style: Style
    client: str


class Styles(Protocol):
    """Where encoded styles are kept: in this process, or in one that several share."""

    def add(self, style: Style) -> tuple[str, float]: ...

    def check_room(self) -> None: ...

    def get(self, name: str) -> Style | None: ...


class StyleStore:
    """Encoded styles, each for ``keep`` seconds after its last use.

    None goes before its time: beyond ``limit``, or ``each`` of one client, no more are taken.
    """

    def __init__(self, keep: float, limit: int = KEPT_STYLES, each: int = KEPT_FOR_ONE) -> None:
        self._keep, self._limit, self._each = keep, limit, each
        self._kept: Cache[_Kept] = Cache(seconds=keep)

    def add(self, style: Style) -> tuple[str, float]:
        """The new id, and when it expires in seconds since 1970; BusyError where all are taken."""
        self.check_room()
        name = secrets.token_urlsafe(16)
        self._kept.put(name, _Kept(style, CLIENT.get("")))
        return name, time.time() + self._keep

    def check_room(self) -> None:
        """Raise BusyError where no style would be taken."""
        self._kept.find("")  # which lets go of those whose time is over
        held = Counter(kept.client for _, kept in self._kept.items())
        own = held[CLIENT.get("")]
        if own >= self._each or held.total() >= self._limit:
            found = f"{own} styles of yours" if own >= self._each else f"{held.total()} styles"
            message = f"busy: {found} are kept here, until {self._keep:g} seconds after their use"
            raise BusyError(message, retry_after=60, reason="styles")

    def get(self, name: str) -> Style | None:
        kept = self._kept.find(name)
        return None if kept is None else kept.style
