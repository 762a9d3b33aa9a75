"""HTTP Basic authentication, and a bound on guessing."""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
import time
from collections import OrderedDict, deque
from collections.abc import Sequence

from starlette.datastructures import Headers

from adain.server.asgi import RefusedError, Scope

FAILURES, WITHIN = 20, 60.0  # wrong passwords from an address in so many seconds
ADDRESSES = 10_000  # that are remembered

log = logging.getLogger(__name__)


class Authentication:
    """The names and passwords that are let in; none are needed where there are none."""

    def __init__(self, users: Sequence[tuple[str, str]]) -> None:
        self._users = tuple(users)
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    @property
    def needed(self) -> bool:
        return bool(self._users)

    def user(self, scope: Scope, client: str) -> str:
        """The name that a request gives with its password; RefusedError where they are not right.

        ``client`` is the address that it comes from.
        """
        self.check_failures(client)
        kind, _, given = Headers(scope=scope).get("authorization", "").partition(" ")
        try:
            found = base64.b64decode(given, validate=True) if kind.lower() == "basic" else b""
        except binascii.Error:
            found = b""
        # All of them, so that the time tells nothing.
        names = [u for u, p in self._users if hmac.compare_digest(found, f"{u}:{p}".encode())]
        if names:
            return names[0]
        if given:
            self.failed(client)
        challenge = {"www_authenticate": 'Basic realm="adain", charset="UTF-8"'}
        # A page's script would hear nothing before its visitor has closed a dialog.
        if "x-requested-with" in Headers(scope=scope):
            challenge = {}
        message = "found no or another name and password"
        raise RefusedError(401, message, reason="unauthorized", **challenge)

    def check_failures(self, client: str) -> None:
        """RefusedError where so many passwords were wrong that they are guesses."""
        recent = self._recent(client)
        if len(recent) >= FAILURES:
            wait = max(1, round(recent[0] + WITHIN - time.monotonic()))
            raise RefusedError(
                429,
                f"found {FAILURES} wrong passwords; try again in {wait} s",
                reason="guessing",
                retry_after=str(wait),
            )

    def failed(self, client: str) -> None:
        """Count and log a wrong password."""
        recent = self._recent(client)
        recent.append(time.monotonic())
        self._failures[client] = recent
        self._failures.move_to_end(client)
        if len(self._failures) > ADDRESSES:
            self._failures.popitem(last=False)
        log.warning("a wrong name or password from %s, its %d. in a minute", client, len(recent))

    def _recent(self, client: str) -> deque[float]:
        recent = self._failures.get(client) or deque()
        while recent and recent[0] < time.monotonic() - WITHIN:
            recent.popleft()
        return recent
