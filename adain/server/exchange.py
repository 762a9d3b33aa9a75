"""A request on its way in and its answer on the way out, as ASGI has them."""

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
NO_SNIFFING = (b"x-content-type-options", b"nosniff")


class RefusedError(Exception):
    """An answer other than the one asked for."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


# When the request that is being answered arrived, by `time.time`. Of two that a page sends at once,
# threads may well begin with the second.
ARRIVED: ContextVar[float] = ContextVar("arrived")


class Exchange:
    """A request and its answer: how much of the one has come, and the status of the other."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self.taken = 0
        self.whole = False
        self.status = 0

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self.taken += len(message.get("body", b""))
            self.whole = not message.get("more_body", False)
        else:
            self.whole = True
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", []), NO_SNIFFING]
        await self._send(message)

    async def drain(self) -> None:
        """Read and forget what a refused client still sends: else it may never see the answer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while not self.whole:
                    await self.receive()

    def bounded(self, limit: int, seconds: float) -> Receive:
        """A `receive` of no more than this many bytes, in no more than this time."""
        until = time.monotonic() + seconds

        async def bounded() -> Message:
            if self.whole:
                return await self.receive()
            try:
                message = await asyncio.wait_for(self.receive(), until - time.monotonic())
            except TimeoutError:
                late = f"the request did not arrive within {seconds:g} seconds"
                raise HTTPException(408, late) from None
            if self.taken > limit:
                await self.drain()
                raise HTTPException(413, str(too_large(limit)))
            return message

        return bounded

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


def ending(receive: Receive, closing: asyncio.Event) -> Receive:
    """A `receive` that says the client has gone when the server goes."""

    async def ending() -> Message:
        if closing.is_set():
            return {"type": "http.disconnect"}
        tasks = [asyncio.ensure_future(receive()), asyncio.ensure_future(closing.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if tasks[0].done():
                return tasks[0].result()
            return {"type": "http.disconnect"}
        finally:
            for task in tasks:
                task.cancel()

    return ending


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


def found_line(error: Exception) -> str:
    """An exception on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]


def too_large(limit: int) -> RefusedError:
    return RefusedError(
        413, f"found a body of more than {limit:,} bytes, which is all that is allowed"
    )
