"""The tab that everyone meets: a picture, a style, and a strength to drag."""

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


def stylize_tab(engine: Engine, start: Callable[..., Any]) -> None:
    """Build the tab in the current page; ``start`` is the event that asks for the first result."""
    contents, styles = list(catalog.CONTENTS), list(catalog.STYLES)
    with gr.Row(elem_classes="tab"):
        with gr.Column(scale=5, min_width=320):
            with gr.Row():
                content = widgets.picture_input("Content", widgets.served(contents[0]), "content")
                style = widgets.picture_input("Style", widgets.served(styles[0]), "style")
            offered = [
                (widgets.gallery("Contents to try", contents, content, "contents"), content),
                (widgets.gallery("Styles to try", styles, style, "styles"), style),
            ]
        with gr.Column(scale=7, min_width=320):
            result = widgets.before_after("result")
            strength = gr.Slider(0, 1, 1, step=0.01, label="Strength", elem_id="strength")
            caption = widgets.caption("caption")
            inputs = [content, style, strength, *widgets.look_inputs("stylize")]
            widgets.downloads(engine, make(engine), inputs, "download")

    def answer(content: str | None, style: str | None, *look: Any) -> widgets.Answer:
        def made() -> Made:
            return make(engine)(content, style, *look)

        return widgets.answer(
            engine, made, "The content in the manner of the style", content, style
        )

    event: dict[str, Any] = {"fn": answer, "inputs": inputs, "outputs": [result, caption], **EVENT}
    # `input` of the pictures, since their `change` comes twice for every upload.
    touched = [content.input, style.input, *(part.change for part in inputs[2:])]
    gr.on(touched, **event)
    for gallery, place in offered:
        gallery.select(widgets.served, gallery, place, **EVENT).then(**event)
    start(**event)
    endpoint(engine, inputs)


def make(engine: Engine) -> Callable[..., Made]:
    """A function of the tab's inputs: the content as it was used, and the result."""

    def made(content: str | None, style: str | None, *look: Any) -> Made:
        paths = widgets.require(content, "content"), widgets.require(style, "style")
        chosen = Look(*look)
        return looks.stylize(engine, paths[0], [paths[1]], chosen)

    return made


def endpoint(engine: Engine, inputs: list[Any]) -> None:
    """`/stylize` for programs: the tab's inputs in, a PNG out."""
    result = gr.Image(visible=False, format="png", type="pil", label="Result")

    def stylize(content: str | None, style: str | None, *look: Any) -> Any:
        try:
            return engine.queue.run(lambda: make(engine)(content, style, *look).result.to_pil())
        except AdaINError as error:
            sentence = widgets.sentence_of(error, content, style)
            raise gr.Error(sentence, print_exception=False) from None

    gr.Button(visible=False).click(
        stylize,
        inputs,
        result,
        queue=False,
        api_name="stylize",
        api_description="The content in the manner of the style, as a PNG.",
    )
