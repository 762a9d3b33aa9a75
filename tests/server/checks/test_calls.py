"""JSON bodies: bounded before they are parsed."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

pytest.importorskip("starlette")

from adain.server.asgi import RefusedError
from adain.server.checks.calls import VALUES, cleaned
from adain.server.uploads import Uploads


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path, 10, 10)


def test_many_values_are_refused_unparsed(uploads: Uploads) -> None:
    body = b'{"data": [' + b"[]," * 6_000_000 + b"0]}"
    started = time.process_time()
    with pytest.raises(RefusedError, match=f"more than {VALUES:,} values") as caught:
        cleaned(body, uploads, mcp=False)
    assert caught.value.status == 413
    parsing = time.process_time()
    json.loads(body)
    assert parsing - started < time.process_time() - parsing


def test_one_large_value_is_a_picture(uploads: Uploads) -> None:
    body = json.dumps({"data": ["data:image/png;base64," + "A" * 1_000_000]}).encode()
    assert cleaned(body, uploads, mcp=False) == body


@pytest.mark.parametrize("key", ["session_hash", "event_id", "trigger_id", "fn_index"])
@pytest.mark.parametrize("value", ["x" * 201, ["a"], {"a": 1}, 1.5])
def test_what_gradio_keeps_as_a_key_is_short(uploads: Uploads, key: str, value: object) -> None:
    with pytest.raises(RefusedError, match=f"{key}: allowed is text"):
        cleaned(json.dumps({"data": [], key: value}).encode(), uploads, mcp=False)
