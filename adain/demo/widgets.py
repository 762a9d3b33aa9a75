"""The parts that several tabs of the page are made of."""

from __future__ import annotations

import base64
import html
import logging
import os
import shutil
import time
import uuid
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import ImageData
from gradio.utils import get_upload_folder

from adain import AdaINError, load_image, weights
from adain.demo import looks
from adain.demo.looks import Made
from adain.drawings import catalog
from adain.images import QUALITY, encode_image
from adain.images.picture import Picture
from adain.registry import BUILT_IN, TRAINED
from adain.server.asgi import ARRIVED
from adain.server.engine import Engine

Answer = tuple[dict[str, Any] | None, str]  # what `before_after` shows, and the line under it

log = logging.getLogger(__name__)

WEB = Path(__file__).parent / "web"
THUMBNAIL = 112  # pixels
DRAWINGS = {**catalog.CONTENTS, **catalog.STYLES}
# Hidden components answer programs as well, and these events are the page's own.
EVENT: dict[str, Any] = {
    # While one position of a slider is computed, only the newest of those that come is kept: the
    # result follows the hand and never trails behind it.
    "trigger_mode": "always_last",
    "show_progress": "hidden",
    # Straight to the function, not by way of Gradio's queue and its stream of events: the engine
    # has a queue of its own.
    "queue": False,
    "api_visibility": "private",
}


def picture_input(label: str, value: str | Path | None, name: str, height: int = 200) -> gr.Image:
    """A place for a picture that hands on the path of the very bytes its owner chose."""
    image = gr.Image(
        None if value is None else str(value),
        label=label,
        type="filepath",
        image_mode=None,
        sources=["upload", "clipboard", "webcam"],
        height=height,
        min_width=140,
        buttons=[],
        elem_id=name,
        elem_classes="picture-input",
        alt_text=f"{label} picture",
    )
    # Gradio opens every upload with Pillow first, and what that cannot read ends in a traceback;
    # reading pictures is ours, which says what is wrong. Set on the instance, since Gradio
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


def sentence_of(error: AdaINError, *paths: str | None) -> str:
    """An error as one sentence that names files as their owner does; logged, and safe as HTML."""
    sentence = str(error)
    for path in paths:
        if path:
            sentence = sentence.replace(path, Path(path).name)
    log.warning("%s", sentence)
    return html.escape(sentence)


def before_after(name: str) -> gr.HTML:
    """The result over the content, with a divider; its value is what `shown` gives."""
    return gr.HTML(
        None,
        html_template="""
<div class="before-after empty" role="group" aria-label="Content and result">
  <div class="stage">
    <img class="after" alt=""><img class="before" alt="The content">
    <input type="range" min="0" max="100" value="0" aria-label="Divider between content and result">
    <div class="line"></div>
  </div>
</div>""",
        js_on_load=script("before_after"),
        apply_default_css=False,
        elem_id=name,
    )


def script(name: str) -> str:
    """What a widget does in the browser."""
    return (WEB / f"{name}.js").read_text(encoding="utf-8")


def shown(content: Picture, result: Picture, alt: str, asked: float = 0) -> dict[str, Any]:
    """The value of `before_after`; ``asked``, any clock's time, lets the page drop what is late."""
    size = result.width, result.height
    before = content if (content.width, content.height) == size else content.resized(*size)
    return {"before": data_url(before), "after": data_url(result), "alt": alt, "asked": asked}


def data_url(picture: Picture, suffix: str | None = None, quality: int = 90) -> str:
    """A picture for the page: by default as JPEG, which takes a millisecond, or WebP with alpha."""
    suffix = suffix or (".jpg" if picture.alpha is None else ".webp")
    data = base64.b64encode(encode_image(picture, suffix, quality=quality)).decode("ascii")
    return f"data:image/{suffix[1:].replace('jpg', 'jpeg')};base64,{data}"


def caption(name: str) -> gr.HTML:
    """The line under a result, safe HTML; screen readers say it when it changes."""
    return gr.HTML(
        "",
        html_template='<p class="caption" role="status">${value || ""}</p>',
        js_on_load=None,
        apply_default_css=False,
        elem_id=name,
    )


