"""The two tools of the Model Context Protocol, as the real page offers them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from serving import PAGE, picture, pixels, serving

from adain import Stylizer
from adain.drawings import catalog

pytest.importorskip("mcp")

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


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serving("--mcp", "--auth", "a:b", program=PAGE) as demo:
        with demo.client() as stranger:
            assert stranger.post("/gradio_api/mcp/", json={}).status_code == 401
        with demo.client(auth=("a", "b")) as client:
            yield client


def test_there_are_two_tools_with_their_parameters(client: httpx.Client) -> None:
    tools = {tool["name"]: tool for tool in call(client, "tools/list")["tools"]}
    assert set(tools) == {"stylize", "stylize_in"}
    for tool in tools.values():
        schema = tool["inputSchema"]
        assert set(schema["properties"]) == {"content", "style", "strength", "model"}
        assert set(schema["required"]) == {"content", "style"}
        assert all(each["description"] for each in schema["properties"].values())
        assert tool["description"].startswith("Repaint a picture in")


def test_a_picture_in_the_style_of_another(client: httpx.Client, stylizer: Stylizer) -> None:
    content, style = picture(60, 40, 1), picture(50, 50, 2)
    pictures = {"content": data_url(content), "style": data_url(style)}
    for strength in ({"strength": 0.5}, {"strength": 0.5, "model": "fast"}, {}):
        failed, answer = use(client, "stylize", **pictures, **strength)
        assert not failed, answer
        wanted = np.asarray(stylizer.stylize(content, style, strength.get("strength", 1.0)))
        assert np.array_equal(pixels(base64.b64decode(answer["data"])), wanted)


def test_a_picture_in_a_style_of_the_server(client: httpx.Client, stylizer: Stylizer) -> None:
    content = picture(60, 40, 1)
    named = {"content": data_url(content), "style": "night", "model": "fast", "strength": 0.25}
    failed, answer = use(client, "stylize_in", **named)
    assert not failed, answer
    night = catalog.file_of("night")
    wanted = np.asarray(stylizer.stylize(content, night, 0.25))
    assert np.array_equal(pixels(base64.b64decode(answer["data"])), wanted)


def test_mistakes_are_told(client: httpx.Client) -> None:
    content = data_url(picture(60, 40, 1))
    for wrong in ({"model": "vgg16"}, {"style": "nobody"}, {"content": "/etc/passwd"}):
        failed, _ = use(client, "stylize_in", **{"content": content, "style": "night"} | wrong)
        assert failed, wrong
    failed, answer = use(client, "stylize_in", content=data_url(b"no picture"), style="night")
    assert failed
    assert "content: found" in answer["text"]
    address = {"content": "http://127.0.0.1:9/a.png", "style": "night"}
    parameters = {"name": "stylize_in", "arguments": address}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": parameters}
    refused = client.post("/gradio_api/mcp/", json=body, headers=HEADERS)
    assert refused.status_code == 400
    assert "data: URL" in refused.json()["error"]
