"""``adain demo``: the page in a browser, and the HTTP service beside it."""

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from adain.cli.server_options import server_options, settings_of
from adain.errors import AdaINError

if TYPE_CHECKING:
    from adain.server.engine import Engine
    from adain.server.middleware import Page

# What the demo needs beside the library, by the name of its module.
NEEDED = {"gradio": "Gradio", "prometheus_client": "prometheus-client"}


@click.command(context_settings={"auto_envvar_prefix": "ADAIN_DEMO"})
@server_options
@click.option(
    "--gatys/--no-gatys",
    default=None,
    help="Offer the optimisation, which takes all of a machine; by default to this one alone.",
)
@click.option("--mcp", is_flag=True, help="Offer two tools by the Model Context Protocol.")
@click.pass_context
def demo(context: click.Context, /, **options: Any) -> None:
    """Try arbitrary style transfer in a browser, or over HTTP (see /v1/docs)."""
    settings = settings_of(options)
    for module, package in NEEDED.items():
        if find_spec(module) is None:
            raise AdaINError(f"the demo needs {package}: pip install 'adain[demo]'")
    if settings.mcp and find_spec("mcp") is None:
        raise AdaINError("--mcp needs one package more: pip install 'gradio[mcp]'")
    from adain.server.launch import free_port, launch

    if context.get_parameter_source("port") is ParameterSource.DEFAULT:
        port = free_port(settings.host, settings.port)
        if port != settings.port:
            click.echo(f"Port {settings.port} is in use: taking {port}.", err=True)
            settings = replace(settings, port=port)

    def page(engine: "Engine", folder: Path) -> "Page":
        # Gradio takes seconds to import, and reads its environment as it is imported.
        from adain.demo.mount import mount

        return mount(engine, folder)

    launch(settings, page)
