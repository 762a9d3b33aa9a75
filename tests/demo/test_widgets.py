"""The parts of the tabs: what they offer, and the line under a result."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from exporting import MOSAIC

from adain import AdaINError, Stylizer, registry, weights
from adain.demo import looks, mcp_tools, widgets
from adain.demo.looks import Look, Made
from adain.server.engine import Engine
from adain.server.settings import Settings


def test_the_line_under_a_result_is_of_the_model_that_was_used(
    imported: Path, monkeypatch: pytest.MonkeyPatch, content: Path, style: Path
) -> None:
    class WithoutFast(Stylizer):
        def __init__(self, model: str = "fast", *arguments: Any, **options: Any) -> None:
            if model == "fast":
                raise AdaINError("model: found 'fast', which is not here")
            super().__init__(model, *arguments, **options)

    monkeypatch.setenv("XDG_CACHE_HOME", str(imported.parent))
    monkeypatch.setattr("adain.server.engine.Stylizer", WithoutFast)
    engine = Engine(Settings(), "cpu")

    def make() -> Made:
        return looks.stylize(engine, content, [style], Look(model=MOSAIC))

    shown, line = widgets.answer(engine, make, "a picture")
    assert shown is not None
    assert re.fullmatch(r"\d+ ms on cpu · 203 x 301", line)
    picture = engine.picture(content)
    _, line = widgets.answer(engine, lambda: Made(picture, picture, ""), "a picture")
    assert re.fullmatch(r"\d+ ms · 203 x 301", line)  # nothing had to be computed
    engine.close()


def put(folder: Path, name: str) -> None:
    """The files of a model, all of them empty but the mark."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in ("encoder", "decoder"):
        (folder / weights.onnx_file(name, part)).touch()
    (folder / registry.mark_file(name)).write_bytes(registry.mark("MIT"))


def test_the_page_and_the_tools_offer_what_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    put(tmp_path / "adain", "wave")
    put(tmp_path / "adain", "half")
    (tmp_path / "adain" / "adain-half-decoder.onnx").unlink()
    engine = Engine(Settings(), "cpu")
    with gr.Blocks(analytics_enabled=False) as page:
        model, *_ = widgets.look_inputs("some")
        mcp_tools.offer(engine)
    engine.close()
    assert [name for name, _ in model.choices] == weights.available_models()
    assert weights.available_models()[-1] == "wave" and model.value == "fast"
    choices = [c for c in page.config["components"] if c["props"].get("label") == "Model"]
    assert len(choices) == 2 and all('"wave"' in json.dumps(c) for c in choices)
    assert '"half"' not in json.dumps(page.config["components"])
