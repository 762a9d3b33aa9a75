"""The tab where styles are painted on: up to three, each where and as strong as a hand puts it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import numpy.typing as npt

from adain import AdaINError, load_image
from adain.demo import looks, widgets
from adain.demo.looks import Look, Made
from adain.demo.widgets import EVENT
from adain.drawings import catalog
from adain.errors import found_error
from adain.server.engine import Engine

SLOTS = 3
# The painted map: the browser's has this long side, and programs may send no more than its square.
MAP_SIDE = 256
MAP_TYPE = "data:image/png;base64,"
MAP_LENGTH = 400_000  # characters: more than MAP_SIDE x MAP_SIDE pixels of noise take
PNG = b"\x89PNG\r\n\x1a\n"
# Of the content as it is painted on, and of the styles on the brushes.
SHOWN, CHIP = 768, 72
# Under masks a pixel of a result takes some two kilobytes, 2 GB at the largest of these sides.
SIZES = ("512", "768", "1024")
_numbers = count()


def paint_tab(engine: Engine, content: Path | None = None) -> None:
    """Build the tab in the current page, with ``content`` to paint on or else a drawing.

    Nothing is computed before the tab is opened: then the canvas asks for its first result.
    """
    contents, styles = list(catalog.CONTENTS), list(catalog.STYLES)
    start = str(content) if content else widgets.served(contents[0])
    chosen = [widgets.served(name) for name in styles[:SLOTS]]
    with gr.Row(elem_classes="tab"):
        with gr.Column(scale=1, min_width=320):
            canvas = painter(scene(engine, start, *chosen))
        with gr.Column(scale=1, min_width=320):
            result = widgets.before_after("paint-result")
            caption = widgets.caption("paint-caption")
            below = gr.Column()
    with gr.Row(elem_classes="slots"):
        place = widgets.picture_input("Content", start, "paint-content", 150)
        places = [
            widgets.picture_input(f"Style {number}", value, f"paint-{number}", 150)
            for number, value in enumerate(chosen, 1)
        ]
    with gr.Row():
        with gr.Column(scale=1, min_width=260):
            offered_contents = widgets.gallery(
                "Contents to paint on", contents, place, "paint-contents"
            )
        with gr.Column(scale=3, min_width=320):
            target = gr.Radio(
                [f"Style {number}" for number in range(1, SLOTS + 1)],
                value="Style 1",
                label="A click on a style below goes to",
                elem_id="paint-target",
            )
            offered = widgets.gallery("Styles to paint with", styles, places[-1], "paint-styles")
    with below:
        look = widgets.look_inputs("paint", SIZES)
        inputs = [place, canvas, *places, *look]
        widgets.downloads(engine, make(engine), inputs, "paint-download")

    def answer(*values: Any) -> widgets.Answer:
        alt = "The content in the styles, as painted"
        shown, line = widgets.answer(engine, lambda: make(engine)(*values), alt, *paths_of(values))
        return shown, line if shown is None else line + missing(*values)

    event: dict[str, Any] = {"fn": answer, "inputs": inputs, "outputs": [result, caption], **EVENT}
    gr.on([canvas.input, *(part.change for part in look)], **event)

    # Another picture goes to the canvas, which then tells of what is painted on it.
    def pose(*paths: str | None) -> Any:
        try:
            return gr.HTML(scene=engine.queue.run(lambda: scene(engine, *paths)))
        except AdaINError as error:  # the queue is full, or nobody waits any longer
            sentence = widgets.sentence_of(error, *paths)
            raise gr.Error(sentence, print_exception=False) from None

    posed: dict[str, Any] = {"fn": pose, "inputs": [place, *places], "outputs": canvas, **EVENT}
    pictures = [place, *places]
    gr.on([*(p.input for p in pictures), *(p.clear for p in pictures)], **posed)
    offered_contents.select(widgets.served, offered_contents, place, **EVENT).then(**posed)
    offered.select(put, [offered, target, *places], places, **EVENT).then(**posed)
    canvas.select(aim, None, target, **EVENT)
    endpoint(engine, inputs)


def painter(shown: dict[str, Any]) -> gr.HTML:
    """The canvas with its brushes; its value is the painted map, as ``masks_of`` reads it."""
    return gr.HTML(
        None,
        html_template=(widgets.WEB / "paint.html").read_text(encoding="utf-8"),
        css_template=(widgets.WEB / "paint.css").read_text(encoding="utf-8"),
        js_on_load=widgets.script("paint"),
        apply_default_css=False,
        elem_id="paint-canvas",
        label="Map",
        scene=shown,
    )


def scene(engine: Engine, content: str | None, *styles: str | None) -> dict[str, Any]:
    """What the canvas shows: the content and the styles, or None for what cannot be read.

    Why it cannot is said by the result, which the canvas asks for next.
    """
    shown: dict[str, Any] = {"content": None, "width": 0, "height": 0}
    with suppress(AdaINError):
        picture = engine.picture(widgets.require(content, "content"), SHOWN)
        shown = {
            "content": widgets.data_url(picture, quality=85),
            "width": picture.width,
            "height": picture.height,
        }
    # Two pictures that cannot be read show alike: the number tells the canvas that one is new.
    chips = [chip(engine, style) for style in styles]
    return {**shown, "styles": chips, "number": next(_numbers)}


def chip(engine: Engine, style: str | None) -> str | None:
    """A style as it is shown on its brush."""
    with suppress(AdaINError):
        return widgets.data_url(engine.picture(widgets.require(style, "style"), CHIP), quality=80)
    return None


def put(name: str, target: str, *places: str | None) -> list[str | None]:
    """A drawing for the style that the radio names; the others keep what they have.

    Not `gr.skip()`: after an update Gradio makes the input anew for that visitor, without the
    `preprocess` that refuses files which nobody uploaded.
    """
    chosen = int(target.split()[-1])
    return [
        widgets.served(name) if number == chosen else path for number, path in enumerate(places, 1)
    ]


def aim(taken: gr.EventData) -> Any:
    """The style whose brush was taken; the eraser has none."""
    data = taken._data  # whatever a request holds; an attribute may not be there
    number = data.get("number") if isinstance(data, dict) else None
    return f"Style {number}" if number in range(1, SLOTS + 1) else gr.skip()


def masks_of(painted: object) -> npt.NDArray[np.float32]:
    """A painted map as float32 ``[3, h, w]`` in [0, 1]: how strong each style is at each place.

    ``painted`` is the data URL of a PNG, whose red, green and blue are the three. Raises AdaINError
    for anything else: no name of a file is looked at, and no more than MAP_SIDE x MAP_SIDE pixels.
    """
    allowed = f"{MAP_TYPE}... of at most {MAP_LENGTH:,} characters"
    if not isinstance(painted, str) or not painted:
        raise found_error("map", "nothing painted", allowed)
    if len(painted) > MAP_LENGTH:
        raise found_error("map", f"{len(painted):,} characters", allowed)
    if not painted.startswith(MAP_TYPE):
        raise found_error("map", f"text that starts with {painted[:24]!r}", allowed)
    try:
        data = base64.b64decode(painted[len(MAP_TYPE) :], validate=True)
    except (binascii.Error, ValueError):
        raise found_error("map", "text that is no base64", allowed) from None
    if not data.startswith(PNG):
        raise found_error("map", "bytes that are no PNG", allowed)
    try:
        picture = load_image(data, max_pixels=MAP_SIDE * MAP_SIDE)
    except AdaINError as error:
        raise AdaINError(f"map: {error}") from error
    return np.ascontiguousarray(picture.rgb.transpose(2, 0, 1))


def make(engine: Engine) -> Callable[..., Made]:
    """A function of the tab's inputs: the content as it was used, and the result."""

    def made(content: str | None, painted: object, *values: Any) -> Made:
        path = widgets.require(content, "content")
        look = Look(1.0, *values[SLOTS:])
        if look.size not in SIZES:
            raise found_error("size", repr(look.size), ", ".join(SIZES))
        pairs = zip(values[:SLOTS], masks_of(painted), strict=True)
        # Where the paint is of a style that is not there, the content stays.
        used = [(Path(style), mask) for style, mask in pairs if style and mask.any()]
        if not used:
            picture = engine.picture(path, look.max_side)
            return Made(picture, picture, "")
        styles, masks = zip(*used, strict=True)
        return looks.stylize(engine, path, styles, look, masks=masks)

    return made


