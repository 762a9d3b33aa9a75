"""The page and the REST service on one port, from the first request to the last."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import gradio as gr
import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from demo import rest, tools
from demo.engine import Engine
from demo.exchange import Scope
from demo.gate import Gate
from demo.metrics import Metrics
from demo.uploads import Uploads

log = logging.getLogger(__name__)

STOPPING = (signal.SIGINT, signal.SIGTERM)
HEAD = 10.0
SWEEP = 60.0  # seconds between looks at the folder of uploads
KEPT_UPLOADS = 100  # as many of the largest as may lie there
# Seconds that a client gets to take its answer, and all connections to end, when the server stops.
LAST_ANSWERS, LAST_CONNECTIONS = 5.0, 3
LOOK = 0.05  # seconds between looks at Gradio's own line, as Gradio has it on Windows
LAST_EVENTS = 0.3  # and Gradio, to pass on a result to a stream of events


def assemble(
    engine: Engine, page: gr.Blocks, options: dict[str, Any], folder: Path, address: str
) -> Gate:
    """One ASGI application of the page and the service; ``folder`` is Gradio's for uploads."""
    settings = engine.settings
    metrics = Metrics(engine)
    # Unless it was launched by itself, Gradio reads any file that a request names.
    page.has_launched = True
    # Its own line is for events that report their progress; the engine's bounds the rest.
    page._queue.max_size = max(1, settings.queue)
    # Gradio looks a thousand times a second whether there is any, which takes a twelfth of a core.
    page._queue.sleep_when_free = LOOK
    if settings.mcp:
        with page:
            tools.offer(engine)
    mounted = gr.mount_gradio_app(
        FastAPI(docs_url=None, redoc_url=None, openapi_url=None),
        page,
        path="/",
        server_name=settings.host,
        server_port=settings.port,
        auth=settings.auth,
        max_file_size=settings.max_upload,
        show_error=False,
        mcp_server=settings.mcp,
        **options,
    )
    if page.mcp_server_obj:
        # Where it calls itself; else at the host that a request names, whichever that is.
        page.mcp_server_obj._local_url = address
    uploads = Uploads(folder, settings.keep, KEPT_UPLOADS * settings.max_upload)
    uploads.keep_what_is_here()
    service = rest.build(engine, metrics)
    return Gate(
        settings, uploads, metrics, service, mounted, lambda scope: _has_events(page, scope)
    )


def _has_events(page: gr.Blocks, scope: Scope) -> bool:
    """Whether Gradio knows the stream that is asked for; else it would fail in the middle of it."""
    path, query = scope["path"], parse_qs(scope["query_string"].decode("latin-1"))
    queue = page._queue
    if path.endswith("/queue/data"):
        return query.get("session_hash", [""])[0] in queue.pending_messages_per_session
    if "/call/" in path:
        event = path.rpartition("/")[2]
        pending = queue.pending_event_ids_session.values()
        return event in queue.event_ids_to_events or any(event in ids for ids in pending)
    return True


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

    def __init__(self, gate: Gate, engine: Engine, address: str) -> None:
        super().__init__(
            uvicorn.Config(
                gate,
                lifespan="on",
                ws="none",
                http=Connection,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=LAST_CONNECTIONS,
            )
        )
        self._gate = gate
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
        if self._gate.stopping:
            self.force_exit = self.should_exit = True  # asked twice
            return
        self._gate.stopping = True
        for server in self.servers:
            server.close()
        self._tasks.append(asyncio.create_task(self._stop()))

    async def _stop(self) -> None:
        await asyncio.to_thread(self._engine.close)
        await asyncio.sleep(LAST_EVENTS)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_ANSWERS):
                while self._gate.answering:
                    await asyncio.sleep(0.05)
        self._gate.closing.set()
        self.should_exit = True

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP)
            await asyncio.to_thread(self._gate.uploads.sweep)


def serve(server: Server, listener: socket.socket) -> None:
    """Answer what comes to a bound socket, until SIGINT or SIGTERM."""
    asyncio.run(server.serve(sockets=[listener]))
