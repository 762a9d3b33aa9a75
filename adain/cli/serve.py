"""``adain serve``: the HTTP service, without the page."""

from importlib.util import find_spec
from typing import Any

import click

from adain.cli.folder import refused
from adain.cli.parameters import engine_options
from adain.cli.server_options import server_options, settings_of
from adain.errors import AdaINError, found_error

# What the service needs beside the library, by the name of its module.
NEEDED = {
    "fastapi": "FastAPI",
    "python_multipart": "python-multipart",
    "prometheus_client": "prometheus-client",
    "uvicorn": "uvicorn",
}


@click.command(context_settings={"auto_envvar_prefix": "ADAIN_SERVE"})
@server_options
@engine_options("One process here, or replicas on a Ray cluster, by their load.")
@click.option(
    "--replicas",
    metavar="LEAST-MOST",
    help="Of the service on the cluster, such as 1-4.",
)
@click.option(
    "--replica-gpus",
    type=float,
    help="GPUs of each replica, 0.5 for half of one. [default: 0, the CPU]",
)
def serve(
    engine: str,
    address: str | None,
    replicas: str | None,
    replica_gpus: float | None,
    **options: Any,
) -> None:
    """Serve arbitrary style transfer over HTTP (see /v1/docs), without the page of `adain demo`."""
    settings = settings_of(options)
    about_ray = {"--address": address, "--replicas": replicas, "--replica-gpus": replica_gpus}
    if engine == "local":
        refused("the engine local", "the engine ray", about_ray)
    else:
        refused("the engine ray", "the engine local", {"--grpc-port": settings.grpc_port})
    least, most = _range(replicas or "1-4")
    for module, package in NEEDED.items():
        if find_spec(module) is None:
            raise AdaINError(f"the service needs {package}: pip install 'adain[server]'")
    if engine == "ray":
        from adain.server import ray_serve

        wanted = ray_serve.Replicas(least, most, gpus=replica_gpus or 0.0)
        ray_serve.launch(settings, wanted, address)
        return
    from adain.server.launch import launch

    launch(settings)


def _range(text: str) -> tuple[int, int]:
    """Two numbers as "1-4", or one for both."""
    first, _, last = text.partition("-")
    if first.isdecimal() and (last or first).isdecimal() and 1 <= int(first) <= int(last or first):
        return int(first), int(last or first)
    raise found_error("--replicas", repr(text), "a number, or two such as 1-4")
