"""Whose fault it is: a full disk is not its client's."""

from __future__ import annotations

import errno

import pytest

pytest.importorskip("fastapi")

from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.exceptions import HTTPException

from adain.server.problems import handle_problems


def raised(error: Exception, cause: Exception | None = None) -> tuple[int, str]:
    app = FastAPI()
    handle_problems(app)

    @app.get("/")
    def fail() -> None:
        raise error from cause

    answer = TestClient(app, raise_server_exceptions=False).get("/")
    return answer.status_code, answer.json()["error"]


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left", "/tmp/secret"), MemoryError()]
)
def test_no_room_is_the_servers(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    wanted = (507, "the server has no room for this request")
    assert raised(error) == wanted
    parsing = HTTPException(400, "There was an error parsing the body")
    assert raised(parsing, error) == wanted  # as FastAPI says it of a form
    assert len(caplog.records) == 2


def test_other_failures_of_the_system_are_the_servers_too() -> None:
    error = FileNotFoundError(errno.ENOENT, "No such file", "/srv/adain-fast.onnx")
    assert raised(error) == (500, "the server failed")
    assert raised(HTTPException(400, "a\nb")) == (400, "a b")
