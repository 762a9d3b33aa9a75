"""The tab for other people's programs: the files, their digests, and short programs."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from adain import contract, weights
from adain.registry import BUILT_IN, DEFAULT_MODEL
from adain.server.checks.forwarded import HEADER
from adain.server.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
# Where short programs lie in the wheel, and in the checkout.
EXAMPLES = {
    name: (
        Path(__file__).parents[1] / "examples" / name,
        ROOT / "export" / "examples" / folder / name,
    )
    for folder, name in (("python", "stylize.py"), ("node", "stylize.mjs"))
}
INTRODUCTION = f"""\
`{weights.onnx_file(DEFAULT_MODEL, contract.WHOLE)}` is the whole model in one file: two uint8
pictures and a strength in, a uint8 picture out, any size, nothing left to do before or after, in
any language that ONNX Runtime knows. The licence is {BUILT_IN[DEFAULT_MODEL].licence}: embed it
without asking."""
# The files that a program may want, by part and precision, and what each is.
PURPOSES = {
    (contract.WHOLE, "fp32"): "the whole model",
    (contract.WHOLE, "fp16"): "the whole model in half precision",
    (contract.STYLE_NETWORK, "fp32"): "a style picture to a vector, once for each style",
    (contract.ENCODER, "fp32"): "a content to its features, once for each content",
    (contract.DECODER, "fp32"): "these and a strength to the picture, for every move",
}
FILES = {weights.onnx_file(DEFAULT_MODEL, *file): purpose for file, purpose in PURPOSES.items()}

ADDRESS = "ADDRESS"  # in snippets
CURL = """\
curl -o out.png ADDRESS/v1/stylize -F content=@photo.jpg -F style=@painting.jpg -F alpha=0.8
curl -o out.jpg ADDRESS/v1/stylize -F content=@photo.jpg -F style_id=woodcut -F format=jpeg
curl ADDRESS/v1/styles -F file=@painting.jpg      # an id to use as style_id, and the vector"""

CLIENT = f"""\
from gradio_client import Client, handle_file

client = Client("ADDRESS")
path = client.predict(
    handle_file("photo.jpg"),
    handle_file("painting.jpg"),
    0.8,  # strength
    "{DEFAULT_MODEL}",  # model
    False,  # keep the content's colours
    1,  # brush size
    "1024",  # longest side
    api_name="/stylize",
)"""


def embed_tab(settings: Settings, start: Callable[..., Any]) -> None:
    """Build the tab in the current page; ``start`` is the event of somebody's arrival."""
    gr.Markdown(INTRODUCTION)
    with gr.Column(elem_id="files"):
        for name, purpose in FILES.items():
            path = weights.look_for(name)
            if path is not None:
                with gr.Row(elem_classes="file"):
                    gr.HTML(about(path, purpose), apply_default_css=False)
                    gr.DownloadButton(
                        f"Download {name}", str(path), size="sm", scale=0, min_width=280
                    )
    snippets = {
        "Python": example("stylize.py"),
        "Node.js": example("stylize.mjs"),
        "HTTP": CURL,
        "Gradio client": CLIENT,
    }
    address = settings.address.rstrip("/")
    addressed = {}
    with gr.Tabs(elem_id="snippets"):
        for title, code in snippets.items():
            with gr.Tab(title):
                shown = code.replace(ADDRESS, address)
                box = gr.HTML(snippet(shown), apply_default_css=False)
                if shown != code:
                    addressed[code] = box
    gr.HTML(
        "<p>The service's own description: <a href='v1/docs'>/v1/docs</a>. More examples, Java, C,"
        " C++ and a page that runs the model in the browser, are in <code>export/examples</code> of"
        " the source.</p>"
    )

    def as_reached(request: gr.Request) -> list[str]:
        reached = request_address(request.headers, address)
        return [snippet(code.replace(ADDRESS, reached)) for code in addressed]

    start(
        as_reached,
        None,
        list(addressed.values()),
        show_progress="hidden",
        queue=False,
        api_visibility="private",
    )


def snippet(code: str) -> str:
    """A program as HTML, which a keyboard can scroll."""
    return f"<pre class='snippet' tabindex='0'><code>{html.escape(code)}</code></pre>"


def example(name: str) -> str:
    """The text of one of EXAMPLES."""
    packaged, source = EXAMPLES[name]
    return (packaged if packaged.is_file() else source).read_text(encoding="utf-8")


def request_address(headers: Mapping[str, str], otherwise: str) -> str:
    """Where a visitor reached the service, perhaps by way of a proxy, as the request has it."""
    # What is below the path of a proxy was put there by the middleware.
    host = headers.get("x-forwarded-host", headers.get("host", "")).partition("/")[0]
    scheme = headers.get("x-forwarded-proto", "http")
    if scheme in ("http", "https") and re.fullmatch(
        r"[\w.-]+(:\d+)?|\[[\da-fA-F:]+\](:\d+)?", host
    ):
        return f"{scheme}://{host}{headers.get(HEADER, '')}"
    return otherwise


def about(path: Path, purpose: str) -> str:
    """A file's name, what it is for, its size and its digest."""
    size = f"{path.stat().st_size / 1e6:.1f} MB"
    return (
        f"<p><strong>{path.name}</strong> <span>{size}, {purpose}</span></p>"
        f"<p class='digest'>SHA-256 <code>{weights.sha256(path)}</code></p>"
    )
