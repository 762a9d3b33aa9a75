"""The server process: binds the port, answers at once, loads what it serves, ends at a signal."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import warnings
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from adain import AdaINError, weights
from adain.registry import DEFAULT_MODEL
from adain.server import logs, routes
from adain.server.engine import Engine
from adain.server.inference import rpc
from adain.server.metrics import Metrics
from adain.server.middleware import Middleware, Page
from adain.server.settings import Settings
from adain.server.style_store import Styles
from adain.server.uploads import Uploads, temporary_folder
from adain.server.uvicorn_server import Server, serve
from adain.server.video.jobs import Videos

PORTS = 20  # that are tried where nobody has named one
KEPT_UPLOADS = 100  # as many of the largest as may lie in the folder of uploads

MakePage = Callable[[Engine, Path], Page]


def launch(settings: Settings, page: MakePage | None = None) -> None:
    """Serve until SIGINT or SIGTERM; AdaINError where the port cannot be had or no model is here.

    ``page`` makes the page that is served beside the service, from an engine and the folder for
    uploads.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    logs.set_up(settings.log_format, settings.access_log)
    # What Pillow has to say of a broken upload is told to its sender.
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module="PIL")
    if settings.grpc_port is not None:
        rpc.check_installed()
    with (
        bind_socket(settings.host, settings.port) as listener,
        temporary_folder() as folder,
        temporary_folder() as videos,
        ExitStack() as ends,
    ):
        server = assemble(settings, page, folder, videos, ends)
        serve(server, listener)
    if server.error is not None:
        raise server.error
    if not server.loaded:
        os._exit(0)  # a thread still loads
    if server.unfinished:
        log = logging.getLogger(__name__)
        log.warning("stopped after %g s, with requests unfinished", settings.drain)
        # Python would wait for the threads that still compute.
        sys.stderr.flush()
        os._exit(0)


def assemble(
    settings: Settings, page: MakePage | None, folder: Path, videos: Path, ends: ExitStack
) -> Server:
    """The server of the service and perhaps a page; ``folder`` is for uploads of the page, and
    ``videos`` for those that are stylized, which nobody may ask for by their paths.

    ``ends`` gets what is to be stopped after it.
    """
    engine = Engine(settings)
    middleware = build_middleware(engine, folder, videos)

    def load() -> None:
        warm_up(engine)
        middleware.page = page(engine, folder) if page is not None else None
        middleware.uploads.keep_what_is_here()
        if settings.grpc_port is not None:
            ends.callback(rpc.start(engine, middleware.metrics))

    return Server(middleware, engine, load)


def build_middleware(
    engine: Engine, folder: Path, videos: Path, styles: Styles | None = None
) -> Middleware:
    """The middleware, and behind it the service of an engine; folders as `assemble` has them.

    ``styles`` is the cache of encoded styles, by default one of this process.
    """
    settings, jobs = engine.settings, Videos(engine, videos)
    metrics = Metrics(engine, jobs)
    uploads = Uploads(folder, settings.keep, KEPT_UPLOADS * settings.max_upload)
    rest = routes.build(engine, metrics, jobs, styles)
    return Middleware(settings, uploads, metrics, rest, jobs)


def warm_up(engine: Engine) -> None:
    """Start the decoding processes and load a model; AdaINError where there is none to serve."""
    engine.start()
    engine.stylizer((weights.available_models() or [DEFAULT_MODEL])[0])


def bind_socket(host: str, port: int) -> socket.socket:
    """A socket bound to the port; in one line where it cannot be had."""
    listener = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        if os.name == "posix":  # elsewhere it lets two programs have one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # Else two of us, bound and not listening yet, could have the same port.
        listener.listen(1)
    except OSError as error:
        if listener is not None:
            listener.close()
        reason = error.strerror or str(error)
        raise AdaINError(
            f"cannot listen on {host}:{port} ({reason}); choose another --port or --host"
        ) from None
    return listener


def free_port(host: str, first: int) -> int:
    """The first port from ``first`` on that nobody listens on; AdaINError where none is found."""
    for port in range(first, first + PORTS - 1):
        with suppress(AdaINError):
            bind_socket(host, port).close()
            return port
    bind_socket(host, first + PORTS - 1).close()
    return first + PORTS - 1