def look_inputs(name: str, sizes: Sequence[str] = tuple(looks.SIZES)) -> list[Any]:
    """Inputs for the fields of `looks.Look` that follow the strength, folded away."""
    models = weights.available_models()
    missing = [row for name in TRAINED if (row := BUILT_IN[name]).name not in models]
    info = " ".join(f"{row.name}, {row.about}, is not here yet: {row.get}." for row in missing)
    with gr.Accordion("Model, brush and size", open=False, elem_id=f"{name}-more"):
        model = gr.Radio(
            models,
            value=models[0],
            label="Model",
            info=info or None,
            elem_id=f"{name}-model",
        )
        colours = gr.Checkbox(False, label="Keep the content's colours", elem_id=f"{name}-colours")
        brush = gr.Slider(
            *looks.BRUSHES,
            1,
            step=0.05,
            label="Brush size",
            info="How large the style is looked at: larger gives broader strokes.",
            elem_id=f"{name}-brush",
        )
        size = gr.Dropdown(
            list(sizes),
            value=looks.SIZE,
            label="Longest side of the result, in pixels",
            filterable=False,
            elem_id=f"{name}-size",
        )
    return [model, colours, brush, size]


def answer(engine: Engine, make: Callable[[], Made], alt: str, *paths: str | None) -> Answer:
    """What a request shows, or None and one sentence; ``paths`` are named as their owner does."""
    asked = ARRIVED.get(None) or time.time()

    def request() -> Answer:
        start = time.perf_counter()
        content, result, device = make()
        value = shown(content, result, alt, asked)
        took = (time.perf_counter() - start) * 1000
        where = f" on {device}" if device else ""
        line = f"{took:.0f} ms{where} · {result.width} x {result.height}"
        return value, line

    try:
        return engine.queue.run(request)
    except AdaINError as error:
        return None, f'<span class="refusal">{sentence_of(error, *paths)}</span>'


def require(path: str | None, what: str) -> Path:
    """The path of a picture; AdaINError where none was chosen."""
    if not path:
        raise AdaINError(f"Choose a {what} picture.")
    return Path(path)


def downloads(engine: Engine, make: Callable[..., Made], inputs: list[Any], name: str) -> None:
    """Buttons that save the result as it is, in full: ``make`` gives it from the inputs' values.

    The first of these is the path of the content, after which the file is named.
    """
    saved = gr.HTML(None, html_template="", js_on_load=script("download"), visible="hidden")

    def save(suffix: str, *values: Any) -> dict[str, Any]:
        def request() -> dict[str, Any]:
            result = make(*values).result
            file = f"{Path(values[0]).stem}-stylized{suffix}"
            data = data_url(result, suffix, quality=QUALITY)
            return {"name": file, "data": data, "made": time.time_ns()}

        try:
            return engine.queue.run(request)
        except AdaINError as error:
            paths = [value for value in values if isinstance(value, str)]
            raise gr.Error(sentence_of(error, *paths), print_exception=False) from None

    with gr.Row():
        for label, suffix in (("Download PNG", ".png"), ("Download JPEG", ".jpg")):
            button = gr.Button(label, size="sm", elem_id=f"{name}-{suffix[1:]}", min_width=120)
            button.click(partial(save, suffix), inputs, saved, **EVENT)


def gallery(label: str, names: Sequence[str], place: gr.Image, name: str) -> gr.HTML:
    """Drawn pictures, of which a click puts one into a place.

    The value is the name of the one that was clicked last, or None; ``select`` tells of it.
    """
    offered = gr.HTML(
        None,
        html_template=f"""<p class="choices-heading" id="{name}-heading">{html.escape(label)}</p>
<div class="choices" role="group" aria-labelledby="{name}-heading"></div>""",
        js_on_load=script("gallery"),
        apply_default_css=False,
        elem_id=name,
        pictures=[thumbnail(drawing) for drawing in names],
    )
    # A picture of one's own is none of those offered.
    place.input(lambda: None, None, offered, **EVENT)
    return offered


def served(name: str) -> str:
    """A drawing among the uploads: the only folder that the page may name files of."""
    if name not in DRAWINGS:  # what a program may send
        raise gr.Error(f"There is no drawing {html.escape(name)!r}.", print_exception=False)
    source = drawn(name)
    folder = Path(get_upload_folder()) / "drawn"
    path = folder / source.name
    if not path.is_file():  # at the start, or when its hour is over
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".{uuid.uuid4().hex}"
        shutil.copyfile(source, temporary)
        temporary.replace(path)
    return str(path)


@cache
def thumbnail(name: str) -> dict[str, str]:
    """A drawing as `gallery` shows it."""
    drawing = DRAWINGS[name]
    src = data_url(load_image(drawn(name), max_side=THUMBNAIL), quality=80)
    return {"name": name, "title": drawing.title, "description": drawing.description, "src": src}


def drawn(name: str) -> Path:
    """The file of a drawing."""
    return catalog.drawn({name: DRAWINGS[name]})[0]
