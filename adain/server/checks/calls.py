"""JSON bodies on their way to the page: bounded, and naming no file or address but uploads."""

from __future__ import annotations

import json
import re
from typing import Any

from adain.server.asgi import RefusedError
from adain.server.uploads import Uploads

# Of a body, as many values at most, and of a list of calls. The page sends some dozens; parsing
# millions would hold up everybody for seconds, and take fifty times the memory of their text.
VALUES = 20_000
NAME = 200  # characters of what Gradio keeps as a key
KEYS = ("session_hash", "event_id", "trigger_id", "fn_index")


def cleaned(body: bytes, uploads: Uploads, *, mcp: bool) -> bytes:
    """The body as it may be passed on; RefusedError where it may not be.

    ``mcp`` is whether it is a message to the MCP server.
    """
    if body.count(b",") + body.count(b"[") + body.count(b"{") > VALUES:
        raise RefusedError(413, f"the body: found more than {VALUES:,} values")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise RefusedError(400, "the body is no JSON") from None
    if mcp:
        for message in value if isinstance(value, list) else [value]:
            if isinstance(message, dict) and message.get("method") == "tools/call":
                _check_names(message, uploads, addresses=True)
    else:
        _check_keys(value)
        _check_names(value, uploads)
    # Written anew, since two readers may differ in what they make of odd JSON.
    return json.dumps(value).encode()


def _check_keys(value: Any) -> None:
    for key in KEYS if isinstance(value, dict) else ():
        found = value.get(key)
        short = isinstance(found, (str, int)) and len(str(found)[: NAME + 1]) <= NAME
        if found is not None and not short:
            raise RefusedError(400, f"{key}: allowed is text of at most {NAME} characters")


def _check_names(value: Any, uploads: Uploads, addresses: bool = False) -> None:
    """Refuse paths outside the uploads; forget addresses, which Gradio would open."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            path = found.get("path")
            if path is not None and not (isinstance(path, str) and uploads.holds(path)):
                raise RefusedError(400, "path: found a file that was not uploaded")
            if "url" in found:
                found["url"] = None
            waiting.extend(found.values())
        elif isinstance(found, list):
            waiting.extend(found)
        elif addresses and isinstance(found, str) and re.match(r"\s*\w+://", found):
            raise RefusedError(400, "found an address; allowed are pictures as data: URLs")
