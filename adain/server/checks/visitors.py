"""Visitors of the page, whose script asks the service by the page's cookie (a session cookie)."""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import Headers

from adain.server.asgi import Scope


def visitor(scope: Scope, user: Callable[[Scope], str | None]) -> str | None:
    """Who has signed in to the page, by ``user``; None where nobody has, or another site asks.

    A page of another site may have its visitor's browser send a form here, cookie and all
    (cross-site request forgery), but not without saying where it is from.
    """
    headers = Headers(scope=scope)
    if scope["method"] not in ("GET", "HEAD"):
        origin = headers.get("origin", "").partition("://")[2]
        if not origin or origin not in (headers.get("host"), headers.get("x-forwarded-host")):
            return None
    return user(scope)
