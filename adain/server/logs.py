"""What the server writes to its log: lines of text, or of JSON, each with the request's id."""

from __future__ import annotations

import json
import logging
import re
import secrets
from datetime import UTC, datetime

from adain.server.asgi import REQUEST_ID

LONGEST = 2000  # characters of a line; what a client sent may be in it
ACCESS = logging.getLogger("adain.access")
ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)


def set_up(form: str, access: bool) -> None:
    """Log to stderr as ``"text"`` or ``"json"``; ``access`` is whether requests are logged."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logging.basicConfig(handlers=[handler], force=True)
    ACCESS.setLevel(logging.INFO if access else logging.CRITICAL)


def request_id(given: str) -> str:
    """What a proxy calls a request, where that is a name; else a new one."""
    return given if ID.fullmatch(given) else secrets.token_hex(8)


def log_access(**about: object) -> None:
    """A line for an answered request: its client, method, path, status and sizes, in this order."""
    line = "%s %s %s %s, %s ms, %s bytes in, %s out"
    ACCESS.info(line, *about.values(), extra={"about": about})


class TextFormatter(logging.Formatter):
    """``TIME LEVEL [request] message``."""

    def __init__(self) -> None:
        super().__init__("%(levelname)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        name = REQUEST_ID.get("")
        line = _short(super().format(record))
        return f"{_time(record)} {f'[{name}] ' if name else ''}{line}"


class JsonFormatter(logging.Formatter):
    """A JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, object] = {"time": _time(record), "level": record.levelname.lower()}
        if name := REQUEST_ID.get(""):
            told["request"] = name
        about = getattr(record, "about", None)
        if about is not None:
            told |= about
        else:
            told |= {"logger": record.name, "message": _short(record.getMessage())}
        if record.exc_info:
            told["traceback"] = _short(self.formatException(record.exc_info), 4 * LONGEST)
        return json.dumps(told)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _short(text: str, longest: int = LONGEST) -> str:
    # The end of a traceback says what was wrong.
    return text if len(text) <= longest else f"{text[: longest // 2]} ... {text[-longest // 2 :]}"
