"""Proxies that serve the server below a path."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("starlette")

from adain.server.checks.forwarded import below, placed


def asked(path: str, **headers: str) -> dict[str, Any]:
    pairs = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    return {"type": "http", "path": path, "scheme": "http", "root_path": "", "headers": pairs}


@pytest.mark.parametrize(
    ("root_path", "headers", "path", "prefix"),
    [
        ("", {}, "/v1/models", ""),
        ("/adain", {}, "/v1/models", "/adain"),  # cut off by the proxy
        ("/adain", {}, "/adain/v1/models", "/adain"),  # or not
        ("", {"x_forwarded_prefix": "/a/b/"}, "/v1/models", "/a/b"),
        ("", {"x_forwarded_prefix": "/a, /b"}, "/v1/models", "/a"),
        ("/v1", {}, "/v1/v1/models", "/v1"),
        ("", {"x_forwarded_prefix": "//evil.example"}, "/v1/models", ""),
        ("", {"x_forwarded_prefix": '/"><script>'}, "/v1/models", ""),
        ("", {"x_forwarded_prefix": "javascript:x"}, "/v1/models", ""),
    ],
)
def test_the_path_is_cut(root_path: str, headers: dict[str, str], path: str, prefix: str) -> None:
    scope = placed(asked(path, **headers), root_path)
    assert (scope["path"], scope["root_path"]) == ("/v1/models", prefix)
    inner = below(scope)
    assert (inner["path"], inner["root_path"]) == (f"{prefix}/v1/models", prefix)


def test_a_whole_address_says_the_host_too() -> None:
    scope = placed(asked("/", host="10.0.0.1:7860"), "https://example.com/adain")
    headers = dict(scope["headers"])
    assert scope["scheme"] == "https" and scope["root_path"] == "/adain"
    assert headers[b"host"] == headers[b"x-forwarded-host"] == b"example.com"
    assert dict(below(scope)["headers"])[b"x-forwarded-host"] == b"example.com/adain"
