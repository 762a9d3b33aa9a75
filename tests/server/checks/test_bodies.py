"""How large a body may be, and how long it may take to arrive."""

from __future__ import annotations

from typing import Any

import pytest

from adain.server import paths
from adain.server.asgi import RefusedError
from adain.server.checks.bodies import FORM, SMALL, arrival_seconds, body_limit, declared
from adain.server.settings import Settings

SETTINGS = Settings(max_upload=1000, max_video=5000, timeout=10)


def scope(
    path: str, length: str = "", kind: str = "multipart/form-data", method: str = "POST"
) -> Any:
    headers = [(b"content-type", kind.encode()), (b"content-length", length.encode())]
    return {"type": "http", "method": method, "path": path, "headers": headers}


@pytest.mark.parametrize(
    ("name", "path", "limit"),
    [
        ("rest", paths.STYLIZE, 4000 + FORM),
        ("rest", paths.STYLES, 1000 + FORM),
        ("rest", paths.VIDEO, 9000 + FORM),
        ("upload", "/gradio_api/upload", 1000 + FORM),
        ("mcp", "/gradio_api/mcp", 3000),
        ("page", "/", SMALL),
    ],
)
def test_the_limit_of_a_body(name: str, path: str, limit: int) -> None:
    assert body_limit(name, scope(path), SETTINGS) == limit
    assert body_limit(name, scope(path, str(limit)), SETTINGS) == limit
    with pytest.raises(RefusedError) as caught:
        body_limit(name, scope(path, str(limit + 1)), SETTINGS)
    assert caught.value.status == 413
    assert body_limit(name, scope(path, method="GET"), SETTINGS) == SMALL


def test_forms_are_multipart() -> None:
    with pytest.raises(RefusedError, match="Content-Type: found application/json") as caught:
        body_limit("rest", scope(paths.VIDEO, kind="application/json"), SETTINGS)
    assert caught.value.status == 415


def test_what_is_larger_than_an_upload_has_more_time() -> None:
    assert declared(scope("/", "12x")) == 0
    assert arrival_seconds(scope("/", "900"), SETTINGS) == 10
    assert arrival_seconds(scope("/", "5000"), SETTINGS) == 50
