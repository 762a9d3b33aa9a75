"""ASGI middleware for authentication, routing and limits.

Every request passes it, on its way to the REST service or to the page. Of Gradio's routes only
those are open that the page needs; the rest read files, fetch addresses or change the page for
everyone.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import json
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse

from adain.server.asgi import (
    ARRIVED,
    App,
    Exchange,
    Receive,
    RefusedError,
    Scope,
    Send,
    found_line,
    read_body,
    too_large,
    until_closing,
)
from adain.server.metrics import Metrics
from adain.server.settings import Settings
from adain.server.uploads import Uploads

FORM = 64_000  # bytes around the files of a form: its other fields, and the lines between
SMALL = 64_000  # bytes of a body that is neither files nor a call of a function

# The routes of the page: name for the metrics, methods, pattern.
READ, WRITE = ("GET", "HEAD"), ("POST",)
API = "/gradio_api/"
ROUTES = [
    ("page", READ, r"/"),
    ("page", READ, r"/(config/?|theme\.css|favicon\.ico|robots\.txt|manifest\.json|logout)"),
    ("static", READ, r"/(assets|static|svelte)/.*"),
    ("login", WRITE, r"/login/?"),
    ("about", READ, API + r"(info|app_id|user|login_check|token|startup-events|theme\.css)/?"),
    ("about", READ, API + r"(openapi\.json|queue/status)"),
    ("file", READ, API + r"file=.*"),
    ("upload", WRITE, API + r"upload"),
    ("call", WRITE, API + r"(run|api|call|call/v2)/[^/]+/?"),
    ("call", WRITE, API + r"queue/join"),
    ("call", WRITE, API + r"(cancel|reset/?)"),
    ("events", READ, API + r"(queue/data|upload_progress|heartbeat/[^/]+)"),
    ("events", READ, API + r"call/(v2/)?[^/]+/[^/]+"),
]
MCP_ROUTES = [("mcp", ("GET", "HEAD", "POST", "DELETE"), API + r"mcp(/.*)?")]
STREAMS = ("events", "mcp")
OPEN_STREAMS = 400  # at a time: each keeps a connection, and a process has about 1000
REST = re.compile(r"/(v1|healthz|readyz|metrics)(/.*)?")
OPEN = ("/healthz", "/readyz")
FORMS = {"/v1/stylize": 2, "/v1/styles": 1}  # routes that take forms, and how many files


log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Page:
    """A page that is served beside the service: an ASGI application.

    ``streams`` says whether a stream of events that a request names belongs to somebody.
    """

    app: App
    streams: Callable[[Scope], bool]


@dataclass
class Middleware:
    """The ASGI application that `uvicorn` runs; ``rest`` and ``page`` are those behind it."""

    settings: Settings
    uploads: Uploads
    metrics: Metrics
    rest: App
    page: Page | None = None

    def __post_init__(self) -> None:
        routes = list(ROUTES) if self.page is not None else []
        if self.settings.mcp:
            routes += MCP_ROUTES
        self._routes = [(name, methods, re.compile(path)) for name, methods, path in routes]
        self.stopping = False
        self.closing = asyncio.Event()  # of the streams, which have no end of their own
        self.answering = 0
        self.streaming = 0
        self._arrived = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                app = self.rest if self.page is None else self.page.app
                await app(scope, receive, send)
            return
        ARRIVED.set(time.time())
        exchange = Exchange(receive, send)
        started = time.monotonic()
        name = "other"
        self.answering += 1
        try:
            name, app = self._find(scope)
            if name in STREAMS:
                self.answering -= 1
                self.streaming += 1
                if self.streaming > OPEN_STREAMS:
                    raise RefusedError(503, "too many streams are open", retry_after="10")
            await app(scope, await self._checked(name, scope, exchange), exchange.send)
        except RefusedError as refusal:
            await self._refuse(refusal, scope, exchange)
        except HTTPException as error:  # of a stream that has begun: there is nobody to tell
            log.info("%s: %s", name, error.detail)
        except Exception as error:
            # What a program sends to the page is not the page's fault; in our own it is a mistake.
            log.error("%s: %s", name, found_line(error), exc_info=name == "rest")
            if not exchange.status:
                await self._refuse(RefusedError(500, "the server failed"), scope, exchange)
        finally:
            if name == "upload":
                await self._make_room(exchange.received)
            if name in STREAMS:
                self.streaming -= 1
            else:
                self.answering -= 1
            route = getattr(scope.get("route"), "path", name) if name == "rest" else name
            seconds = None if name in STREAMS else time.monotonic() - started
            self.metrics.count(_method(scope), route, exchange.status or 499, seconds)

    async def _refuse(self, refusal: RefusedError, scope: Scope, exchange: Exchange) -> None:
        # Whoever asks first whether to send the body at all is told no by the answer.
        if "expect" not in Headers(scope=scope):
            await exchange.drain()
        answer = JSONResponse({"error": str(refusal)}, refusal.status, refusal.headers)
        await answer(scope, exchange.receive, exchange.send)

    def _find(self, scope: Scope) -> tuple[str, App]:
        """The name of a route and who answers; RefusedError where nobody does."""
        path, method = scope["path"], scope["method"]
        if REST.fullmatch(path):
            if self.settings.auth is not None and path not in OPEN:
                self._authorise(scope)
            return "rest", self.rest
        if self.stopping:
            raise RefusedError(503, "the server is stopping", retry_after="10")
        matching = [route for route in self._routes if route[2].fullmatch(path)]
        if self.page is None and path == "/":
            return "docs", RedirectResponse("v1/docs")
        page = self.page
        if page is None or not matching or (matching[0][0] == "events" and not page.streams(scope)):
            raise RefusedError(404, "there is nothing here")
        name, methods, _ = matching[0]
        if method not in methods:
            allowed = ", ".join(methods)
            raise RefusedError(405, f"found {method}; allowed: {allowed}", allow=allowed)
        if name == "mcp" and self.settings.auth is not None:
            self._authorise(scope)
        return name, page.app

    def _authorise(self, scope: Scope) -> None:
        assert self.settings.auth is not None
        kind, _, given = Headers(scope=scope).get("authorization", "").partition(" ")
        wanted = ":".join(self.settings.auth).encode()
        try:
            found = base64.b64decode(given, validate=True) if kind.lower() == "basic" else b""
        except binascii.Error:
            found = b""
        if not hmac.compare_digest(found, wanted):
            basic = 'Basic realm="adain", charset="UTF-8"'
            raise RefusedError(401, "found no or another name and password", www_authenticate=basic)

    async def _checked(self, name: str, scope: Scope, exchange: Exchange) -> Receive:
        """A `receive` that gives no more than is allowed."""
        limit = SMALL
        if scope["method"] == "POST":
            if scope["path"] in FORMS:
                _check_form(scope)
            limit = self._limit(name, scope["path"])
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdecimal() and int(declared) > limit:
            raise too_large(limit)
        receive = exchange.limited(limit, self.settings.timeout)
        if name == "file" and not self.uploads.holds(scope["path"].partition("file=")[2]):
            raise RefusedError(403, "this file was not uploaded")
        if name in ("call", "mcp") and scope["method"] == "POST":
            receive = await self._inspected(exchange, receive, scope, name == "mcp")
        return until_closing(receive, self.closing) if name in STREAMS else receive

    def _limit(self, name: str, path: str) -> int:
        upload = self.settings.max_upload
        limits = {"upload": upload + FORM, "call": upload, "mcp": 3 * upload}
        if path in FORMS:
            return FORMS[path] * upload + FORM
        return limits.get(name, SMALL)

    async def _inspected(
        self, exchange: Exchange, receive: Receive, scope: Scope, mcp: bool
    ) -> Receive:
        """A `receive` with a JSON body that names no file or address but uploads."""
        body = await read_body(receive)
        if body is None:
            return receive
        body = await asyncio.to_thread(self._cleaned, body, mcp)
        headers = [(name, given) for name, given in scope["headers"] if name != b"content-length"]
        scope["headers"] = [*headers, (b"content-length", str(len(body)).encode())]
        return exchange.replaying(body)

    def _cleaned(self, body: bytes, mcp: bool) -> bytes:
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            raise RefusedError(400, "the body is no JSON") from None
        if mcp:
            for message in value if isinstance(value, list) else [value]:
                if isinstance(message, dict) and message.get("method") == "tools/call":
                    self._check_names(message, addresses=True)
        else:
            self._check_names(value)
        # Written anew, since two readers may differ in what they make of odd JSON.
        return json.dumps(value).encode()

    async def _make_room(self, arrived: int) -> None:
        """Sweep before the next minute where much arrives in this one."""
        self._arrived += arrived
        if self._arrived > self.uploads.limit / 4:
            self._arrived = 0
            await asyncio.to_thread(self.uploads.sweep)

    def _check_names(self, value: Any, addresses: bool = False) -> None:
        """Refuse paths outside the uploads; forget addresses, which Gradio would open."""
        waiting = [value]
        while waiting:
            found = waiting.pop()
            if isinstance(found, dict):
                path = found.get("path")
                if path is not None and not (isinstance(path, str) and self.uploads.holds(path)):
                    raise RefusedError(400, "path: found a file that was not uploaded")
                if "url" in found:
                    found["url"] = None
                waiting.extend(found.values())
            elif isinstance(found, list):
                waiting.extend(found)
            elif addresses and isinstance(found, str) and re.match(r"\s*\w+://", found):
                raise RefusedError(400, "found an address; allowed are pictures as data: URLs")


def _check_form(scope: Scope) -> None:
    kind = Headers(scope=scope).get("content-type", "nothing").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise RefusedError(415, f"Content-Type: found {kind[:80]}; allowed: multipart/form-data")


def _method(scope: Scope) -> str:
    known = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    return scope["method"] if scope["method"] in known else "other"
