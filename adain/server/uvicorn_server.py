"""The HTTP server (uvicorn): time-outs of connections, and a shutdown that loses no answer."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from adain.server.engine import Engine
from adain.server.middleware import Middleware

STOPPING = (signal.SIGINT, signal.SIGTERM)
HEAD = 10.0
SWEEP = 60.0  # seconds between looks at the folder of uploads
# Seconds that a client gets to take its answer, and all connections to end, when the server stops.
LAST_ANSWERS, LAST_CONNECTIONS = 5.0, 3
LAST_EVENTS = 0.3  # and Gradio, to pass on a result to a stream of events


class Connection(H11Protocol):
    """One of `uvicorn` that is closed unless the head of a request arrives within HEAD seconds."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._forget()

    def _watch(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._forget()
        elif self._timer is None:
            seconds = min(HEAD, self.config.app.settings.timeout)  # type: ignore[union-attr]
            self._timer = self.loop.call_later(seconds, self.transport.close)

    def _forget(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Server(uvicorn.Server):
    """`uvicorn` that says when it answers, and stops without leaving anybody without an answer."""

    def __init__(self, middleware: Middleware, engine: Engine, address: str) -> None:
        super().__init__(
            uvicorn.Config(
                middleware,
                lifespan="on",
                ws="none",
                http=Connection,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=LAST_CONNECTIONS,
            )
        )
        self._middleware = middleware
        self._engine = engine
        self._address = address
        self._tasks: list[asyncio.Task[None]] = []

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in STOPPING:
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(self._begin_to_stop))
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._tasks.append(asyncio.create_task(self._sweep()))
        print(f"Running on {self._address} (Ctrl+C stops it)", flush=True)

    def _begin_to_stop(self) -> None:
        if self._middleware.stopping:
            self.force_exit = self.should_exit = True  # asked twice
            return
        self._middleware.stopping = True
        for server in self.servers:
            server.close()
        self._tasks.append(asyncio.create_task(self._stop()))

    async def _stop(self) -> None:
        await asyncio.to_thread(self._engine.close)
        await asyncio.sleep(LAST_EVENTS)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_ANSWERS):
                while self._middleware.answering:
                    await asyncio.sleep(0.05)
        self._middleware.closing.set()
        self.should_exit = True

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP)
            await asyncio.to_thread(self._middleware.uploads.sweep)


def serve(server: Server, listener: socket.socket) -> None:
    """Answer what comes to a bound socket, until SIGINT or SIGTERM."""
    asyncio.run(server.serve(sockets=[listener]))
