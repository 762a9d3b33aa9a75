"""The page as an ASGI application: Gradio mounted so that it keeps to this machine."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

from adain.server.asgi import Scope, found_line
from adain.server.engine import Engine
from adain.server.middleware import Page

log = logging.getLogger(__name__)

TEMPLATE = "frontend/index.html"  # of Gradio
LOOK = 0.05  # seconds between looks at Gradio's own queue, as Gradio has it on Windows


def prepare(host: str, folder: Path) -> None:
    """Set what Gradio reads from the environment when it is imported or launched."""
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    # It asks its own server whether it is up by way of any proxy the environment names, and would
    # not reach it.
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(
            filter(None, (os.environ.get(name), "127.0.0.1,localhost", host))
        )


def _log_failure() -> None:
    """In place of a traceback on stderr, in which all is whole that a program has sent."""
    error = sys.exception()
    if error is not None:
        # What is no value of a component is its sender's mistake.
        log.error("%s", found_line(error), exc_info=not isinstance(error, ValueError))


def mount(engine: Engine, folder: Path) -> Page:
    """The page as an ASGI application; ``folder`` is for its uploads."""
    settings = engine.settings
    prepare(settings.host, folder)
    import gradio as gr
    import gradio.queueing
    import gradio.routes
    from fastapi import FastAPI, Request
    from jinja2 import ChoiceLoader, DictLoader
    from starlette.routing import Mount

    from adain.demo import app, files, mcp_tools

    for module in (gradio.routes, gradio.queueing):
        vars(module)["traceback"] = SimpleNamespace(print_exc=_log_failure)
    # Its own `head` is put in by its script, after browsers have asked for /favicon.ico, which a
    # proxy of a path below does not know.
    templates = gradio.routes.templates.env
    loader = templates.loader
    assert loader is not None
    html, *_ = loader.get_source(templates, TEMPLATE)
    html = html.replace("</head>", f"{files.HEAD}</head>", 1)
    templates.loader = ChoiceLoader([DictLoader({TEMPLATE: html}), loader])
    page = app.build(engine)
    # Unless it was launched by itself, Gradio reads any file that a request names.
    page.has_launched = True
    # Its own queue is for events that report their progress; the engine's bounds the rest.
    page._queue.max_size = max(1, settings.queue)
    # Gradio looks a thousand times a second whether there is any, which takes a twelfth of a core.
    page._queue.sleep_when_free = LOOK
    if settings.mcp:
        with page:
            mcp_tools.offer(engine)
    served = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    served.mount(files.PATH, files.Static())
    mounted = gr.mount_gradio_app(
        served,
        page,
        path="/",
        server_name=settings.host,
        server_port=settings.port,
        auth=list(settings.users) or None,
        max_file_size=settings.max_upload,
        show_error=False,
        mcp_server=settings.mcp,
        **app.launch_options(),
    )
    gradio_app: Any = next(
        route.app for route in mounted.routes if isinstance(route, Mount) and not route.path
    )
    if page.mcp_server_obj:
        # Where it calls itself; else at the host that a request names, whichever that is.
        page.mcp_server_obj._local_url = settings.address
        page.mcp_server_obj.tool_to_endpoint = mcp_tools.TOOLS

    def has_events(scope: Scope) -> bool:
        """Whether Gradio knows the stream that is asked for; else it would fail in the middle."""
        path, query = scope["path"], parse_qs(scope["query_string"].decode("latin-1"))
        queue = page._queue
        if path.endswith("/queue/data"):
            return query.get("session_hash", [""])[0] in queue.pending_messages_per_session
        if "/call/" in path:
            event = path.rpartition("/")[2]
            pending = queue.pending_event_ids_session.values()
            return event in queue.event_ids_to_events or any(event in ids for ids in pending)
        return True

    def user(scope: Scope) -> str | None:
        """Who has signed in by Gradio's form, as it knows by its own cookies."""
        cookies = Request(scope).cookies
        names = (
            f"access-token-{gradio_app.cookie_id}",
            f"access-token-unsecure-{gradio_app.cookie_id}",
        )
        return next(
            (gradio_app.tokens[c] for n in names if (c := cookies.get(n)) in gradio_app.tokens),
            None,
        )

    return Page(mounted, has_events, user, lambda: mounted.router.lifespan_context(mounted))
