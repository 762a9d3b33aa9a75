"""The two tools of the Model Context Protocol."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import numpy as np
import pytest
from serving import picture, pixels, serving

from adain import Stylizer
from adain.cli import demo as module
from adain.cli.run import run

HEADERS = {"Accept": "application/json, text/event-stream"}


def data_url(data: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def call(client: httpx.Client, method: str, **parameters: Any) -> Any:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
    answer = client.post("/gradio_api/mcp/", json=body, headers=HEADERS)
    assert answer.status_code == 200, answer.text
    [line] = [line for line in answer.text.splitlines() if line.startswith("data:")]
    return json.loads(line.removeprefix("data:"))["result"]


def use(client: httpx.Client, name: str, **arguments: Any) -> tuple[bool, Any]:
    result = call(client, "tools/call", name=name, arguments=arguments)
    return result["isError"], result["content"][0]


def test_the_tools_stylise(stylizer: Stylizer) -> None:
    content, style = picture(60, 40, 1), picture(50, 50, 2)
    with serving("--mcp", "--auth", "a:b") as demo:
        with demo.client() as stranger:
            assert stranger.post("/gradio_api/mcp/", json={}).status_code == 401
        with demo.client(auth=("a", "b")) as client:
            tools = call(client, "tools/list")["tools"]
            assert {"stylize", "stylize_in"} <= {tool["name"] for tool in tools}
            pictures = {"content": data_url(content), "style": data_url(style)}
            failed, answer = use(client, "stylize", **pictures, strength=0.5)
            assert not failed
            wanted = np.asarray(stylizer.stylize(content, style, 0.5))
            assert np.array_equal(pixels(base64.b64decode(answer["data"])), wanted)
            named = {"content": data_url(content), "style": "night", "model": "fast"}
            failed, answer = use(client, "stylize_in", **named)
            assert not failed
            failed, answer = use(client, "stylize_in", **named | {"model": "vgg16"})
            assert failed
            broken = data_url(b"no picture")
            failed, answer = use(client, "stylize_in", content=broken, style="night")
            assert failed
            assert "content: found" in answer["text"]
            failed, answer = use(client, "stylize_in", content="/etc/passwd", style="night")
            assert failed
            address = {"content": "http://127.0.0.1:9/a.png", "style": "night"}
            parameters = {"name": "stylize_in", "arguments": address}
            body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": parameters}
            refused = client.post("/gradio_api/mcp/", json=body, headers=HEADERS)
            assert refused.status_code == 400
            assert "data: URL" in refused.json()["error"]


def test_without_the_package_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None if name == "mcp" else object())
    assert run(module.demo, ["--mcp"]) == 2
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    assert "pip install 'gradio[mcp]'" in errors
