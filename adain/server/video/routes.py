"""`/v1/video`: videos are jobs, which are asked how far they are."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request, UploadFile
from fastapi import Path as InPath
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from adain.errors import MissingError
from adain.options import STYLE_SIDE, StylizeOptions
from adain.registry import DEFAULT_MODEL
from adain.server import fields, paths
from adain.server.answering import answer
from adain.server.asgi import CLIENT
from adain.server.schemas import VideoJob, problems
from adain.server.service import Order, Service, check_model
from adain.server.settings import Settings
from adain.server.video import CONTENT
from adain.server.video.job import OVER, Job, check_offered
from adain.server.video.jobs import Videos, delete
from adain.video import VideoOptions
from adain.video.options import STEADY, check_changing

TYPES = {
    "mp4": "video/mp4",
    "webm": "video/webm",
    "mov": "video/quicktime",
    "mkv": "video/x-matroska",
    "gif": "image/gif",
    "webp": "image/webp",
}
BINARY = {"type": "string", "format": "binary"}
Id = Annotated[str, InPath(max_length=100, description="Of `POST /v1/video`.")]


def add_video(rest: FastAPI, service: Service, videos: Videos) -> None:
    """Add the routes of video jobs to an application."""
    _add_order(rest, service, videos)
    _add_jobs(rest, videos)


def _add_order(rest: FastAPI, service: Service, videos: Videos) -> None:
    location = {"description": "The job's address.", "schema": {"type": "string"}}
    responses: dict[int | str, dict[str, Any]] = {
        202: {"description": "It is in line.", "headers": {"Location": location}},
        **problems(400, 408, 413, 415, 422, 500, 501, 503, 507),
    }

    @rest.post(
        paths.VIDEO,
        status_code=202,
        responses=responses,
        dependencies=[Depends(fields.check_fields)],
    )
    async def stylize_video(
        request: Request,
        response: Response,
        content: fields.Video,
        style: fields.Styles,
        style_id: fields.StyleIds,
        weight: fields.Weights,
        mask: fields.Masks,
        style_at: fields.StyleAt,
        style_at_file: fields.StyleAtFiles,
        alpha: fields.Alpha = fields.ALPHA["default"],
        strength_map: fields.StrengthMap = None,
        model: fields.Model = DEFAULT_MODEL,
        max_side: fields.Side = StylizeOptions.max_side,
        style_size: fields.StyleSize = STYLE_SIDE,
        brush: fields.Brush = None,
        colours: fields.OfWhich = StylizeOptions.colours,
        smooth: fields.Smooth = StylizeOptions.smooth,
        steady: fields.Steady = STEADY,
        stylize_every: fields.Every = VideoOptions.stylize_every,
        start: fields.Start = None,
        end: fields.End = None,
        fps: fields.Rate = None,
        format: fields.VideoFormat = "mp4",
        crf: fields.Crf = None,
    ) -> VideoJob:
        """Put a video in line, to be repainted in the manner of a picture, of a mixture, of each
        in its place, or of one after the other.
        """
        try:
            check_offered(videos.settings)
        except MissingError as error:
            raise HTTPException(501, str(error)) from None
        styles: list[UploadFile | str] = [*filter(fields.chosen, style), *filter(None, style_id)]
        masks = [*filter(fields.chosen, mask)]
        fields.check_mixture(len(styles), weight, len(masks))
        files = [*filter(fields.chosen, style_at_file)]
        later = fields.given_style_at([*filter(None, style_at)], files)
        painted = fields.chosen(strength_map)
        others = [*filter(fields.chosen, style), *masks, *files, *filter(None, [painted])]
        _check_bytes(content, others, videos.settings)
        if later:
            check_changing(masked=bool(masks), colours=colours)
        check_model(model, service.engine)
        options = StylizeOptions(
            alpha=alpha,
            style_weights=weight or None,
            max_side=max_side,
            style_size=style_size if brush is None else None,
            colours=colours,
            smooth=smooth,
        )
        video = VideoOptions(
            steady=steady, stylize_every=stylize_every, start=start, end=end, fps=fps, crf=crf
        )
        order = Order(content, styles, model, options, masks, painted, brush, later)
        engine = service.engine
        encoding = engine.queue.submit(lambda: service.styles_of(order))
        encoded, at = await answer(request, engine, encoding)
        video = replace(video, style_at=at)
        client = CLIENT.get("")
        owner = client if engine.settings.users else ""
        name, folder = videos.new_folder()
        job = Job(name, client, owner, folder, model, encoded, options, video, format)

        def look() -> None:
            with open(folder / CONTENT, "xb") as file:
                content.file.seek(0)
                shutil.copyfileobj(content.file, file, 1 << 20)
            videos.check(job)

        try:
            await run_in_threadpool(look)
            if masks or painted:
                # Now that the size of its frames is known: larger ones are not kept.
                size = job.width, job.height
                mapping = engine.queue.submit(lambda: service.with_maps(order, *size))
                job.options = await answer(request, engine, mapping)
            await run_in_threadpool(videos.add, job)
        except BaseException:
            delete(folder)
            raise
        response.headers["Location"] = _address(request, job)
        return _about(request, videos, job)


def _check_bytes(content: UploadFile, others: Sequence[UploadFile], settings: Settings) -> None:
    """Refuse (413) a video, or files beside it, that use what the body has for the other."""
    beside = sum(file.size or 0 for file in others)
    for name, size, limit in (
        ("content", content.size or 0, settings.max_video),
        ("the files beside content", beside, paths.FORMS[paths.VIDEO] * settings.max_upload),
    ):
        if size > limit:
            raise HTTPException(413, f"{name}: found {size:,} bytes; allowed: {limit:,}")


def _add_jobs(rest: FastAPI, videos: Videos) -> None:
    def job_of(name: str) -> Job:
        job = videos.find(name, CLIENT.get(""))
        if job is None:
            raise HTTPException(404, "there is no such video, or no longer")
        return job

    @rest.get(paths.VIDEO_JOB, responses=problems(404, 422))
    def video(request: Request, id: Id) -> VideoJob:
        """How far a video is."""
        return _about(request, videos, job_of(id))

    @rest.delete(paths.VIDEO_JOB, status_code=204, responses=problems(404, 422))
    def delete_video(id: Id) -> None:
        """Cancel a video that waits or is made, and delete one that is over."""
        videos.cancel(job_of(id))

    found = {kind: {"schema": BINARY} for kind in TYPES.values()}
    part = {"description": "The part that Range asks for.", "content": found}
    responses: dict[int | str, dict[str, Any]] = {
        200: {"description": "The video.", "content": found},
        206: part,
        **problems(404, 409, 416, 422),
    }

    @rest.get(paths.VIDEO_FILE, response_class=Response, responses=responses)
    def video_file(id: Id) -> Response:
        """A video that is done."""
        job = job_of(id)
        if job.state != "done":
            raise HTTPException(
                409, f"the video is {job.state}" + ("" if job.state in OVER else " still")
            )
        return _File(job.result, TYPES[job.format])


class _File(FileResponse):
    """A file, or a part of it; what cannot be answered is a problem, as everywhere."""

    def __init__(self, path: Path, kind: str) -> None:
        # Without a name: whoever saves it has given it one.
        super().__init__(path, media_type=kind, headers={"Cache-Control": "no-store"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused: list[Message] = []

        async def checked(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                refused.append(message)
            if not refused:
                await send(message)

        await super().__call__(scope, receive, checked)
        if refused:
            kept = {
                k.decode(): v.decode() for k, v in refused[0]["headers"] if k == b"content-range"
            }
            size = Path(os.fspath(self.path)).stat().st_size
            line = f"Range: found one that is none; allowed: bytes=0-{size - 1} and parts of it"
            await JSONResponse({"error": line}, 416, kept)(scope, receive, send)


def _address(request: Request, job: Job) -> str:
    return f"{request.scope.get('root_path', '')}{paths.VIDEO}/{job.id}"


def _about(request: Request, videos: Videos, job: Job) -> VideoJob:
    expires = None
    if job.expires is not None:
        expires = datetime.now(UTC) + timedelta(seconds=job.expires - monotonic())
    return VideoJob(
        id=job.id,
        state=job.state,
        before=videos.before(job),
        frames=job.frames,
        total=job.total,
        frames_per_second=job.rate,
        seconds_left=job.left,
        width=job.width,
        height=job.height,
        notes=job.notes,
        error=job.error,
        file=f"{_address(request, job)}/file" if job.state == "done" else None,
        expires=expires,
    )
