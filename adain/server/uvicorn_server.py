"""The HTTP server (uvicorn): answers while it loads and while it stops, and loses no answer."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

import uvicorn

from adain.server.connections import Connection, most_connections, quieted
from adain.server.engine import Engine
from adain.server.middleware import Middleware

T = TypeVar("T")

STOPPING = (signal.SIGINT, signal.SIGTERM)
SWEEP = 15.0  # seconds between looks at the folders of uploads and videos
# Seconds that a client gets to take its answer, and all connections to end, when the server stops.
LAST_ANSWERS, LAST_CONNECTIONS = 5.0, 3
LAST_EVENTS = 0.3  # and Gradio, to pass on a result to a stream of events


class Server(uvicorn.Server):
    """`uvicorn` that is not ready until ``load`` has returned, and says so when it is.

    At the end ``error`` is what `load` raised, and ``unfinished`` whether requests still compute.
    """

    def __init__(self, middleware: Middleware, engine: Engine, load: Callable[[], None]) -> None:
        settings = engine.settings
        super().__init__(
            uvicorn.Config(
                middleware,
                lifespan="on",
                ws="none",
                http=Connection,
                log_config=None,
                access_log=False,
                server_header=False,
                forwarded_allow_ips=settings.trusted_proxies,
                timeout_graceful_shutdown=LAST_CONNECTIONS,
            )
        )
        self.error: BaseException | None = None
        self.unfinished = False
        self._middleware = middleware
        self._engine = engine
        self._load = load
        self._tasks: list[asyncio.Task[None]] = []
        self._over = asyncio.Event()

    @property
    def loaded(self) -> bool:
        """Whether it was ever ready."""
        return self._middleware.loaded.is_set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in STOPPING:
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(self._begin_to_stop))
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        quieted(asyncio.get_running_loop())
        Connection.most = most_connections()
        await super().startup(sockets)
        self._serving = asyncio.create_task(self._load_and_serve())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        self._over.set()
        if self.loaded:
            await self._serving

    async def _load_and_serve(self) -> None:
        try:
            await _in_thread(self._load)
            page = self._middleware.page
            async with contextlib.nullcontext() if page is None else page.lifespan():
                self._middleware.loaded.set()
                sweeping = asyncio.create_task(self._sweep())
                address = self._engine.settings.address
                print(f"Running on {address} (Ctrl+C stops it)", flush=True)
                await self._over.wait()
                sweeping.cancel()
        except Exception as error:
            self.error = error
            self._begin_to_stop()

    def _begin_to_stop(self) -> None:
        if self._middleware.stopping:
            self.force_exit = self.should_exit = True  # asked twice
            return
        # Who comes now is told so, until the last answer is given: a balancer goes elsewhere.
        self._middleware.stopping = True
        self._tasks.append(asyncio.create_task(self._stop()))

    async def _stop(self) -> None:
        seconds = self._engine.settings.drain
        finished, _ = await asyncio.gather(
            _in_thread(lambda: self._engine.close(seconds)),
            # Nobody could ask for what comes of one.
            _in_thread(self._middleware.videos.close),
        )
        self.unfinished = not finished
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
            await asyncio.to_thread(self._middleware.videos.sweep)


async def _in_thread(call: Callable[[], T]) -> T:
    """As `asyncio.to_thread`, in a thread that nobody waits for at the end."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        try:
            result, error = call(), None
        except BaseException as raised:
            result, error = None, raised
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, daemon=True).start()
    return await future


def serve(server: Server, listener: socket.socket) -> None:
    """Answer what comes to a bound socket, until SIGINT or SIGTERM."""
    asyncio.run(server.serve(sockets=[listener]))
