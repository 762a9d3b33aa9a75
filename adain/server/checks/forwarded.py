"""A proxy that serves this server below a path: where its visitors find it."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders

from adain.server.asgi import Scope
from adain.server.root_path import PREFIX, split

HEADER = "x-forwarded-prefix"


def placed(scope: Scope, root_path: str) -> Scope:
    """A request's scope with the path below which its visitor finds this server.

    That is ``root_path``, a path or a whole address, or what the proxy says in X-Forwarded-Prefix.
    The proxy may have cut it off the path or not. Afterwards the path is cut, in ``root_path`` and
    in the header is where it was cut off.
    """
    headers = Headers(scope=scope)
    origin, prefix = split(root_path)
    given = headers.get(HEADER, "").split(",")[0].strip().rstrip("/")
    if not prefix and PREFIX.fullmatch(given):
        prefix = given
    path = scope["path"]
    if prefix and (path == prefix or path.startswith(f"{prefix}/")):
        path = path[len(prefix) :] or "/"
    scope = {**scope, "path": path, "root_path": prefix, "headers": list(scope["headers"])}
    changed = MutableHeaders(scope=scope)
    if HEADER in headers or prefix:
        changed[HEADER] = prefix
    if origin is not None:
        changed["x-forwarded-host"] = origin.netloc
        changed["x-forwarded-proto"] = origin.scheme
        changed["host"] = origin.netloc
        scope["scheme"] = origin.scheme
    return scope


def below(scope: Scope) -> Scope:
    """A scope of `placed` as applications make the right addresses of it."""
    prefix = scope["root_path"]
    # As ASGI has it, the path begins with the root path.
    scope = {**scope, "path": prefix + scope["path"], "headers": list(scope["headers"])}
    headers = MutableHeaders(scope=scope)
    if prefix and "x-forwarded-host" in headers:  # of which Gradio makes an address without a path
        headers["x-forwarded-host"] = headers["x-forwarded-host"].split(",")[0].strip() + prefix
    return scope
