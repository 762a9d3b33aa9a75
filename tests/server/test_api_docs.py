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


def test_the_documentation_says_what_fields_may_be(client: httpx.Client) -> None:
    text = client.get("/v1/docs").text

    def about(name: str) -> list[str]:
        return [part.partition("</dd>")[0] for part in text.split(f"<dt>{name}</dt><dd>")[1:]]

    assert "file, up to 8 times" in about("mask")[0]
    assert "number, up to 8 times" in about("weight")[0]
    assert "string, up to 8 times" in about("style_at")[0]
    assert "number, 0.25 to 2<" in about("brush")[0]
    assert "integer, 16 to 1024<" in about("max_side")[-1]
