"""``adain serve``: the HTTP service, without the page."""

from importlib.util import find_spec
from typing import Any

import click

from adain.cli.server_options import server_options, settings_of
from adain.errors import AdaINError

# What the service needs beside the library, by the name of its module.
NEEDED = {
    "fastapi": "FastAPI",
    "python_multipart": "python-multipart",
    "prometheus_client": "prometheus-client",
    "uvicorn": "uvicorn",
}


@click.command(context_settings={"auto_envvar_prefix": "ADAIN_SERVE"})
@server_options
def serve(**options: Any) -> None:
    """Serve arbitrary style transfer over HTTP (see /v1/docs), without the page of `adain demo`."""
    settings = settings_of(options)
    for module, package in NEEDED.items():
        if find_spec(module) is None:
            raise AdaINError(f"the service needs {package}: pip install 'adain[server]'")
    from adain.server.launch import launch

    launch(settings)
