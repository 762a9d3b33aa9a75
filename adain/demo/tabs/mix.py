"""The tab that mixes styles: what lies between two to four of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from adain import AdaINError
from adain.demo import looks, widgets
from adain.demo.looks import Look, Made
from adain.demo.widgets import EVENT
from adain.drawings import catalog
from adain.server.engine import Engine

SLOTS = 4


def mix_tab(engine: Engine, start: Callable[..., Any]) -> None:
    """Build the tab in the current page; ``start`` is the event that asks for the first result."""
    contents, styles = list(catalog.CONTENTS), list(catalog.STYLES)
    places: list[gr.Image] = []
    weights: list[gr.Slider] = []
    with gr.Row(elem_classes="tab"):
        with gr.Column(scale=5, min_width=320):
            content = widgets.picture_input(
                "Content", widgets.served(contents[-1]), "mix-content", 180
            )
            offered_contents = widgets.gallery(
                "Contents to mix for", contents, content, "mix-contents"
            )
            for row in range(0, SLOTS, 2):
                with gr.Row():
                    for slot in (row, row + 1):
                        place, weight = style_slot(slot + 1, styles[slot] if slot < 2 else None)
                        places.append(place)
                        weights.append(weight)
            target = gr.Radio(
                [f"Style {slot + 1}" for slot in range(SLOTS)],
                value="Style 3",
                label="A click on a style below goes to",
                elem_id="mix-target",
            )
            # The gallery fills the place that the radio names.
            offered = widgets.gallery("Styles to mix", styles, places[-1], "mix-styles")
        with gr.Column(scale=7, min_width=320):
            result = widgets.before_after("mix-result")
            strength = gr.Slider(0, 1, 1, step=0.01, label="Strength", elem_id="mix-strength")
            caption = widgets.caption("mix-caption")
            look = [strength, *widgets.look_inputs("mix")]
            inputs = [content, *places, *weights, *look]
            widgets.downloads(engine, make(engine), inputs, "mix-download")

    def answer(*values: Any) -> widgets.Answer:
        alt = "The content in the mixture of the styles"
        return widgets.answer(engine, lambda: make(engine)(*values), alt, *values[: 1 + SLOTS])

    event: dict[str, Any] = {"fn": answer, "inputs": inputs, "outputs": [result, caption], **EVENT}
    pictures = [content, *places]
    touched = [*(picture.input for picture in pictures), *(p.clear for p in places)]
    touched += [part.change for part in (*weights, *look)]
    gr.on(touched, **event)
    offered_contents.select(widgets.served, offered_contents, content, **EVENT).then(**event)

    def put(name: str, target: str, *current: str | None) -> list[str | None]:
        # The others are handed back as they are: an update that leaves a picture out would have
        # Gradio make its place anew, without our way of reading what is put there.
        chosen = target.split()[-1]
        return [
            widgets.served(name) if str(number) == chosen else path
            for number, path in enumerate(current, 1)
        ]

    offered.select(put, [offered, target, *places], places, **EVENT).then(**event)
    start(**event)


def style_slot(number: int, drawing: str | None) -> tuple[gr.Image, gr.Slider]:
    """A place for a style, and its share of the mixture."""
    with gr.Column(min_width=140):
        value = widgets.served(drawing) if drawing else None
        place = widgets.picture_input(f"Style {number}", value, f"mix-{number}", 130)
        share = gr.Slider(
            0, 1, 0.5, step=0.01, label=f"Share of style {number}", elem_id=f"share-{number}"
        )
    return place, share


def make(engine: Engine) -> Callable[..., Made]:
    """A function of the tab's inputs: the content as it was used, and the result."""

    def made(content: str | None, *values: Any) -> Made:
        path = widgets.require(content, "content")
        styles, weights, look = (
            values[:SLOTS],
            values[SLOTS : 2 * SLOTS],
            Look(*values[2 * SLOTS :]),
        )
        used = [pair for pair in zip(styles, weights, strict=True) if pair[0]]
        if len(used) < 2:
            raise AdaINError(f"styles: found {len(used)}, allowed: 2 to {SLOTS}; choose another")
        chosen = [widgets.require(style, "style") for style, _ in used]
        shares = [weight for _, weight in used]
        return looks.stylize(engine, path, chosen, look, weights=shares)

    return made
