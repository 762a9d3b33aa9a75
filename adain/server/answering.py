"""A route that waits for what the queue makes, while its client waits for it."""

from __future__ import annotations

import asyncio
from concurrent.futures import CancelledError, Future
from typing import Any

from fastapi import Request
from starlette.exceptions import HTTPException

from adain.server.engine import Engine
from adain.server.queue import BusyError


async def answer(request: Request, engine: Engine, future: Future[Any]) -> Any:
    """A request's result; BusyError after a while, and it leaves the queue when its client does."""
    waiting = asyncio.wrap_future(future)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait(
            [waiting, gone],
            timeout=engine.settings.timeout,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if not waiting.done():
            busy = engine.queue.give_up(future, gone=gone.done())
            waiting.cancel()
            if gone.done():
                raise HTTPException(499, "the client has gone")
            raise busy
        return waiting.result()
    except (CancelledError, asyncio.CancelledError):
        if engine.queue.stopping:
            raise BusyError("the server is stopping", retry_after=10) from None
        raise
    finally:
        gone.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
