"""The REST service: `/v1/...`, and what those who run it ask about its health."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI, Request, UploadFile
from fastapi.responses import HTMLResponse, Response

from adain import __version__, weights
from adain.drawings import catalog
from adain.images import QUALITY
from adain.options import STYLE_SIDE, StylizeOptions
from adain.registry import DEFAULT_MODEL
from adain.server import api_docs, fields, paths
from adain.server.answering import answer
from adain.server.api_description import complete
from adain.server.engine import Engine
from adain.server.inference.routes import add_inference
from adain.server.metrics import CONTENT_TYPE, Metrics
from adain.server.offered import Offered
from adain.server.problems import handle_problems
from adain.server.queue import BusyError
from adain.server.schemas import (
    EncodedStyle,
    Gallery,
    GalleryStyle,
    ModelAbout,
    ModelFile,
    Models,
    Photo,
    Photos,
    State,
    problems,
)
from adain.server.service import DEVICE, SIZE, TOOK, Order, Service, check_model
from adain.server.style_store import Styles, StyleStore
from adain.server.video.jobs import Videos
from adain.server.video.routes import add_video

TYPES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
BINARY = {"type": "string", "format": "binary"}


def build(
    engine: Engine, metrics: Metrics, videos: Videos, styles: Styles | None = None
) -> FastAPI:
    """The service as an ASGI application; authentication and limits are the middleware's.

    ``styles`` are kept in this process by default, as ``videos`` are.
    """
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
    service = Service(engine, styles or StyleStore(engine.settings.keep))
    _add_pictures(rest, service)
    add_video(rest, service, videos)
    _add_lists(rest, service)
    _add_offered(rest)
    _add_health(rest, engine, metrics)
    add_inference(rest, engine)
    complete(rest, secured=bool(engine.settings.users))
    return rest


def _add_pictures(rest: FastAPI, service: Service) -> None:
    engine = service.engine
    headers = {
        SIZE: ("Width x height in pixels.", "string"),
        DEVICE: ("What computed it.", "string"),
        TOOK: ("From the first byte read to the last written, without the wait.", "number"),
    }
    picture = {
        "description": "The picture.",
        "content": {kind: {"schema": BINARY} for kind in TYPES.values()},
        "headers": {
            name: {"description": text, "schema": {"type": kind}}
            for name, (text, kind) in headers.items()
        },
    }
    busy = problems(400, 408, 413, 415, 422, 500, 503, 507)
    checked = [Depends(fields.check_fields)]

    @rest.post(
        paths.STYLIZE,
        response_class=Response,
        responses={200: picture, **busy},
        dependencies=checked,
    )
    async def stylize(
        request: Request,
        style: fields.Styles,
        style_id: fields.StyleIds,
        weight: fields.Weights,
        mask: fields.Masks,
        content: fields.Content = None,
        content_id: fields.ContentId = None,
        alpha: fields.Alpha = fields.ALPHA["default"],
        strength_map: fields.StrengthMap = None,
        model: fields.Model = DEFAULT_MODEL,
        max_side: fields.Side = StylizeOptions.max_side,
        style_size: fields.StyleSize = STYLE_SIDE,
        brush: fields.Brush = None,
        format: fields.Format = "png",
        quality: fields.Quality = QUALITY,
        colours: fields.OfWhich = StylizeOptions.colours,
        smooth: fields.Smooth = StylizeOptions.smooth,
    ) -> Response:
        """Repaint a picture in the manner of another, of a mixture of several, or of each in its
        place.
        """
        shown = fields.given_content(fields.chosen(content), content_id)
        styles: list[UploadFile | str] = [*filter(fields.chosen, style), *filter(None, style_id)]
        masks = [*filter(fields.chosen, mask)]
        fields.check_mixture(len(styles), weight, len(masks))
        check_model(model, engine)
        options = StylizeOptions(
            alpha=alpha,
            style_weights=weight or None,
            max_side=max_side,
            style_size=style_size if brush is None else None,
            colours=colours,
            smooth=smooth,
        )
        painted = fields.chosen(strength_map)
        order = Order(shown, styles, model, options, masks, painted, brush)
        future = engine.queue.submit(lambda: service.stylize(order, format, quality))
        body, headers = await answer(request, engine, future)
        return Response(body, media_type=TYPES[format], headers=headers)

    @rest.post(paths.STYLES, responses=busy, dependencies=checked)
    async def encode_style(
        request: Request,
        file: fields.Picture,
        model: fields.Model = DEFAULT_MODEL,
    ) -> EncodedStyle:
        """Encode a style once, for many pictures."""
        check_model(model, engine)
        future = engine.queue.submit(lambda: service.encode(file, model))
        encoded: EncodedStyle = await answer(request, engine, future)
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

    @rest.get(paths.PHOTOS)
    def photos() -> Photos:
        """The photographs and drawings that are here to be stylized."""
        return Photos(
            photos=[
                Photo(name=name, title=p.title, description=p.description, credit=p.credit)
                for name, p in catalog.CONTENTS.items()
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


def _add_offered(rest: FastAPI) -> None:
    offered = Offered()
    jpeg = {"image/jpeg": {"schema": BINARY}}
    headers = {name: {"schema": {"type": "string"}} for name in ("ETag", "Cache-Control")}
    responses: dict[int | str, dict[str, Any]] = {
        200: {"description": "A JPEG.", "content": jpeg, "headers": headers},
        304: {"description": "It is that of If-None-Match.", "headers": headers},
        **problems(404, 422),
    }

    @rest.get(paths.STYLE_PICTURE, response_class=Response, responses=responses)
    async def style_picture(
        request: Request, name: str, max_side: fields.ShownSide = None
    ) -> Response:
        """A style of the gallery."""
        return await offered.answer(request, "styles", name, max_side)

    @rest.get(paths.PHOTO_PICTURE, response_class=Response, responses=responses)
    async def photo_picture(
        request: Request, name: str, max_side: fields.ShownSide = None
    ) -> Response:
        """A photograph or drawing to be stylized."""
        return await offered.answer(request, "photos", name, max_side)


def _add_health(rest: FastAPI, engine: Engine, metrics: Metrics) -> None:
    @rest.get(paths.ALIVE)
    async def alive() -> State:
        """Whether the process answers."""
        return State(status="alive")

    @rest.get(paths.READY, responses=problems(503))
    async def ready() -> State:
        """Whether pictures are taken: 503 until a model is loaded, and while stopping."""
        if not engine.ready:
            reason = "stopping" if engine.queue.stopping else "loading its models"
            raise BusyError(f"the server is {reason}", retry_after=10)
        return State(status="ready")

    text = {"description": "Text.", "content": {"text/plain": {"schema": {"type": "string"}}}}

    @rest.get(paths.METRICS, response_class=Response, responses={200: text})
    def numbers() -> Response:
        """What was counted, for Prometheus."""
        return Response(metrics.text(), media_type=CONTENT_TYPE)


@cache
def _digest(path: Path, _: int) -> str:
    return weights.sha256(path)
