"""The page: two pictures and a strength in, one picture out. All work is done by `Stylizer`."""

from __future__ import annotations

import html
import logging
import os
import time
from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import ImageData
from gradio.utils import get_upload_folder
from PIL import Image

from adain import AdaINError, Stylizer, weights
from demo import examples

log = logging.getLogger(__name__)

TITLE = "Arbitrary style transfer"
HEADING = f"""# {TITLE}
Repaint one picture in the manner of another: choose or drop two pictures, and drag the strength."""
GET_VGG19 = "`vgg19`, the paper's own network, is not here yet: `adain models get vgg19` gets it."
# Every position of the slider leaves a PNG. What nobody asked for in an hour goes, looked for
# every five minutes; a picture in use counts as asked for.
DELETE_CACHE = (300, 3600)
SYSTEM_FONTS = ("system-ui", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif")
SYSTEM_MONO = ("ui-monospace", "Consolas", "Menlo", "monospace")
CSS = """
.gradio-container { width: 100%; max-width: 1180px !important; margin: 0 auto !important; }
#caption { min-height: 1.5em; text-align: center; opacity: 0.75; }
#content img, #style img { color: transparent; }
#result { min-height: 320px; }
#result img { max-height: 560px; object-fit: contain; }
@media (max-width: 640px) { .gallery-item, .gallery-item img { width: 56px; height: 56px; } }
"""

Answer = tuple[Image.Image | None, str]


@cache
def stylizer(model: str) -> Stylizer:
    """One Stylizer per model for the whole process: its sessions and caches serve everyone."""
    return Stylizer(model=model, device="auto")


def stylize(content: str | None, style: str | None, strength: float, model: str) -> Answer:
    """The result and the line under it; for a picture that cannot be used, None and why."""
    if not content or not style:
        return None, "Choose a content picture and a style picture."
    start = time.perf_counter()
    try:
        machine = stylizer(model)
        picture = machine.stylize(content, machine.encode_style(style), alpha=strength)
    except AdaINError as error:
        return None, refuse(error, content, style)
    took = (time.perf_counter() - start) * 1000
    width, height = picture.size
    return picture, f"{took:.0f} ms on {machine.device} · {width} x {height}"


def refuse(error: AdaINError, *paths: str) -> str:
    """Show and log one sentence, which names files as their owner does."""
    sentence = str(error)
    for path in paths:
        sentence = sentence.replace(path, Path(path).name)
    log.warning("%s", sentence)
    # Both places render HTML, and a file's name may hold any.
    sentence = html.escape(sentence)
    gr.Warning(sentence)
    return sentence


def picture_input(label: str, value: Path, name: str) -> gr.Image:
    """A place for a picture that hands on the path of the very bytes its owner chose."""
    image = gr.Image(
        str(value),
        label=label,
        type="filepath",
        image_mode=None,
        sources=["upload", "clipboard"],
        height=240,
        min_width=150,
        buttons=[],
        elem_id=name,
        alt_text=f"{label} picture",
    )
    # Gradio opens every upload with Pillow first, and what that cannot read ends in a traceback;
    # reading pictures is `Stylizer`'s, which says what is wrong. Set on the instance, since Gradio
    # writes a .pyi file beside the source of every subclass of a component.
    image.preprocess = original_path  # type: ignore[method-assign]
    return image


def original_path(payload: ImageData | None) -> str | None:
    """The path of an upload; a file of the server's that nobody uploaded is refused."""
    if payload is None or not payload.path:
        return None
    # Gradio looks only at files that a request calls files, and a request may well not.
    path = Path(payload.path).resolve()
    if not path.is_relative_to(Path(get_upload_folder()).resolve()):
        raise gr.Error("This picture was not uploaded.", print_exception=False)
    try:
        os.utime(path)  # asked for: its hour begins again
    except OSError:
        message = f"{html.escape(path.name)} is no longer kept here: choose it again."
        raise gr.Error(message, print_exception=False) from None
    return str(path)


def offer(paths: list[Path], target: gr.Image, label: str) -> Any:
    """A row of pictures, of which a click puts one into the target; that event."""
    rows = [[str(path)] for path in paths]
    offered = gr.Examples(rows, target, label=label, elem_id=label.lower().replace(" ", "-"))
    return offered.load_input_event


def model_input() -> gr.Radio:
    """The models that are here, and how to get the one that is not."""
    models = weights.available_models() or list(weights.MODELS[:1])
    stylizer(models[0])  # loaded before the first visit; without it there is nothing to show
    missing = None if "vgg19" in models else GET_VGG19
    return gr.Radio(models, value=models[0], label="Model", info=missing, elem_id="model")


def build() -> gr.Blocks:
    """The page, with a content and a style chosen."""
    contents, styles = examples.drawn(examples.CONTENTS), examples.drawn(examples.STYLES)
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=DELETE_CACHE) as page:
        gr.Markdown(HEADING)
        with gr.Row():
            with gr.Column(scale=5, min_width=320):
                with gr.Row():
                    content = picture_input("Content", contents[0], "content")
                    style = picture_input("Style", styles[0], "style")
                taken = [
                    offer(contents, content, "Contents to try"),
                    offer(styles, style, "Styles to try"),
                ]
                model = model_input()
            with gr.Column(scale=6, min_width=320):
                result = gr.Image(
                    label="Result",
                    format="png",
                    interactive=False,
                    buttons=["download", "fullscreen"],
                    elem_id="result",
                    alt_text="The content in the manner of the style",
                )
                strength = gr.Slider(0, 1, 1, step=0.01, label="Strength", elem_id="strength")
                caption = gr.Markdown(elem_id="caption")
        # `input`, since `change` comes twice for every upload, and all work would be done twice.
        touched = [page.load, content.input, style.input, strength.change, model.change]
        answer: dict[str, Any] = {
            "fn": stylize,
            "inputs": [content, style, strength, model],
            "outputs": [result, caption],
            # While one position of the slider is computed, only the newest of those that come is
            # kept: the result follows the hand and never trails behind it.
            "trigger_mode": "always_last",
            "show_progress": "hidden",
        }
        gr.on(touched, api_name="stylize", **answer)
        for example in taken:
            example.then(api_visibility="private", **answer)
    return page


def launch_options() -> dict[str, Any]:
    """What `launch` needs to keep the page on this machine: no link, font, script or record."""
    return {
        "theme": gr.themes.Soft(primary_hue="indigo", font=SYSTEM_FONTS, font_mono=SYSTEM_MONO),
        "css": CSS,
        "share": False,
        "ssr_mode": False,
        "mcp_server": False,
        "run_history": False,
        "enable_monitoring": False,
        "footer_links": [],
    }
