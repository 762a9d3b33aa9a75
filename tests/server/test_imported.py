"""An imported model in the demo: REST, the page and the tools offer it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import numpy as np
import pytest
from exporting import MOSAIC
from serving import picture, pixels, serving

from adain import Stylizer, registry, weights
from adain.demo import mcp_tools as tools
from adain.demo import widgets
from adain.server.engine import OPEN_MODELS, Engine
from adain.server.settings import Settings


@pytest.fixture(scope="module")
def client(imported: Path) -> Iterator[httpx.Client]:
    with serving(XDG_CACHE_HOME=str(imported.parent)) as demo, demo.client() as client:
        yield client


@pytest.fixture
def stylizer(imported: Path, monkeypatch: pytest.MonkeyPatch) -> Stylizer:
    monkeypatch.setenv("XDG_CACHE_HOME", str(imported.parent))
    return Stylizer(MOSAIC, "cpu")


def ask(client: httpx.Client, style: dict[str, Any], model: str) -> httpx.Response:
    files = {"content": ("a.png", picture(60, 40, 1))}
    if "style" in style:
        files["style"] = ("b.png", style.pop("style"))
    return client.post("/v1/stylize", files=files, data={"model": model, **style})


def test_rest_serves_it(client: httpx.Client, stylizer: Stylizer) -> None:
    about = client.get("/v1/models").json()["models"][-1]
    assert (about["name"], about["precisions"]) == (MOSAIC, ["fp32", "fp16"])
    assert about["licence"].startswith("decoder CC BY 4.0; ") and len(about["files"]) == 4
    style = picture(50, 50, 2)
    wanted = np.asarray(stylizer.stylize(picture(60, 40, 1), style))
    answer = ask(client, {"style": style}, MOSAIC)
    assert np.array_equal(pixels(answer.content), wanted)
    encoded = client.post("/v1/styles", files={"file": ("b.png", style)}, data={"model": MOSAIC})
    assert len(encoded.json()["vector"]) == 1024
    again = ask(client, {"style_id": encoded.json()["id"]}, MOSAIC)
    assert np.array_equal(pixels(again.content), wanted)


@pytest.mark.parametrize(("model", "status"), [("vgg16", 422), ("x" * 41, 422), ("paper", 400)])
def test_other_names_are_one_line(client: httpx.Client, model: str, status: int) -> None:
    here = [each["name"] for each in client.get("/v1/models").json()["models"]]
    if model in here:
        pytest.skip(f"{model} is here")
    answer = ask(client, {"style": picture()}, model)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error.startswith("model: ") and "\n" not in error
    if len(model) < 41:
        assert error.endswith(f"allowed: {weights.one_of(here)}")


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
        tools.offer(engine)
    engine.close()
    assert [name for name, _ in model.choices] == weights.available_models()
    assert weights.available_models()[-1] == "wave" and model.value == "fast"
    choices = [c for c in page.config["components"] if c["props"].get("label") == "Model"]
    assert len(choices) == 2 and all('"wave"' in json.dumps(c) for c in choices)
    assert '"half"' not in json.dumps(page.config["components"])


def test_two_models_stay_open(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []

    class Opened:
        device = "cuda:0"

        def __init__(self, model: str, device: str) -> None:
            opened.append(model)

    monkeypatch.setattr("adain.server.engine.Stylizer", Opened)
    engine = Engine(Settings())
    assert engine.device == "" and OPEN_MODELS == 2
    for model in ("fast", "a", "fast", "b", "fast", "a"):
        engine.stylizer(model)
    assert opened == ["fast", "a", "b", "a"]
    assert list(engine.devices) == ["fast", "a"] and engine.device == "cuda:0"
    engine.close()
