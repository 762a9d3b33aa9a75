"""What the page's application is told of the server."""

from __future__ import annotations

import json
from pathlib import Path

import gradio as gr
import pytest

from adain import registry, weights
from adain.demo import endpoints, mcp_tools, studio
from adain.drawings import catalog
from adain.server.engine import Engine
from adain.server.settings import Settings


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
        endpoints.offer(engine)
        mcp_tools.offer(engine)
    told = studio.config(engine, ["style"])
    engine.close()
    present = [model["name"] for model in told["models"] if model["here"]]
    assert present == weights.available_models()
    assert present[0] == "fast" and present[-1] == "wave"
    assert all(model["about"] for model in told["models"] if not model["here"])
    choices = [c for c in page.config["components"] if c["props"].get("label") == "Model"]
    assert len(choices) == 2 and all('"wave"' in json.dumps(c) for c in choices)
    assert '"half"' not in json.dumps([told, page.config["components"]])


def test_what_the_page_opens_with_is_first_among_the_styles() -> None:
    names = studio.style_names()
    assert names[0] == catalog.PAIRS[0].style
    assert sorted(names) == sorted(catalog.STYLES)


def test_pairs_are_of_the_catalog() -> None:
    for pair in catalog.PAIRS:
        assert pair.content in catalog.CONTENTS and pair.style in catalog.STYLES
