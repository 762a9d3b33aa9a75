"""The page that describes the service."""

from __future__ import annotations

import json

import httpx


def test_the_documentation_needs_no_network(client: httpx.Client) -> None:
    answer = client.get("/v1/docs")
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
    assert "http" not in answer.text.replace(str(client.base_url), "")
    for path in json.loads(client.get("/v1/openapi.json").text)["paths"]:
        assert path in answer.text
