"""The page: its tabs, its theme, and what keeps it on this machine."""

from __future__ import annotations

from typing import Any

import gradio as gr

from adain.demo import endpoints
from adain.demo.studio import EMBED, GATYS, studio
from adain.demo.tabs.embed import embed_tab
from adain.demo.tabs.gatys import gatys_tab
from adain.server.engine import Engine

TITLE = "Arbitrary style transfer"
HEADING = f"""<div class="page-heading"><h1>{TITLE}</h1>
<p>Your photo, in the manner of any picture.</p></div>"""
SYSTEM_FONTS = ("system-ui", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif")
SYSTEM_MONO = ("ui-monospace", "Consolas", "Menlo", "monospace")


def build(engine: Engine) -> gr.Blocks:
    """The page; a photo and a style are chosen."""
    # Gradio looks every five minutes for files that nobody has asked for lately.
    old = (min(300, int(engine.settings.keep)), int(engine.settings.keep))
    panels = [GATYS] * engine.settings.offers_gatys + [EMBED]
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=old) as page:
        gr.HTML(HEADING)
        studio(engine, panels)
        if GATYS in panels:
            with gr.Column(elem_id=f"panel-{GATYS}"):
                gatys_tab(engine)
        with gr.Column(elem_id=f"panel-{EMBED}"):
            embed_tab(engine.settings, page.load)
        endpoints.offer(engine)
    return page  # type: ignore[no-any-return]


def theme() -> gr.themes.Base:
    """Paper and ink by day, a dim studio by night; one accent, and the system's own fonts."""
    return gr.themes.Base(
        primary_hue="orange",
        secondary_hue="stone",
        neutral_hue="stone",
        radius_size="lg",
        font=SYSTEM_FONTS,
        font_mono=SYSTEM_MONO,
    ).set(
        body_background_fill="#f7f5f1",
        body_background_fill_dark="#171513",
        block_border_width="1px",
        block_shadow="none",
        block_label_background_fill="*background_fill_primary",
        button_primary_background_fill="#b4430f",
        button_primary_background_fill_dark="#b4430f",
        button_primary_background_fill_hover="#973608",
        button_primary_background_fill_hover_dark="#973608",
        button_primary_text_color="#ffffff",
        slider_color="#b4430f",
        slider_color_dark="#f08a4b",
        color_accent="#b4430f",
        link_text_color="#9a3a0c",
        link_text_color_dark="#f5a878",
    )


def launch_options() -> dict[str, Any]:
    """What mounting the page needs to keep it on this machine: no link, font, script or record."""
    return {
        "theme": theme(),
        "ssr_mode": False,
        "run_history": False,
        "enable_monitoring": False,
        "footer_links": [],
    }
