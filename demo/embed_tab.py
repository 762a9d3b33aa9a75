"""The tab for other people's programs: the files, their digests, and short programs."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from adain import weights
from demo.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "export" / "examples"
# What a program needs of `fast`: the whole file, whose inputs are pictures; then its parts.
INTRODUCTION = """\
`adain-fast.onnx` is the whole model in one file: two uint8 pictures and a strength in, a uint8
picture out, any size, nothing left to do before or after, in any language that ONNX Runtime knows.
Its half-precision twin is half the size. The parts serve programs that encode a style once or drag
the strength. The licence is MIT: embed them without asking."""

CURL = """\
curl -o out.png {address}/v1/stylize -F content=@photo.jpg -F style=@painting.jpg -F alpha=0.8
curl -o out.jpg {address}/v1/stylize -F content=@photo.jpg -F style_id=woodcut -F format=jpeg
curl {address}/v1/styles -F file=@painting.jpg      # an id to use as style_id, and the vector"""

CLIENT = """\
from gradio_client import Client, handle_file

client = Client("{address}")
path = client.predict(
    handle_file("photo.jpg"),
    handle_file("painting.jpg"),
    0.8,  # strength
    "fast",  # model
    False,  # keep the content's colours
    1,  # brush size
    "1024",  # longest side
    api_name="/stylize",
)"""


def embed_tab(settings: Settings) -> None:
    """Build the tab in the current page."""
    address = address_of(settings)
    gr.Markdown(INTRODUCTION)
    gr.Markdown(table(), elem_id="files")
    with gr.Row():
        for name in weights.onnx_files("fast"):
            path = weights.look_for(name)
            if path is not None:
                gr.DownloadButton(f"Download {name}", str(path), size="sm", min_width=240)
    snippets = {
        "Python": ("python", (EXAMPLES / "python" / "stylize.py").read_text(encoding="utf-8")),
        "Node.js": ("javascript", (EXAMPLES / "node" / "stylize.mjs").read_text(encoding="utf-8")),
        "HTTP": ("shell", CURL.format(address=address)),
        "Gradio client": ("python", CLIENT.format(address=address)),
    }
    with gr.Tabs(elem_id="snippets"):
        for title, (language, code) in snippets.items():
            with gr.Tab(title):
                gr.Code(code, language=language, interactive=False, label=title)  # type: ignore[arg-type]
    gr.HTML(
        f"<p>The service's own description: <a href='{address}/v1/docs'>/v1/docs</a>. More"
        " examples, C++ and a page that runs the model in the browser, are in"
        " <code>export/examples</code> of the source.</p>"
    )


def address_of(settings: Settings) -> str:
    """Where a program on this machine reaches the service."""
    anywhere = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}
    return f"http://{anywhere.get(settings.host, settings.host)}:{settings.port}"


def table() -> str:
    """The files of `fast`: what they are, how large, and their digests."""
    rows = ["| file | size | SHA-256 |", "|---|--:|---|"]
    for name in weights.onnx_files("fast"):
        path = weights.look_for(name)
        if path is not None:
            size = f"{path.stat().st_size / 1e6:.1f} MB"
            rows.append(f"| {name} | {size} | `{weights.sha256(path)}` |")
    return "\n".join(rows)
