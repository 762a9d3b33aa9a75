"""`adain demo` with a small page in place of the real one, which takes seconds to build.

Contents that are SLOW pixels wide take as long as the file exists that HOLD names.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from adain import AdaINError, Stylizer
from adain.cli.demo import demo
from adain.cli.run import run
from adain.server.engine import Engine

SLOW = 33
HOLD = "TINY_DEMO_HOLD"


def slow_down() -> None:
    fast = Stylizer.stylize_with

    def slow(self: Stylizer, picture: Any, *args: Any, **how: Any) -> Any:
        while picture.width == SLOW and Path(os.environ[HOLD]).exists():
            time.sleep(0.01)
        return fast(self, picture, *args, **how)

    Stylizer.stylize_with = slow  # type: ignore[method-assign]


class TinyApp:
    """What `adain.demo.app` has of use to `adain.demo.mount`."""

    @staticmethod
    def build(engine: Engine) -> Any:
        import gradio as gr

        def sizes(*paths: Any) -> str:
            """The sizes of the pictures, or what is wrong with them."""
            try:
                return engine.queue.run(
                    lambda: " ".join(_size(engine, path) for path in _flat(paths))
                )
            except AdaINError as error:
                raise gr.Error(str(error), print_exception=False) from error

        def count() -> Iterator[str]:
            for number in range(10_000):
                yield str(number)
                time.sleep(0.1)

        # As the real page does it: Gradio's own reading of pictures fails in tracebacks.
        picture = gr.Image(type="filepath", image_mode=None)
        picture.preprocess = lambda payload: payload and payload.path  # type: ignore[method-assign]
        file, files = gr.File(), gr.Gallery(type="filepath")
        answer, number = gr.Textbox(), gr.Textbox()
        with gr.Blocks(analytics_enabled=False, delete_cache=(60, 3600)) as page:
            for part in (picture, file, files, answer, number):
                part.render()
            gr.Button("Sizes").click(sizes, [picture, file], answer, api_name="sizes")
            gr.Button("Now").click(sizes, [picture], answer, api_name="now", queue=False)
            gr.Button("All").click(sizes, [files], answer, api_name="all")
            gr.Button("Count").click(count, None, number, api_name="count")
        return page

    @staticmethod
    def launch_options() -> dict[str, Any]:
        return {"footer_links": [], "run_history": False}


def _flat(values: Any) -> list[str]:
    if isinstance(values, (list, tuple)):
        return [name for value in values for name in _flat(value)]
    return [str(values)] if values else []


def _size(engine: Engine, path: str) -> str:
    picture = engine.picture(Path(path))
    return f"{picture.width}x{picture.height}"


if __name__ == "__main__":
    import adain.demo

    sys.modules["adain.demo.app"] = TinyApp  # type: ignore[assignment]
    adain.demo.app = TinyApp  # type: ignore[attr-defined]
    slow_down()
    sys.exit(run(demo))
