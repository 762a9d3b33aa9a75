"""Routes of the Open Inference Protocol, version 2: the ONNX files, for Triton's clients.

The protocol describes them, not the OpenAPI description of `/v1`. Authentication, limits and the
queue are those of all routes.
"""

from __future__ import annotations

import asyncio

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from adain import __version__
from adain.errors import found_error
from adain.server import paths
from adain.server.answering import answer
from adain.server.engine import Engine
from adain.server.inference import protocol
from adain.server.inference.models import Models, find
from adain.server.queue import BusyError


def add_inference(rest: FastAPI, engine: Engine) -> None:
    """Give an application the routes below `/v2`."""
    models = Models(engine)

    def ready() -> None:
        if not engine.ready:
            raise BusyError("the server is loading its models or stopping", retry_after=10)

    @rest.get(paths.V2, include_in_schema=False)
    async def server() -> JSONResponse:
        about = {"name": "adain", "version": __version__, "extensions": ["binary_tensor_data"]}
        return JSONResponse(about)

    @rest.get(paths.V2_LIVE, include_in_schema=False)
    async def live() -> JSONResponse:
        return JSONResponse({"live": True})

    @rest.get(paths.V2_READY, include_in_schema=False)
    async def server_ready() -> JSONResponse:
        ready()
        return JSONResponse({"ready": True})

    async def model_ready(name: str, version: str = protocol.VERSION) -> JSONResponse:
        await asyncio.to_thread(find, name, version)
        ready()
        return JSONResponse({"name": name, "ready": True})

    async def model(request: Request, name: str, version: str = protocol.VERSION) -> JSONResponse:
        place = await asyncio.to_thread(find, name, version)
        about = engine.queue.submit(lambda: models.about(name, place))
        return JSONResponse(await answer(request, engine, about))

    async def infer(request: Request, name: str, version: str = protocol.VERSION) -> Response:
        place = await asyncio.to_thread(find, name, version)
        encoding = request.headers.get("content-encoding", "identity")
        if encoding != "identity":
            error = found_error("content-encoding", repr(encoding[:40]), "none")
            raise HTTPException(415, str(error))
        length = request.headers.get(protocol.JSON_LENGTH)
        body = await request.body()

        def work() -> tuple[bytes, dict[str, str]]:
            call = protocol.decode(body, length, *models.signature(place))
            return protocol.encode(name, protocol.VERSION, call, models.run(place, call))

        content, headers = await answer(request, engine, engine.queue.submit(work))
        return Response(content, headers=headers)

    for path in (paths.V2_MODEL, f"{paths.V2_MODEL}/versions/{{version}}"):
        rest.add_api_route(path, model, include_in_schema=False)
        rest.add_api_route(f"{path}/ready", model_ready, include_in_schema=False)
        rest.add_api_route(f"{path}/infer", infer, methods=["POST"], include_in_schema=False)
