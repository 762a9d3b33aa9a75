"""The log: lines of text or of JSON, none of them long."""

from __future__ import annotations

import json
import logging

import pytest

pytest.importorskip("starlette")

from serving import SERVICE, picture, serving

from adain.server.asgi import REQUEST_ID
from adain.server.logs import LONGEST, JsonFormatter, TextFormatter, request_id


def test_no_line_is_long() -> None:
    record = logging.makeLogRecord({"levelname": "ERROR", "msg": "a" + "x" * 19_000_000 + "z"})
    text = TextFormatter().format(record)
    assert len(text) < LONGEST + 100 and text.endswith("z")
    assert len(JsonFormatter().format(record)) < LONGEST + 200


def test_ids_are_taken_from_proxies_that_give_names() -> None:
    assert request_id("a-1.b:2") == "a-1.b:2"
    made = {request_id(given) for given in ("", "a\nb", "x" * 65, "é", '"')}
    assert len(made) == 5 and all(len(name) == 16 for name in made)
    token = REQUEST_ID.set("abc")
    line = TextFormatter().format(logging.makeLogRecord({"msg": "x", "levelname": "INFO"}))
    assert line.endswith("[abc] INFO: x")
    REQUEST_ID.reset(token)


def test_requests_are_logged_as_json() -> None:
    with serving("--log-format", "json", program=SERVICE) as server, server.client() as client:
        named = {"X-Request-ID": "mine-7"}
        files = {"content": ("a.png", picture()), "style": ("b.png", b"no picture")}
        answer = client.post("/v1/stylize", files=files, headers=named)
        assert answer.headers["x-request-id"] == "mine-7"
        other = client.get("/v1/nothing/%0Ax")
        assert len(other.headers["x-request-id"]) == 16
        assert client.get("/healthz").status_code == 200
    lines = [json.loads(line) for line in server.log.splitlines()]
    first, second = lines  # of health that is well there is none
    assert first["request"] == "mine-7" and first["client"] == "127.0.0.1"
    assert (first["method"], first["path"], first["status"]) == ("POST", "/v1/stylize", 400)
    assert first["received"] > 100 and first["sent"] > 10 and "time" in first
    assert second["path"] == "/v1/nothing/?x" and second["status"] == 404


def test_they_need_not_be_logged() -> None:
    with serving("--no-access-log", program=SERVICE) as server, server.client() as client:
        client.get("/v1/models")
    assert server.log == ""
