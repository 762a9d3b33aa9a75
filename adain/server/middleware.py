"""ASGI middleware for authentication, routing and limits.

Every request passes it, on its way to the REST service or to the page. Of Gradio's routes only
those are open that the page needs.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse

from adain.server import logs, paths
from adain.server.asgi import (
    ARRIVED,
    CLIENT,
    REQUEST_ID,
    App,
    Exchange,
    Receive,
    RefusedError,
    Scope,
    Send,
    found_line,
    read_body,
    until_closing,
)
from adain.server.checks import forwarded
from adain.server.checks.authentication import Authentication
from adain.server.checks.bodies import SMALL, arrival_seconds, body_limit, check_video
from adain.server.checks.calls import cleaned
from adain.server.checks.page_routes import MCP_ROUTES, ROUTES, SIGNED_IN, STREAMS
from adain.server.checks.places import Places
from adain.server.checks.visitors import visitor
from adain.server.metrics import Metrics
from adain.server.settings import Settings
from adain.server.uploads import Uploads
from adain.server.video.jobs import Videos

ARRIVING_VIDEOS = 4
OPEN_STREAMS = 400  # at a time: each keeps a connection, and a process has about 1000

STOPPING = ("the server is stopping", "stopping")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Page:
    """A page that is served beside the service: an ASGI application.

    ``streams`` says whether a stream of events that a request names belongs to somebody, ``user``
    who has signed in, None where nobody has; ``lifespan`` lasts as long as the page is served.
    """

    app: App
    streams: Callable[[Scope], bool]
    user: Callable[[Scope], str | None]
    lifespan: Callable[[], AbstractAsyncContextManager[object]]


@dataclass
class Middleware:
    """The ASGI application that `uvicorn` runs; ``rest`` and ``page`` are those behind it.

    It answers from the start who asks for its health, and all others when it is ``loaded``.
    """

    settings: Settings
    uploads: Uploads
    metrics: Metrics
    rest: App
    videos: Videos
    page: Page | None = None

    def __post_init__(self) -> None:
        routes = ROUTES + (MCP_ROUTES if self.settings.mcp else [])
        self._routes = [(name, methods, re.compile(path)) for name, methods, path in routes]
        self._authentication = Authentication(self.settings.users)
        self.loaded = asyncio.Event()
        self.stopping = False
        self.closing = asyncio.Event()  # of the streams, which have no end of their own
        self.answering = 0
        self._streams = Places(OPEN_STREAMS, OPEN_STREAMS // 4)
        # Bodies on their way: who sends slowly waits in no queue, but takes memory and disk.
        length = max(4, self.settings.workers + self.settings.queue)
        self._bodies = Places(length, length * 3 // 4)
        # Until they are in line, videos take a disk and a thread, and nothing is known of them.
        self._videos = Places(ARRIVING_VIDEOS, ARRIVING_VIDEOS // 2)
        self._arrived = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.rest(scope, receive, send)
            return
        ARRIVED.set(time.time())
        REQUEST_ID.set(logs.request_id(Headers(scope=scope).get("x-request-id", "")))
        address = scope["client"][0] if scope.get("client") else ""
        CLIENT.set(address)
        exchange = Exchange(receive, send, REQUEST_ID.get())
        started = time.monotonic()
        name = "other"
        held: list[tuple[Places, str]] = []
        scope, method = forwarded.placed(scope, self.settings.root_path), _method(scope)
        self.answering += 1
        try:
            if not self.loaded.is_set():
                await self._until_loaded(scope["path"])
            name, app = self._find(scope, address)
            if name in STREAMS:
                self.answering -= 1
                self._take(self._streams, "streams", held)
            receive = await self._checked(name, scope, exchange, held)
            inner = forwarded.below(scope)
            try:
                await app(inner, receive, exchange.send)
            finally:
                scope["route"] = inner.get("route")
        except RefusedError as refusal:
            self.metrics.refuse(refusal.reason)
            await self._refuse(refusal, scope, exchange)
        except HTTPException as error:  # of a stream that has begun: there is nobody to tell
            log.info("%s: %s", name, error.detail)
        except Exception as error:
            # What a program sends to the page is not the page's fault; in our own it is a mistake.
            log.error("%s: %s", name, found_line(error), exc_info=name == "rest")
            if not exchange.status:
                await self._refuse(RefusedError(500, "the server failed"), scope, exchange)
        finally:
            if name == "login" and exchange.status == 400:
                self._authentication.failed(address)
            for places, client in held:
                places.give_back(client)
            if name not in STREAMS:
                self.answering -= 1
            if name == "upload":
                await self._make_room(exchange.received)
            self._tell(scope, name, method, exchange, time.monotonic() - started)

    def _tell(
        self, scope: Scope, name: str, method: str, exchange: Exchange, seconds: float
    ) -> None:
        """Count and log an answered request."""
        route = getattr(scope.get("route"), "path", name) if name == "rest" else name
        status = exchange.status or 499
        timed = None if name in STREAMS else seconds
        self.metrics.count(method, route, status, timed)
        shown = name == "static" or paths.is_picture(scope["path"])
        shown = shown or (method == "GET" and paths.is_job(scope["path"]))
        if status in (200, 304) and (shown or scope["path"] in paths.OPEN):
            return  # asked every few seconds, and a hundred of them for a page
        logs.log_access(
            client=CLIENT.get(),
            method=method,
            path="".join(c if c.isprintable() else "?" for c in paths.logged(scope["path"])[:200]),
            status=status,
            milliseconds=round(seconds * 1000),
            received=exchange.received,
            sent=exchange.sent,
        )

    async def _refuse(self, refusal: RefusedError, scope: Scope, exchange: Exchange) -> None:
        # Whoever asks first whether to send the body at all is told no by the answer.
        if "expect" not in Headers(scope=scope):
            await exchange.drain()
        answer = JSONResponse({"error": str(refusal)}, refusal.status, refusal.headers)
        await answer(scope, exchange.receive, exchange.send)

    def _take(self, places: Places, what: str, held: list[tuple[Places, str]]) -> None:
        client = CLIENT.get()
        if not places.take(client):
            message = f"busy: too many {what} at a time; try again"
            raise RefusedError(503, message, reason=what, retry_after="5")
        held.append((places, client))

    def _find(self, scope: Scope, address: str) -> tuple[str, App]:
        """The name of a route and who answers; RefusedError where nobody does."""
        path, method = scope["path"], scope["method"]
        if paths.SERVICE.fullmatch(path):
            if self._authentication.needed and path not in paths.OPEN:
                user = visitor(scope, self.page.user) if self.page is not None else None
                CLIENT.set(user or self._authentication.user(scope, address))
            if self.stopping and path not in paths.ALWAYS:
                raise RefusedError(503, *STOPPING, retry_after="10")
            if method == "HEAD":  # `uvicorn`, which has the request's own scope, sends no body
                scope["method"] = "GET"
            return "rest", self.rest
        if self.stopping:
            raise RefusedError(503, *STOPPING, retry_after="10")
        if self.page is None and path == "/":
            return "docs", RedirectResponse(paths.DOCS.lstrip("/"))
        page = self.page
        matching = [route for route in self._routes if route[2].fullmatch(path)]
        if page is None or not matching:
            raise RefusedError(404, "there is nothing here")
        name, methods, _ = matching[0]
        if method not in methods:
            allowed = ", ".join(methods)
            raise RefusedError(405, f"found {method}; allowed: {allowed}", allow=allowed)
        if self._authentication.needed:
            self._admit(name, page, scope, address)
        if name == "events" and not page.streams(scope):
            raise RefusedError(404, "there is nothing here")
        return name, page.app

    async def _until_loaded(self, path: str) -> None:
        """Wait for what is to be served; whoever asks whether it is ready is told no at once."""
        if path in paths.ALWAYS:
            return
        seconds = 0 if path in paths.WHETHER else self.settings.timeout
        try:
            await asyncio.wait_for(self.loaded.wait(), seconds)
        except TimeoutError:
            message = "the server is loading its models"
            raise RefusedError(503, message, "loading", retry_after="10") from None

    def _admit(self, name: str, page: Page, scope: Scope, address: str) -> None:
        """RefusedError for who has not signed in, before anything of a body is read."""
        if name == "mcp":
            CLIENT.set(self._authentication.user(scope, address))
        elif name == "login":
            self._authentication.check_failures(address)
        elif name in SIGNED_IN:
            user = page.user(scope)
            if user is None:
                raise RefusedError(401, "found nobody signed in", reason="unauthorized")
            CLIENT.set(user)

    async def _checked(
        self, name: str, scope: Scope, exchange: Exchange, held: list[tuple[Places, str]]
    ) -> Receive:
        """A `receive` that gives no more than is allowed."""
        limit = body_limit(name, scope, self.settings)
        if limit > SMALL:
            if scope["path"] == paths.VIDEO:
                check_video(scope, limit, self.videos)
                self._take(self._videos, "videos that arrive", held)
            self._take(self._bodies, "requests that arrive", held)
            exchange.when_complete(lambda: self._arrived_whole(held))
        receive = exchange.limited(limit, arrival_seconds(scope, self.settings))
        if name == "file" and not self.uploads.holds(scope["path"].partition("file=")[2]):
            raise RefusedError(403, "this file was not uploaded")
        if name in ("call", "mcp") and scope["method"] == "POST":
            receive = await self._inspected(exchange, receive, scope, name == "mcp")
        return until_closing(receive, self.closing) if name in STREAMS else receive

    def _arrived_whole(self, held: list[tuple[Places, str]]) -> None:
        for each in [each for each in held if each[0] is self._bodies]:
            held.remove(each)
            self._bodies.give_back(each[1])

    async def _inspected(
        self, exchange: Exchange, receive: Receive, scope: Scope, mcp: bool
    ) -> Receive:
        """A `receive` with a JSON body that names no file or address but uploads."""
        body = await read_body(receive)
        if body is None:
            return receive
        body = await asyncio.to_thread(cleaned, body, self.uploads, mcp=mcp)
        headers = [(name, given) for name, given in scope["headers"] if name != b"content-length"]
        scope["headers"] = [*headers, (b"content-length", str(len(body)).encode())]
        return exchange.replaying(body)

    async def _make_room(self, arrived: int) -> None:
        """Sweep before the next minute where much arrives in this one."""
        self._arrived += max(arrived, self.uploads.limit // self.uploads.most)
        if self._arrived > self.uploads.limit / 4:
            self._arrived = 0
            await asyncio.to_thread(self.uploads.sweep)


def _method(scope: Scope) -> str:
    known = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    return scope["method"] if scope["method"] in known else "other"
