"""Named endpoints of Gradio, `/stylize` and `/paint`: the page's tabs for `gradio_client`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from adain import AdaINError, weights
from adain.demo import looks, painted, pictures
from adain.demo.looks import Look
from adain.errors import found_error
from adain.images.picture import Picture
from adain.server.brush import BRUSHES
from adain.server.engine import Engine

# Under masks a pixel of a result takes some two kilobytes, 2 GB at the largest of these sides.
PAINT_SIZES = ("512", "768", "1024")


def offer(engine: Engine) -> None:
    """Add the endpoints to the page that is being built, with nothing to see."""
    models = weights.available_models()
    content = pictures.hidden_input("Content", pictures.original_path)
    styles = [
        pictures.hidden_input(f"Style {number}", pictures.original_path) for number in (1, 2, 3)
    ]
    strength = gr.Slider(0, 1, 1, label="Strength", visible=False)
    painting = gr.Textbox(label="Map", visible=False)
    look = [
        gr.Radio(models, value=models[0], label="Model", visible=False),
        gr.Checkbox(False, label="Keep the content's colours", visible=False),
        gr.Slider(*BRUSHES, 1, label="Brush size", visible=False),
        gr.Dropdown(list(looks.SIZES), value=looks.SIZE, label="Longest side", visible=False),
    ]
    result = gr.Image(visible=False, format="png", type="pil", label="Result")

    def answer(make: Callable[[], Picture], *paths: str | None) -> Any:
        try:
            return engine.queue.run(lambda: make().to_pil())
        except AdaINError as error:
            raise gr.Error(pictures.sentence_of(error, *paths), print_exception=False) from None

    def stylize(content: str | None, style: str | None, strength: float, *look: Any) -> Any:
        def make() -> Picture:
            paths = _required(content, "content"), _required(style, "style")
            chosen = Look(strength, *look)
            return looks.stylize(engine, paths[0], [paths[1]], chosen)

        return answer(make, content, style)

    def paint(content: str | None, painting: str, *values: Any) -> Any:
        styles, look = values[: len(painted.LAYERS)], values[len(painted.LAYERS) :]

        def make() -> Picture:
            path, chosen = _required(content, "content"), Look(1.0, *look)
            if chosen.size not in PAINT_SIZES:
                raise found_error("size", repr(chosen.size), ", ".join(PAINT_SIZES))
            pairs = zip(styles, painted.masks_of(painting), strict=True)
            # Where the paint is of a style that is not there, the content stays.
            used = [(Path(style), mask) for style, mask in pairs if style and mask.any()]
            if not used:
                return engine.picture(path, chosen.max_side)
            sources, masks = zip(*used, strict=True)
            return looks.stylize(engine, path, sources, chosen, masks=masks)

        return answer(make, content, *styles)

    # Not by Gradio's own queue: the engine has one.
    event = gr.Button(visible=False).click
    event(
        stylize,
        [content, styles[0], strength, *look],
        result,
        queue=False,
        api_name="stylize",
        api_description="The content in the manner of the style, as a PNG.",
    )
    event(
        paint,
        [content, painting, *styles, *look],
        result,
        queue=False,
        api_name="paint",
        api_description="The content with up to three styles where a map paints them, as a PNG. "
        f"The map is {painted.TYPE}...: red, green and blue are the strengths of styles 1 to 3.",
    )


def _required(path: str | None, what: str) -> Path:
    """The path of a picture; AdaINError where none was sent."""
    if not path:
        raise AdaINError(f"Choose a {what} picture.")
    return Path(path)
