"""The page's single-page application: its template, and what the server tells it of itself.

The modules of `web/` run in the browser and ask the REST service, as any other program would.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Any

import gradio as gr
from PIL import Image

from adain import weights
from adain.demo import files
from adain.drawings import catalog
from adain.drawings.photographs import Photograph
from adain.errors import MissingError
from adain.registry import BUILT_IN, TRAINED
from adain.server.engine import Engine
from adain.server.service import MASKED_PIXELS
from adain.server.settings import Settings
from adain.server.video.job import check_offered

VIDEO = "video"
# Those of the template, and those that are Gradio's columns below it.
TABS = {
    "style": "Style",
    "mix": "Mix",
    "paint": "Paint",
    "sheet": "All styles",
    "many": "Many photos",
    VIDEO: "Video",
    "live": "Live",
}
GATYS, EMBED = "gatys", "embed"
PANELS = {GATYS: "Compare with Gatys", EMBED: "For developers"}
# What people choose by, where a model is known.
TITLES = {"fast": "Quick", "vgg19": "Best quality", "paper": "The paper's"}


def studio(engine: Engine, panels: Iterable[str]) -> gr.HTML:
    """The application in the current page; ``panels`` are the tabs of PANELS that there are."""
    titles = {**TABS, **{name: PANELS[name] for name in panels}}
    if not offers_video(engine.settings):
        del titles[VIDEO]
    buttons = "".join(
        f'<button type="button" role="tab" id="tab-{name}" aria-controls="{_panel(name)}">'
        f"{html.escape(title)}</button>"
        for name, title in titles.items()
    )
    return gr.HTML(
        None,
        html_template=files.text("studio.html").replace("@tabs", buttons),
        js_on_load=files.starting("studio.js"),
        apply_default_css=False,
        elem_id="studio",
        config=config(engine, list(titles)),
    )


def config(engine: Engine, tabs: list[str]) -> dict[str, Any]:
    """What the application is told; the lists are in the order in which they are shown."""
    models = weights.available_models()
    absent = [row for name in TRAINED if (row := BUILT_IN[name]).name not in models]
    said = [(name, weights.about(name).about, True) for name in models]
    said += [(row.name, f"Not installed: {row.get}", False) for row in absent]
    return {
        "tabs": tabs,
        "panels": [name for name in tabs if name in PANELS],
        "photos": [_about(name, content) for name, content in catalog.CONTENTS.items()],
        "styles": [_about(name, catalog.STYLES[name]) for name in style_names()],
        "pairs": [
            {
                "photo": pair.content,
                "style": pair.style,
                "strength": round(100 * pair.strength),
                "model": pair.model,
            }
            for pair in catalog.PAIRS
        ],
        "models": [
            {"name": name, "title": TITLES.get(name, name), "about": about, "here": here}
            for name, about, here in said
        ],
        "max_upload": engine.settings.max_upload,
        "max_masked": MASKED_PIXELS,
        "max_video": engine.settings.max_video,
        "max_video_seconds": engine.settings.max_video_seconds,
    }


def offers_video(settings: Settings) -> bool:
    """Whether the server makes videos."""
    try:
        check_offered(settings)
    except MissingError:
        return False
    return True


def style_names() -> list[str]:
    """The styles in the order of the page: what it opens with is to be seen, so it is the first."""
    shown = dict.fromkeys(pair.style for pair in catalog.PAIRS)
    return [*shown, *(name for name in catalog.STYLES if name not in shown)]


def _panel(tab: str) -> str:
    return f"panel-{tab if tab in PANELS else 'studio'}"


def _about(name: str, offered: catalog.Drawing | Photograph) -> dict[str, Any]:
    """A picture that is offered; with its size where it is there and has not yet to be drawn."""
    about: dict[str, Any] = {
        "name": name,
        "title": offered.title,
        "description": offered.description,
        "credit": offered.credit,
    }
    if isinstance(offered, Photograph):
        with Image.open(offered.path) as picture:
            about |= {"width": picture.width, "height": picture.height}
    return about