def missing(_: str | None, painted: object, *values: Any) -> str:
    """What to add where somebody painted with a style that has no picture."""
    slots = enumerate(zip(values[:SLOTS], masks_of(painted), strict=True), 1)
    numbers = [str(number) for number, (style, mask) in slots if not style and mask.any()]
    return f" · style {' and '.join(numbers)} has no picture yet" if numbers else ""


def paths_of(values: tuple[Any, ...]) -> tuple[str | None, ...]:
    """The pictures among the tab's inputs."""
    return (values[0], *values[2 : 2 + SLOTS])


def endpoint(engine: Engine, inputs: list[Any]) -> None:
    """`/paint` for programs: the tab's inputs in, a PNG out."""
    result = gr.Image(visible=False, format="png", type="pil", label="Result")

    def paint(content: str | None, painted: str, *values: Any) -> Any:
        try:
            return engine.queue.run(lambda: make(engine)(content, painted, *values).result.to_pil())
        except AdaINError as error:
            sentence = widgets.sentence_of(error, *paths_of((content, painted, *values)))
            raise gr.Error(sentence, print_exception=False) from None

    gr.Button(visible=False).click(
        paint,
        inputs,
        result,
        queue=False,
        api_name="paint",
        api_description="The content with up to three styles where a map paints them, as a PNG. "
        f"The map is {MAP_TYPE}...: red, green and blue are the strengths of styles 1 to 3.",
    )
