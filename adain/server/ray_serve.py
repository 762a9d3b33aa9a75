"""Ray Serve: replicas of the service on the machines of a cluster, by their load.

Serve's proxies take the requests, and hand each to a replica, which is the service as `adain serve`
runs it: the same middleware, limits and queue. Styles that clients encoded are kept by one
deployment for all replicas, since the next request may go to any of them.
"""

from __future__ import annotations

import signal
import tempfile
import threading
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from adain import AdaINError, Style
from adain.batch.ray_engine import connect
from adain.errors import MissingError, found_error
from adain.server import logs
from adain.server.asgi import CLIENT, App
from adain.server.engine import Engine
from adain.server.launch import build_middleware, warm_up
from adain.server.settings import Settings
from adain.server.style_store import StyleStore

NAME = "adain"
# Where these are, and how they are stopped, is Serve's own: `http_options`.
NOT_OURS = ("host", "port", "drain", "grpc_port")
# For an answer about a style, which takes a message to and fro.
PATIENCE = 30.0


@dataclass(frozen=True)
class Replicas:
    """How many replicas there are, by load between two numbers, and what each asks Ray for.

    ``requests`` that are under way in each, waiting ones included, are what Serve aims at. ``cpus``
    are the threads of a replica's networks as well, ``gpus`` may be a share of one.
    """

    least: int = 1
    most: int = 4
    requests: float = 4.0
    cpus: int = 1
    gpus: float = 0.0


@dataclass(frozen=True)
class _Given:
    replicas: Replicas = field(default_factory=Replicas)
    settings: Settings = field(default_factory=Settings)


def build(args: Mapping[str, Any]) -> Any:
    """The application that ``serve run adain.server.ray_serve:build`` and ``serve deploy`` take.

    ``args`` are fields of `Settings`, but for the address, which is Serve's, and of ``replicas``.
    """
    about = {name: value for name, value in args.items() if name != "replicas"}
    replicas = dict(args.get("replicas") or {})
    _check_names(about, {each.name for each in fields(Settings)} - {*NOT_OURS})
    _check_names(replicas, {each.name for each in fields(Replicas)})
    try:
        given = TypeAdapter(_Given).validate_python({"replicas": replicas, "settings": about})
    except ValidationError as error:
        first = error.errors()[0]
        raise found_error(str(first["loc"][-1]), repr(first["input"]), first["msg"]) from None
    return application(given.settings, given.replicas)


def _check_names(given: Mapping[str, Any], allowed: AbstractSet[str]) -> None:
    for name in given:
        if name not in allowed:
            raise found_error("args", repr(name), ", ".join(sorted(allowed)))


def application(settings: Settings, replicas: Replicas) -> Any:
    """The deployments of the service, for `serve.run`; MissingError where Ray is not installed."""
    try:
        from ray import serve
    except ImportError:
        raise MissingError("the engine ray needs Ray: pip install 'adain[ray,server]'") from None
    service = serve.deployment(
        name="service",
        ray_actor_options={"num_cpus": replicas.cpus, "num_gpus": replicas.gpus},
        autoscaling_config={
            "min_replicas": replicas.least,
            "max_replicas": replicas.most,
            "target_ongoing_requests": replicas.requests,
        },
        # What is beyond a replica's own queue, which has its own answer to it, waits for another.
        max_ongoing_requests=settings.workers + settings.queue + 16,
        health_check_period_s=10,
        graceful_shutdown_timeout_s=settings.drain,
        logging_config={"enable_access_log": False},
    )(serve.ingress()(_Service))
    styles = serve.deployment(
        name="styles",
        num_replicas=1,
        max_ongoing_requests=1000,
        ray_actor_options={"num_cpus": 0},
        logging_config={"enable_access_log": False},
    )(_Styles)
    return service.bind(settings, replicas, styles.bind(settings.keep))


class _Styles:
    """The styles of all replicas."""

    def __init__(self, keep: float) -> None:
        self._store = StyleStore(keep)

    def add(self, style: Style, client: str) -> tuple[str, float]:
        CLIENT.set(client)
        return self._store.add(style)

    def check_room(self, client: str) -> None:
        CLIENT.set(client)
        self._store.check_room()

    def get(self, name: str) -> Style | None:
        return self._store.get(name)


class SharedStyles:
    """A `StyleStore` that is another process's; from threads, not from an event loop."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def add(self, style: Style) -> tuple[str, float]:
        name, expires = self._ask("add", style, CLIENT.get(""))
        return name, expires

    def check_room(self) -> None:
        self._ask("check_room", CLIENT.get(""))

    def get(self, name: str) -> Style | None:
        found: Style | None = self._ask("get", name)
        return found

    def _ask(self, method: str, *arguments: Any) -> Any:
        from ray.exceptions import RayTaskError

        try:
            return getattr(self._handle, method).remote(*arguments).result(timeout_s=PATIENCE)
        except RayTaskError as error:
            # As it was raised there: BusyError is an answer.
            raise error.cause from None


class _Service:
    """A replica: what `adain serve` is in a process of its own, without the socket."""

    def __init__(self, settings: Settings, replicas: Replicas, styles: Any) -> None:
        # Whoever asks how far a video is may come to another replica.
        settings = replace(settings, video=False)
        logs.set_up(settings.log_format, settings.access_log)
        device = "auto" if replicas.gpus else "cpu"
        self._engine = Engine(settings, device, threads=replicas.cpus)
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        self._middleware = build_middleware(self._engine, folder, folder, SharedStyles(styles))
        warm_up(self._engine)
        self._middleware.loaded.set()

    def __serve_build_asgi_app__(self) -> App:
        return self._middleware

    def check_health(self) -> None:
        """Raise where the replica is to be replaced: its device or its queue is gone."""
        if not self._engine.ready:
            raise RuntimeError("it takes no pictures")

    def __del__(self) -> None:
        self._engine.close(self._engine.settings.drain)
        self._folder.cleanup()


def launch(settings: Settings, replicas: Replicas, address: str | None) -> None:
    """Serve on a cluster until SIGINT or SIGTERM; AdaINError where no cluster answers."""
    connect(address)
    from ray import serve
    from ray.exceptions import RayError

    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    try:
        serve.start(http_options={"host": settings.host, "port": settings.port})
        serve.run(application(settings, replicas), name=NAME)
        print(f"Running on {settings.address} (Ctrl+C stops it)", flush=True)
        over.wait()
    except (RayError, RuntimeError) as error:
        lines = [type(error).__name__, *filter(str.strip, str(error).splitlines())]
        raise AdaINError(f"ray: {lines[-1].strip()}") from None
    finally:
        serve.delete(NAME)
