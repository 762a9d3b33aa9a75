"""The REST service: `/v1/...`, and what those who run it ask about its health."""

from __future__ import annotations

import asyncio
from concurrent.futures import CancelledError, Future
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, File, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException

from adain import __version__, weights
from adain.colours import Colours
from adain.drawings import catalog
from adain.errors import found_error
from adain.images import MAX_SIDE, QUALITY
from adain.options import STYLE_SIDE, StylizeOptions, about
from adain.registry import DEFAULT_MODEL, NAME_LENGTH
from adain.server import api_docs, paths
from adain.server.api_description import complete
from adain.server.engine import Engine
from adain.server.metrics import CONTENT_TYPE, Metrics
from adain.server.problems import handle_problems
from adain.server.queue import BusyError
from adain.server.schemas import (
    EncodedStyle,
    Gallery,
    GalleryStyle,
    ModelAbout,
    ModelFile,
    Models,
    State,
    problems,
)
from adain.server.service import DEVICE, SIZE, TOOK, Service
from adain.server.style_store import StyleStore

TYPES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}

Model = Annotated[
    str,
    Form(
        max_length=NAME_LENGTH,
        description="One of `GET /v1/models`, imported ones included.",
        examples=["fast"],
    ),
]
ALPHA, MAX_SIZE, STYLE_SIZE, COLOURS = map(about, ("alpha", "max_side", "style_size", "colours"))
Alpha = Annotated[
    float, Form(ge=ALPHA["low"], le=ALPHA["high"], description=ALPHA["help"], examples=[0.8])
]
Side = Annotated[
    int | None, Form(ge=MAX_SIZE["low"], le=MAX_SIDE, description=MAX_SIZE["help"], examples=[1024])
]
# What a service computes for others has limits of its own.
StyleSize = Annotated[int, Form(ge=16, le=2048, description=STYLE_SIZE["help"])]
Format = Annotated[Literal["png", "jpeg", "webp"], Form(description="Of the result.")]
Quality = Annotated[int, Form(ge=1, le=100, description="Of JPEG and WebP.")]
OfWhich = Annotated[Colours, Form(description=COLOURS["help"])]
StyleId = Annotated[
    str | None,
    Form(
        max_length=100,
        description="Of `POST /v1/styles`, or a name of `GET /v1/styles`.",
        examples=["great-wave"],
    ),
]
PICTURE = "JPEG, PNG, TIFF, BMP, GIF, PPM, WebP or AVIF."


def build(engine: Engine, metrics: Metrics) -> FastAPI:
    """The service as an ASGI application; authentication and limits are the middleware's."""
    rest = FastAPI(
        title="adain",
        version=__version__,
        summary="Arbitrary style transfer: any photo in the style of any painting.",
        description="Every answer that is no result is JSON with one field, `error`.",
        openapi_url=paths.OPENAPI,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=problems(401, 404, 405, 429, 503),
    )
    handle_problems(rest)
    service = Service(engine, StyleStore(engine.settings.keep))
    _add_pictures(rest, service)
    _add_lists(rest, service)
    _add_health(rest, engine, metrics)
    complete(rest, secured=bool(engine.settings.users))
    return rest


def _add_pictures(rest: FastAPI, service: Service) -> None:
    engine = service.engine
    headers = {
        SIZE: ("Width x height in pixels.", "string"),
        DEVICE: ("What computed it.", "string"),
        TOOK: ("From the first byte read to the last written, without the wait.", "number"),
    }
    binary = {"type": "string", "format": "binary"}
    picture = {
        "description": "The picture.",
        "content": {kind: {"schema": binary} for kind in TYPES.values()},
        "headers": {
            name: {"description": text, "schema": {"type": kind}}
            for name, (text, kind) in headers.items()
        },
    }
    busy = problems(400, 408, 413, 415, 422, 500, 503, 507)
    checked = [Depends(_check_fields)]

    @rest.post(
        paths.STYLIZE,
        response_class=Response,
        responses={200: picture, **busy},
        dependencies=checked,
    )
    async def stylize(
        request: Request,
        content: Annotated[UploadFile, File(description=PICTURE)],
        style: Annotated[UploadFile | None, File(description=f"{PICTURE} Or style_id.")] = None,
        style_id: StyleId = None,
        alpha: Alpha = ALPHA["default"],
        model: Model = DEFAULT_MODEL,
        max_side: Side = StylizeOptions.max_side,
        style_size: StyleSize = STYLE_SIDE,
        format: Format = "png",
        quality: Quality = QUALITY,
        colours: OfWhich = StylizeOptions.colours,
    ) -> Response:
        """Repaint a picture in the manner of another."""
        if style is not None and not style.filename and not style.size:
            style = None  # a browser's field in which no file was chosen
        if (style is None) == (not style_id):
            found = "neither" if style is None else "both"
            raise HTTPException(422, f"style, style_id: found {found}; allowed: one of them")
        _check_model(model, engine)
        options = StylizeOptions(
            alpha=alpha, max_side=max_side, style_size=style_size, colours=colours
        )
        given = style or style_id or ""
        future = engine.queue.submit(
            lambda: service.stylize(content, given, model, options, format, quality)
        )
        body, headers = await _answer(request, engine, future)
        return Response(body, media_type=TYPES[format], headers=headers)

    @rest.post(paths.STYLES, responses=busy, dependencies=checked)
    async def encode_style(
        request: Request,
        file: Annotated[UploadFile, File(description=PICTURE)],
        model: Model = DEFAULT_MODEL,
    ) -> EncodedStyle:
        """Encode a style once, for many pictures."""
        _check_model(model, engine)
        future = engine.queue.submit(lambda: service.encode(file, model))
        encoded: EncodedStyle = await _answer(request, engine, future)
        return encoded


