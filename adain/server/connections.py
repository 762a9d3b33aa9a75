"""Connections of the HTTP server: each has times in which it must go on, and their number is
bounded."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD = 10.0
# Seconds for the rest of a body when its answer has been sent, and for the rest of an answer when
# the connection is to end.
LINGER = 2.0
SPARE = 100  # descriptors for files, decoders and models
MOST = 10_000
REPEATED = 10.0  # seconds in which a complaint of the loop is not said again

log = logging.getLogger(__name__)


def most_connections() -> int:
    """As many as there are descriptors for; raises the limit of this process to what it may be."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return 1000
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST + SPARE if hard == resource.RLIM_INFINITY else min(hard, MOST + SPARE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(8, min(soft - SPARE, soft // 2 if soft < 2 * SPARE else MOST))


def quieted(loop: asyncio.AbstractEventLoop) -> None:
    """Have the loop say what fails in a line, and not the same again and again."""
    said: dict[str, float] = {}

    def handle(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        line = f"{context.get('message')}: {error!r}"
        now = time.monotonic()
        if now - said.get(line, -REPEATED) < REPEATED:
            return
        if len(said) > 100:
            said.clear()
        said[line] = now
        log.error("%s", line)

    loop.set_exception_handler(handle)


class Connection(H11Protocol):
    """One of `uvicorn` that is closed unless it goes on.

    The head of a request must arrive within HEAD seconds, what was answered early must end within
    LINGER, and of an answer something must be taken within the time-out of requests. Where there
    are ``most`` connections, one that has no request makes room for the next.
    """

    most = MOST
    _timer: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.most:
            idle = (c for c in self.connections if isinstance(c, Connection) and c.is_idle)
            next(idle, self).transport.abort()
        self._watch()

    @property
    def is_idle(self) -> bool:
        return self.conn.their_state is h11.IDLE and not self.transport.is_closing()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for timer in (self._timer, self._stalled):
            if timer is not None:
                timer.cancel()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing() or self.conn.their_state is h11.SEND_BODY:
            self.loop.call_later(LINGER, self._end)

    def timeout_keep_alive_handler(self) -> None:
        # Not by h11, which refuses to while a body is on its way.
        self.transport.close()
        self.loop.call_later(LINGER, self._end)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stalled is None:
            seconds = self.config.app.settings.timeout  # type: ignore[union-attr]
            self._stalled = self.loop.call_later(seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _end(self) -> None:
        # In between the rest of the body may have come, and the next request with it.
        if self.transport.is_closing() or self.conn.their_state is h11.SEND_BODY:
            self.transport.abort()

    def _watch(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        elif self._timer is None:
            seconds = min(HEAD, self.config.app.settings.timeout)  # type: ignore[union-attr]
            self._timer = self.loop.call_later(seconds, self.transport.close)
