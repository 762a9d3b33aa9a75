"""``adain serve``: the HTTP service, without the page."""

from importlib.util import find_spec

import click

from adain.cli.server_options import server_options
from adain.errors import AdaINError
from adain.server.settings import Settings

# What the service needs beside the library, by the name of its module.
NEEDED = {
    "fastapi": "FastAPI",
    "python_multipart": "python-multipart",
    "prometheus_client": "prometheus-client",
    "uvicorn": "uvicorn",
}


@click.command()
@server_options
def serve(**options: object) -> None:
    """Serve arbitrary style transfer over HTTP (see /v1/docs), without the page of `adain demo`."""
    settings = Settings(**options)  # type: ignore[arg-type]
    for module, package in NEEDED.items():
        if find_spec(module) is None:
            raise AdaINError(f"the service needs {package}: pip install 'adain[server]'")
    from adain.server.launch import launch

    launch(settings)
