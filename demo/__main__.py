"""`python -m demo`: serve the page until SIGINT or SIGTERM."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import tempfile
import threading
from importlib.util import find_spec

import click

from adain import AdaINError
from adain.cli import run


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=7860, show_default=True)
def serve(host: str, port: int) -> None:
    """Try arbitrary style transfer in a browser."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    logging.basicConfig(format="%(levelname)s: %(message)s")
    if find_spec("gradio") is None:
        raise AdaINError("the demo needs Gradio: pip install 'adain[demo]'")
    claim(host, port)
    with tempfile.TemporaryDirectory(prefix="adain-demo-", ignore_cleanup_errors=True) as kept:
        show(host, port, kept, stop)


def claim(host: str, port: int) -> None:
    """Find out early, and in one line, that the port cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        reason = error.strerror or str(error)
        raise AdaINError(
            f"cannot listen on {host}:{port} ({reason}); choose another --port or --host"
        ) from None


def show(host: str, port: int, folder: str, stop: threading.Event) -> None:
    """Serve the page from uploads kept in a folder until `stop` is set."""
    # Gradio reads all of these when it is imported or launched. It asks its own server whether it
    # is up by way of any proxy the environment names, and would not reach it.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_TEMP_DIR"] = folder
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(
            filter(None, (os.environ.get(name), "127.0.0.1,localhost", host))
        )

    from demo.app import build, launch_options

    page = build()
    page.launch(
        server_name=host,
        server_port=port,
        prevent_thread_lock=True,
        quiet=True,
        inbrowser=False,
        **launch_options(),
    )
    print(f"Running on {page.local_url} (Ctrl+C stops it)", flush=True)
    stop.wait()
    page.close(verbose=False)


if __name__ == "__main__":
    sys.exit(run(serve))
