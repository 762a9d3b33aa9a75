"""`python -m demo`: serve the page and the REST service until SIGINT or SIGTERM."""

from __future__ import annotations

import logging
import math
import os
import re
import signal
import socket
import sys
import tempfile
import warnings
from importlib.util import find_spec
from pathlib import Path

import click

from adain import AdaINError, weights
from adain.cli import run
from demo.engine import Engine
from demo.settings import Settings

# What the demo needs beside the library, by the name of its module.
NEEDED = {"gradio": "Gradio", "prometheus_client": "prometheus-client"}


class Amount(click.ParamType[int]):
    """A whole number with a unit: 20MB, 40M."""

    def __init__(self, name: str, units: dict[str, int], example: str) -> None:
        self.name = name
        self._units = units
        self._example = example

    def convert(
        self, value: object, param: click.Parameter | None, context: click.Context | None
    ) -> int:
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)\s*([a-z]*)", str(value).strip().lower())
        unit = self._units.get(found[2], 0) if found is not None else 0
        amount = int(float(found[1]) * unit) if found is not None else 0
        if not 1 <= amount <= 10**12:
            self.fail(f"found {value!r}; allowed are amounts like {self._example}")
        return amount


BYTES = Amount("SIZE", {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9}, "500kB or 20MB")
PIXELS = Amount("PIXELS", {"": 1, "k": 10**3, "m": 10**6}, "500k or 40M")


class Seconds(click.FloatRange):
    """A time that is a number."""

    def convert(
        self, value: object, param: click.Parameter | None, context: click.Context | None
    ) -> float:
        seconds = float(super().convert(value, param, context))
        if math.isnan(seconds):
            self.fail(f"{value!r} is no time")
        return seconds


class NameAndPassword(click.ParamType[tuple[str, str]]):
    """USER:PASSWORD."""

    name = "USER:PASSWORD"

    def convert(
        self, value: object, param: click.Parameter | None, context: click.Context | None
    ) -> tuple[str, str]:
        user, colon, password = str(value).partition(":")
        if not (
            user.strip() == user and user and colon and password.strip() == password and password
        ):
            self.fail("allowed is a name, a colon and a password, neither empty")
        return user, password


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=7860, show_default=True)
@click.option("--auth", type=NameAndPassword(), help="Ask for this name and password.")
@click.option(
    "--max-upload", type=BYTES, default="20MB", show_default=True, help="The largest file taken."
)
@click.option(
    "--max-pixels", type=PIXELS, default="40M", show_default=True, help="The largest picture taken."
)
@click.option(
    "--queue",
    type=click.IntRange(0, 10_000),
    default=32,
    show_default=True,
    help="Requests that may wait; more are told to come back.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Pictures computed at a time.",
)
@click.option(
    "--timeout",
    type=Seconds(1, 86_400),
    default=60,
    show_default=True,
    help="Seconds in which a request must arrive, and again in which it is answered.",
)
@click.option("--mcp", is_flag=True, help="Offer two tools by the Model Context Protocol.")
def serve(**options: object) -> None:
    """Try arbitrary style transfer in a browser, or over HTTP (see /v1/docs)."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    logging.basicConfig(format="%(levelname)s: %(message)s")
    # What Pillow has to say of a broken upload is told to its sender.
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module="PIL")
    settings = Settings(**options)  # type: ignore[arg-type]
    for module, package in NEEDED.items():
        if find_spec(module) is None:
            raise AdaINError(f"the demo needs {package}: pip install 'adain[demo]'")
    if settings.mcp and find_spec("mcp") is None:
        raise AdaINError("--mcp needs one package more: pip install 'gradio[mcp]'")
    listener = claim(settings.host, settings.port)
    with (
        listener,
        tempfile.TemporaryDirectory(prefix="adain-demo-", ignore_cleanup_errors=True) as kept,
    ):
        show(settings, listener, Path(kept))


def claim(host: str, port: int) -> socket.socket:
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


def show(settings: Settings, listener: socket.socket, folder: Path) -> None:
    """Serve the page, from uploads kept in a folder, and the service until a signal comes."""
    # Gradio reads all of these when it is imported or launched. It asks its own server whether it
    # is up by way of any proxy the environment names, and would not reach it.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(
            filter(None, (os.environ.get(name), "127.0.0.1,localhost", settings.host))
        )

    from demo import app, server

    engine = Engine(settings)
    # Loaded before the first visit; without a model there is nothing to show.
    engine.stylizer((weights.available_models() or ["fast"])[0])
    gate = server.assemble(
        engine, app.build(engine), app.launch_options(), folder, settings.address
    )
    server.serve(server.Server(gate, engine, settings.address), listener)


if __name__ == "__main__":
    sys.exit(run(serve))
