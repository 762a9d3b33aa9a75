"""Static files of the page, `web/`: scripts, styles and templates, as they are served and used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.staticfiles import StaticFiles

WEB = Path(__file__).parent / "web"
PATH = "/web"


class Static(StaticFiles):
    """Files that browsers ask for anew each time, and are told where nothing has changed."""

    def __init__(self) -> None:
        super().__init__(directory=WEB)

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


def text(name: str) -> str:
    """A file's text."""
    return (WEB / name).read_text(encoding="utf-8")


def starting(module: str) -> str:
    """The script of a `gr.HTML` that hands it to ``mount`` of a module."""
    # The page may lie below the path of a proxy, with or without a slash at its end.
    return f"""\
const root = new URL(`${{window.gradio_config?.root || "."}}/`, document.baseURI);
import(new URL("{PATH[1:]}/{module}", root)).then((module) =>
  module.mount(element, {{ props, upload }}),
);"""


_LINKS = [
    # Else browsers ask for /favicon.ico, which a proxy of a path below does not know.
    ("icon", "icon.svg"),
    ("stylesheet", "studio.css"),
    *(("modulepreload", path.name) for path in sorted(WEB.glob("*.js"))),
]
HEAD = "".join(f'<link rel="{rel}" href=".{PATH}/{name}">' for rel, name in _LINKS)
