"""Two tools of the Model Context Protocol: functions of the page, with nothing to see."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
from gradio.data_classes import ImageData
from PIL import Image

from adain import AdaINError, weights
from adain.demo.pictures import hidden_input
from adain.drawings import catalog
from adain.options import STYLE_SIDE, StylizeOptions
from adain.server.engine import Engine

RESULT_SIDE = 1536  # pixels: results travel in base64
# The tools by name, and Gradio's names of their endpoints: `/stylize` is the tab's, for programs.
# By itself Gradio makes a tool of every endpoint, and calls the second of one name `stylize_1`.
TOOLS = {"stylize": "/mcp_stylize", "stylize_in": "/mcp_stylize_in"}


def offer(engine: Engine) -> None:
    """Add the functions to the page that is being built; `TOOLS` names them to its MCP server."""
    models = weights.available_models()

    def paint(given: str, style: Path, strength: float, model: str) -> Image.Image:
        if not given:
            raise gr.Error("content: found nothing; allowed: a data: URL", print_exception=False)
        content = Path(given)

        def work() -> Image.Image:
            picture = engine.picture(content, RESULT_SIDE)
            painted = engine.picture(style, STYLE_SIDE)
            options = StylizeOptions(alpha=strength)
            with engine.queue.computing():
                return engine.stylizer(model).stylize_with(picture, painted, options).to_pil()

        try:
            return engine.queue.run(work)
        except AdaINError as error:
            line = str(error).replace(str(content), "content").replace(str(style), "style")
            raise gr.Error(line, print_exception=False) from error

    def stylize(
        content: str, style: str, strength: float = 1.0, model: str = models[0]
    ) -> Image.Image:
        """Repaint a picture in the manner of another picture.

        Args:
            content: The picture to repaint, as a data: URL.
            style: The picture whose manner is taken, as a data: URL.
            strength: 0 leaves the picture as it is, 1 takes the full style.
            model: The name of a model of this server.
        """
        if not style:
            raise gr.Error("style: found nothing; allowed: a data: URL", print_exception=False)
        return paint(content, Path(style), strength, model)

    def stylize_in(
        content: str, style: str, strength: float = 1.0, model: str = models[0]
    ) -> Image.Image:
        """Repaint a picture in one of the styles that come with this server.

        Args:
            content: The picture to repaint, as a data: URL.
            style: The name of a style.
            strength: 0 leaves the picture as it is, 1 takes the full style.
            model: The name of a model of this server.
        """
        if style not in catalog.STYLES:
            allowed = ", ".join(catalog.STYLES)
            raise gr.Error(f"style: found {style!r}; allowed: {allowed}", print_exception=False)
        return paint(content, catalog.file_of(style), strength, model)

    content, style = (hidden_input(label, _path) for label in ("Content", "Style"))
    strength = gr.Slider(0, 1, 1, label="Strength", visible=False)
    name = gr.Dropdown(list(catalog.STYLES), value=None, label="Style", visible=False)
    model = gr.Dropdown(models, value=models[0], label="Model", visible=False)
    result = gr.Image(format="png", label="Result", visible=False)
    event = gr.Button("Stylize", visible=False).click
    # Straight to the function: for Gradio's own queue it would call itself over the network, at
    # whatever address the request gives as its host.
    event(stylize, [content, style, strength, model], result, api_name="mcp_stylize", queue=False)
    event(
        stylize_in,
        [content, name, strength, model],
        result,
        api_name="mcp_stylize_in",
        queue=False,
    )


def _path(payload: ImageData | None) -> str | None:
    return None if payload is None else payload.path
