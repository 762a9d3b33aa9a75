"""What the REST service answers to what goes wrong: a status, and one line."""

from __future__ import annotations

import errno
import logging
import re
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from adain import AdaINError
from adain.errors import DeviceError, found_error
from adain.server.asgi import found_line
from adain.server.queue import BusyError

# Of what goes wrong while a form is read or an answer is made: no memory, disk or files left.
EXHAUSTED = (errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.EMFILE, errno.ENFILE)

log = logging.getLogger(__name__)


def handle_problems(rest: FastAPI) -> None:
    """Have an application answer errors with one line of JSON."""
    rest.exception_handler(AdaINError)(_unusable)
    rest.exception_handler(DeviceError)(_failed)
    rest.exception_handler(BusyError)(_busy)
    rest.exception_handler(HTTPException)(_refused)
    rest.exception_handler(RequestValidationError)(_invalid)
    rest.exception_handler(MemoryError)(_exhausted)
    rest.exception_handler(OSError)(_exhausted)


def _problem(status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    line = "".join(c if c.isprintable() else "?" for c in " ".join(message.split()))
    return JSONResponse({"error": line[:500]}, status, headers)


async def _unusable(_: Request, error: Exception) -> Response:
    return _problem(400, str(error))


async def _failed(_: Request, error: Exception) -> Response:
    log.error("%s", error)
    # Where files lie on this machine is for the log alone.
    line = re.sub(r"(?<!\S)/\S*/", "", str(error))
    return _problem(500, f"the server failed: {line}")


async def _busy(_: Request, error: Exception) -> Response:
    assert isinstance(error, BusyError)
    return _problem(503, str(error), {"Retry-After": str(error.retry_after)})


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    cause = error.__cause__
    if isinstance(cause, (MemoryError, OSError)):
        # A form that could not be kept is no mistake of its sender.
        return await _exhausted(request, cause)
    headers = dict(error.headers or {})
    return _problem(error.status_code, str(error.detail), headers)


async def _exhausted(_: Request, error: Exception) -> Response:
    log.error("%s", found_line(error))
    if isinstance(error, MemoryError) or getattr(error, "errno", None) in EXHAUSTED:
        return _problem(507, "the server has no room for this request", {"Retry-After": "60"})
    return _problem(500, "the server failed")


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # Each of several values may be wrong alike.
    return _problem(422, "; ".join(dict.fromkeys(map(_wrong, error.errors()))))


def _wrong(about: dict[str, Any]) -> str:
    """What is wrong with a field, in one line."""
    place = [str(each) for each in about["loc"][1:]]
    name, given = (*place, "")[0], about["input"]
    # Of files, whose kind FastAPI checks, it speaks by the names of its own classes.
    if isinstance(given, str) and "UploadFile" in about["msg"]:
        return str(found_error(name, "text", f"a file, which curl sends by {name}=@FILE"))
    if isinstance(given, UploadFile):
        return str(found_error(name, "a file", f"a value, which curl sends by {name}=VALUE"))
    return f"{'.'.join(place)}: {about['msg']}"
