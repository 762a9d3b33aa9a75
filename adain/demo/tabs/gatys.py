"""The tab that optimises a picture, as Gatys et al. (2016) do, beside what AdaIN makes at once."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import gradio as gr

from adain import AdaINError, weights
from adain.demo import files, gatys_plot, gatys_recorded, pictures
from adain.demo.gatys_run import Optimisation, Wanted, begin, cancel, installing
from adain.demo.studio import TITLES
from adain.errors import found_error
from adain.published import PUBLISHED_VGG19
from adain.server.engine import Engine
from adain.server.queue import BusyError

INTRODUCTION = """\
Gatys, Ecker and Bethge (2016) optimise the pixels themselves: every iteration sends the picture
through VGG-19 and back. AdaIN answers in one pass. Both are judged here by the loss that Gatys
minimises: that of the style and that of the content, each with its weight, and their total."""
MODULES = ("torch", "torchvision", "tqdm")
MISSING = """\
To run it on your own pictures it needs PyTorch and the weights of VGG-19, and not all of it is
here. This gets what is missing; then start the demo again:"""
CANCELLING = "Cancelling: it ends after the step that it is at."
INVITATION = "Press Start, and watch the optimisation catch up with AdaIN."
EMPTY = """<div class="gatys-pictures">
<figure><div class="waiting">one pass</div><figcaption><b>AdaIN</b></figcaption></figure>
<figure><div class="waiting">one iteration after another</div>
<figcaption><b>Gatys</b></figcaption></figure>
</div>
<div class="waiting plot">the losses of both, as they fall</div>"""

SIZES = (128, 256, 384)
ITERATIONS = (10, 500)
STARTS = (("The photo", "content"), ("Noise", "noise"), ("AdaIN", "adain"))
RECORDED_PACE = 0.7  # seconds a frame of a recording is seen
PACE = 0.5  # seconds from one update of the page to the next
Update = tuple[Any, Any, Any, Any]  # of the view, the sentence, Start and Cancel


def follow(engine: Engine, wanted: Wanted, visitor: str) -> Iterator[Update]:
    """Start an optimisation, and tell how it goes until it is over; closed, it ends it."""
    optimisation = Optimisation(engine, wanted)
    try:
        begin(optimisation, visitor)
    except BusyError as error:
        yield _idle(gr.skip(), _refusal(error))
        return
    try:
        loading = "Starting." if "torch" in sys.modules else "Loading PyTorch: once, some seconds."
        yield _busy(EMPTY, loading)
        while not optimisation.over.wait(PACE):
            progress = optimisation.progress()
            if progress is None:
                yield _busy(gr.skip(), CANCELLING if optimisation.stop.is_set() else gr.skip())
            else:
                yield _busy(gatys_plot.view(progress), "Optimising.")
        yield _last(optimisation)
    finally:
        # Gradio closes this generator when the visitor has closed the page.
        optimisation.stop.set()


def _busy(view: Any, sentence: Any) -> Update:
    return view, sentence, gr.Button(interactive=False), gr.Button(interactive=True)


def _idle(view: Any, sentence: Any) -> Update:
    return view, sentence, gr.Button(interactive=True), gr.Button(interactive=False)


def _last(optimisation: Optimisation) -> Update:
    progress, wanted = optimisation.progress(), optimisation.wanted
    view = gr.skip() if progress is None else gatys_plot.view(progress)
    if optimisation.error is not None:
        return _idle(view, _refusal(optimisation.error, wanted.content, wanted.style))
    if progress is None:
        return _idle(view, "Cancelled before the first iteration.")
    cancelled = optimisation.stop.is_set()
    from_adain = wanted.start == "adain"
    sentence = gatys_plot.verdict(progress, from_adain=from_adain, cancelled=cancelled)
    return _idle(view, sentence)


def _refusal(error: AdaINError, *paths: str) -> str:
    return f'<span class="refusal">{pictures.sentence_of(error, *paths)}</span>'


def missing() -> list[str]:
    """The commands that get what the optimisation needs and this machine has not."""
    commands = []
    if any(find_spec(name) is None for name in MODULES):
        commands.append(installing())
    if weights.look_for(*PUBLISHED_VGG19.names) is None:
        commands.append(shlex.join([sys.executable, "-m", "adain", "models", "get", "vgg19"]))
    return commands


def gatys_tab(engine: Engine) -> None:
    """Build the tab in the current page."""
    gr.Markdown(INTRODUCTION)
    if commands := missing():
        lines = "\n".join(commands)
        _recording()
        gr.Markdown(f"{MISSING}\n\n```\n{lines}\n```", elem_id="gatys-missing")
        return
    with gr.Row(elem_classes="tab"):
        with gr.Column(scale=5, min_width=320):
            inputs = [_pictures(), *_choices()]
        with gr.Column(scale=7, min_width=320):
            with gr.Row():
                start = gr.Button("Start", variant="primary", elem_id="gatys-start", min_width=120)
                stop = gr.Button("Cancel", interactive=False, elem_id="gatys-cancel", min_width=120)
            sentence, view = _shown(INVITATION, EMPTY)

    def on_start(
        pair: str | None,
        size: int,
        iterations: int,
        first: str,
        model: str,
        request: gr.Request,
    ) -> Iterator[Update]:
        try:
            content, style = pictures.chosen_pair(pair)
            _check(size, iterations, first)
        except AdaINError as error:
            yield _idle(gr.skip(), _refusal(error))
            return
        wanted = Wanted(content, style, size, int(iterations), first, model)
        yield from follow(engine, wanted, str(request.session_hash))

    def on_stop(request: gr.Request) -> None:
        cancel(str(request.session_hash))

    event: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    # Gradio would let the second visitor wait in its queue, where nothing tells why.
    start.click(on_start, inputs, [view, sentence, start, stop], concurrency_limit=None, **event)
    # Not by `cancels`, which would end the updates before they tell what came of it.
    stop.click(on_stop, None, None, queue=False, **event)


def _shown(sentence: str, view: str) -> tuple[gr.HTML, gr.HTML]:
    """A sentence, which screen readers say when it changes, and the pictures and losses."""
    told = gr.HTML(
        sentence,
        html_template='<p class="caption" role="status">${value || ""}</p>',
        js_on_load=None,
        apply_default_css=False,
        elem_id="gatys-caption",
    )
    seen = gr.HTML(
        view,
        css_template=files.text("gatys.css"),
        apply_default_css=False,
        elem_id="gatys-view",
    )
    return told, seen


def _recording() -> None:
    """A recorded optimisation, which plays where none can run."""
    *_, last = gatys_recorded.frames()
    play = gr.Button("Play the recording", variant="primary", elem_id="gatys-play")
    recorded = gatys_recorded.run().sentence
    sentence, view = _shown(recorded, gatys_plot.view(last))

    def on_play() -> Iterator[tuple[str, str]]:
        for progress in gatys_recorded.frames():
            yield recorded, gatys_plot.view(progress)
            time.sleep(RECORDED_PACE)
        verdict = gatys_plot.verdict(progress, from_adain=False, cancelled=False)
        yield f"{recorded} {verdict}", gatys_plot.view(progress)

    play.click(on_play, None, [sentence, view], show_progress="hidden", api_visibility="private")


def _check(size: object, iterations: object, first: object) -> None:
    """Raise AdaINError for what the page does not offer: programs ask as well."""
    low, high = ITERATIONS
    if size not in SIZES:
        raise found_error("size", repr(size)[:40], ", ".join(map(str, SIZES)))
    if not isinstance(iterations, (int, float)) or not low <= iterations <= high:
        raise found_error("iterations", repr(iterations)[:40], f"{low} to {high}")
    if first not in [start for _, start in STARTS]:
        raise found_error("start", repr(first)[:40], ", ".join(start for _, start in STARTS))


def _pictures() -> gr.HTML:
    """The page's photo and style; its value is as ``pictures.chosen_pair`` reads it."""
    return gr.HTML(
        None,
        html_template=files.text("gatys.html"),
        js_on_load=files.starting("gatys.js"),
        apply_default_css=False,
        elem_id="gatys-pair",
    )


def _choices() -> list[Any]:
    """The inputs for the fields of `Wanted` that follow the pictures."""
    models = [(TITLES.get(name, name), name) for name in weights.available_models()]
    with gr.Row():
        size = gr.Radio(
            SIZES, value=256, label="Longest side, in pixels", elem_id="gatys-size", min_width=220
        )
        iterations = gr.Slider(
            *ITERATIONS, 100, step=10, label="Iterations", elem_id="gatys-iterations", min_width=220
        )
    with gr.Row():
        start = gr.Radio(
            STARTS, value="content", label="Gatys starts from", elem_id="gatys-from", min_width=300
        )
        model = gr.Radio(
            models, value=models[0][1], label="Model of AdaIN", elem_id="gatys-model", min_width=180
        )
    return [size, iterations, start, model]