def _add_lists(rest: FastAPI, service: Service) -> None:
    @rest.get(paths.STYLES)
    def styles() -> Gallery:
        """The styles that are here for the taking."""
        return Gallery(
            styles=[
                GalleryStyle(name=name, title=drawing.title, description=drawing.description)
                for name, drawing in catalog.STYLES.items()
            ]
        )

    @rest.get(paths.MODELS)
    def models() -> Models:
        """The models that are here, and what they run on."""
        devices = service.engine.devices
        found = []
        for name in weights.available_models():
            here = [p for p in weights.precisions(name) if name in weights.available_models(p)]
            files = {path for p in here for path in weights.find_model(name, p).values()}
            about = [
                ModelFile(name=path.name, sha256=_digest(path, path.stat().st_mtime_ns))
                for path in sorted(files)
            ]
            found.append(
                ModelAbout(
                    name=name,
                    precisions=here,
                    device=devices.get(name),
                    licence=weights.about(name).licence,
                    files=about,
                )
            )
        return Models(models=found)

    @rest.get(paths.DOCS, include_in_schema=False)
    def docs(request: Request) -> HTMLResponse:
        address = str(request.base_url)
        return HTMLResponse(api_docs.page(rest.openapi(), address), headers=api_docs.HEADERS)


def _add_health(rest: FastAPI, engine: Engine, metrics: Metrics) -> None:
    @rest.get(paths.ALIVE)
    async def alive() -> State:
        """Whether the process answers."""
        return State(status="alive")

    @rest.get(paths.READY, responses=problems(503))
    async def ready() -> State:
        """Whether pictures are taken: 503 until a model is loaded, and while stopping."""
        if engine.queue.stopping or not engine.devices:
            reason = "stopping" if engine.queue.stopping else "loading its models"
            raise BusyError(f"the server is {reason}", retry_after=10)
        return State(status="ready")

    text = {"description": "Text.", "content": {"text/plain": {"schema": {"type": "string"}}}}

    @rest.get(paths.METRICS, response_class=Response, responses={200: text})
    def numbers() -> Response:
        """What was counted, for Prometheus."""
        return Response(metrics.text(), media_type=CONTENT_TYPE)


async def _answer(request: Request, engine: Engine, future: Future[Any]) -> Any:
    """A request's result; BusyError after a while, and it leaves the queue when its client does."""
    waiting = asyncio.wrap_future(future)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait(
            [waiting, gone],
            timeout=engine.settings.timeout,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if not waiting.done():
            busy = engine.queue.give_up(future, gone=gone.done())
            waiting.cancel()
            if gone.done():
                raise HTTPException(499, "the client has gone")
            raise busy
        return waiting.result()
    except (CancelledError, asyncio.CancelledError):
        if engine.queue.stopping:
            raise BusyError("the server is stopping", retry_after=10) from None
        raise
    finally:
        gone.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _check_fields(request: Request) -> None:
    """Refuse fields that nothing would be made of, such as misspelt ones."""
    known = [field.alias for field in request.scope["route"].dependant.body_params]
    unknown = sorted(set(await request.form()) - set(known))
    if unknown:
        raise HTTPException(422, f"{unknown[0][:100]}: no such field; allowed: {', '.join(known)}")


def _check_model(model: str, engine: Engine) -> None:
    here = weights.available_models()
    # One that is open goes on without its files.
    if model not in here and model not in engine.devices:
        found = f"{model!r}, which is not on this server"
        error = found_error("model", found, weights.one_of(here))
        if model in weights.models():
            raise error
        # No such model anywhere: a value that is not allowed.
        raise HTTPException(422, str(error))


@cache
def _digest(path: Path, _: int) -> str:
    return weights.sha256(path)
