"""The OpenAPI description, completed by what FastAPI does not say: security and examples."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from adain.server.paths import OPEN

SCHEME = "password"


def complete(rest: FastAPI, *, secured: bool) -> None:
    """Complete an application's description; ``secured`` is whether it asks for a password."""
    described = rest.openapi

    def openapi() -> dict[str, Any]:
        known = rest.openapi_schema is not None
        description = described()
        if not known:
            _complete(description, secured)
        return description

    rest.openapi = openapi  # type: ignore[method-assign]


def _complete(description: dict[str, Any], secured: bool) -> None:
    components = description["components"]
    basic = {"type": "http", "scheme": "basic", "description": "Where --auth was given."}
    components["securitySchemes"] = {SCHEME: basic}
    for name, schema in components["schemas"].items():
        if name.startswith("Body_"):
            schema["additionalProperties"] = False
    for path, methods in description["paths"].items():
        for operation in methods.values():
            # Either: a server says which by its first answer.
            needed: list[dict[str, list[str]]] = [{SCHEME: []}] if secured else [{}, {SCHEME: []}]
            operation["security"] = [] if path in OPEN else needed
