"""ASGI: types, and wrappers of `receive` and `send` that count, limit, replay and cut short."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

from starlette.exceptions import HTTPException

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# Seconds in which what was refused may still be sent, so that its sender comes to read why.
PATIENCE = 2.0
CORS = b"access-control-"
NO_SNIFFING = (b"x-content-type-options", b"nosniff")


class RefusedError(Exception):
    """An error response, to be sent in place of the one asked for; ``reason`` is for metrics."""

    def __init__(self, status: int, message: str, reason: str = "", **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason or str(status)
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


# When the request that is being answered arrived, by `time.time`. Of two that a page sends at once,
# threads may well begin with the second.
ARRIVED: ContextVar[float] = ContextVar("arrived")
# Who sent it, as far as turns and limits go: a name that signed in, or an address.
CLIENT: ContextVar[str] = ContextVar("client")
# Its name in the log.
REQUEST_ID: ContextVar[str] = ContextVar("request_id")


class Exchange:
    """A request and its response: how much of the one has come, and the status of the other."""

    def __init__(self, receive: Receive, send: Send, name: str = "") -> None:
        self._receive = receive
        self._send = send
        self._name = name.encode()
        self._then: Callable[[], None] | None = None
        self.received = 0
        self.sent = 0
        self.complete = False
        self.status = 0

    def when_complete(self, then: Callable[[], None]) -> None:
        """Call ``then`` once the request's body has come, or never will."""
        self._then = then

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self.received += len(message.get("body", b""))
            self.complete = not message.get("more_body", False)
        else:
            self.complete = True
        if self.complete and self._then is not None:
            then, self._then = self._then, None
            then()
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            # Gradio lets pages of other origins read answers, with the cookies of whoever looks.
            given = [pair for pair in message.get("headers", []) if not pair[0].startswith(CORS)]
            message["headers"] = [*given, NO_SNIFFING, (b"x-request-id", self._name)]
        elif message["type"] == "http.response.body":
            self.sent += len(message.get("body", b""))
        await self._send(message)

    async def drain(self) -> None:
        """Read and forget what a refused client still sends: else it may never see the answer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while not self.complete:
                    await self.receive()

    def limited(self, limit: int, seconds: float) -> Receive:
        """A `receive` of no more than this many bytes, in no more than this time."""
        until = time.monotonic() + seconds

        async def limited() -> Message:
            if self.complete:
                return await self.receive()
            try:
                message = await asyncio.wait_for(self.receive(), until - time.monotonic())
            except TimeoutError:
                late = f"the request did not arrive within {seconds:g} seconds"
                raise HTTPException(408, late) from None
            if self.received > limit:
                await self.drain()
                raise HTTPException(413, str(too_large(limit)))
            return message

        return limited

    def replaying(self, body: bytes) -> Receive:
        """A `receive` of another body, after the request's own has been read."""
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await self.receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        return replay


def until_closing(receive: Receive, closing: asyncio.Event) -> Receive:
    """A `receive` that says the client has gone when the server goes."""

    async def until_closing_receive() -> Message:
        if closing.is_set():
            return {"type": "http.disconnect"}
        incoming = asyncio.ensure_future(receive())
        closed = asyncio.ensure_future(closing.wait())
        try:
            await asyncio.wait([incoming, closed], return_when=asyncio.FIRST_COMPLETED)
            if incoming.done():
                return incoming.result()
            return {"type": "http.disconnect"}
        finally:
            incoming.cancel()
            closed.cancel()

    return until_closing_receive


async def read_body(receive: Receive) -> bytes | None:
    """A whole body; None where the client went away."""
    parts = []
    while True:
        try:
            message = await receive()
        except HTTPException as error:
            raise RefusedError(error.status_code, str(error.detail)) from None
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def found_line(error: BaseException) -> str:
    """An exception on one line."""
    return " ".join(f"{type(error).__name__}: {error}"[:1000].split())[:300]


def too_large(limit: int) -> RefusedError:
    return RefusedError(
        413, f"found a body of more than {limit:,} bytes, which is all that is allowed"
    )
