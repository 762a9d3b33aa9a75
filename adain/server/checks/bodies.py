"""Bodies of requests: of which kind and how large, and in what time they have to arrive."""

from __future__ import annotations

from starlette.datastructures import Headers

from adain.errors import MissingError
from adain.server import paths
from adain.server.asgi import CLIENT, RefusedError, Scope, too_large
from adain.server.queue import BusyError
from adain.server.settings import Settings
from adain.server.video.job import check_offered
from adain.server.video.jobs import Videos

FORM = 64_000  # bytes around the files of a form: its other fields, and the lines between
SMALL = 64_000  # bytes of a body that is neither files nor a call of a function


def body_limit(name: str, scope: Scope, settings: Settings) -> int:
    """The bytes that a body may have; RefusedError for a form that is none, or declared larger.

    ``name`` is that of the route.
    """
    path, upload = scope["path"], settings.max_upload
    limits = {"upload": upload + FORM, "call": upload, "mcp": 3 * upload}
    limit = SMALL
    if scope["method"] == "POST":
        limit = limits.get(name, SMALL)
        if path in paths.FORMS:
            _check_form(scope)
            limit = paths.FORMS[path] * upload + FORM
        if paths.INFER.fullmatch(path):
            limit = paths.TENSORS * upload + FORM
        if path == paths.VIDEO:
            limit += settings.max_video
    if declared(scope) > limit:
        raise too_large(limit)
    return limit


def declared(scope: Scope) -> int:
    """The bytes that a body is said to have; 0 where nothing is said."""
    length = Headers(scope=scope).get("content-length", "0")
    return int(length) if length.isdecimal() else 0


def arrival_seconds(scope: Scope, settings: Settings) -> float:
    """In which a body has to arrive: what is larger than other uploads gets so much more time."""
    return settings.timeout * max(1.0, declared(scope) / settings.max_upload)


def check_video(scope: Scope, limit: int, videos: Videos) -> None:
    """RefusedError where a video would not be taken, before it is sent."""
    try:
        check_offered(videos.settings)
        videos.check_room(CLIENT.get(), declared(scope) or limit)
    except MissingError as error:
        raise RefusedError(501, str(error)) from None
    except BusyError as error:
        seconds = str(error.retry_after)
        raise RefusedError(503, str(error), error.reason, retry_after=seconds) from None
    except OSError:
        message = "the server has no room for this request"
        raise RefusedError(507, message, retry_after="60") from None


def _check_form(scope: Scope) -> None:
    kind = Headers(scope=scope).get("content-type", "nothing").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise RefusedError(415, f"Content-Type: found {kind[:80]}; allowed: multipart/form-data")
