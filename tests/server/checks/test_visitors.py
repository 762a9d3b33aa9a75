"""Visitors of the page: whose cookie counts, and from where."""

from __future__ import annotations

import pytest

from adain.server.asgi import Scope
from adain.server.checks.visitors import visitor


def scope(method: str, **headers: str) -> Scope:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": method, "headers": pairs}


@pytest.mark.parametrize(
    ("method", "headers", "known"),
    [
        ("GET", {"host": "here"}, True),
        ("POST", {"host": "here", "origin": "http://here"}, True),
        ("POST", {"host": "inside", "x_forwarded_host": "here", "origin": "https://here"}, True),
        ("POST", {"host": "here", "origin": "http://elsewhere"}, False),
        ("POST", {"host": "here", "origin": "null"}, False),
        ("POST", {"host": "here"}, False),
    ],
)
def test_a_form_of_another_site_is_not_its_visitors(
    method: str, headers: dict[str, str], known: bool
) -> None:
    assert visitor(scope(method, **headers), lambda _: "ann") == ("ann" if known else None)


def test_nobody_has_signed_in() -> None:
    assert visitor(scope("GET"), lambda _: None) is None
