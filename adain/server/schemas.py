"""What the REST service answers, as its description says it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field


class Problem(BaseModel):
    """The answer to everything that cannot be done."""

    error: str = Field(
        description="One line that says what was found and what is allowed.",
        examples=["content: found nothing (0 bytes); allowed: a JPEG, PNG or TIFF image"],
    )


class EncodedStyle(BaseModel):
    id: str = Field(
        description="For `style_id` of `POST /v1/stylize`.", examples=["mGZ2gJr0O3v7qkQ1c8yWxA"]
    )
    model: str = Field(examples=["fast"])
    vector: list[float] = Field(
        description="The style as the model sees it.", examples=[[0.12, -0.03, 0.87]]
    )
    expires: datetime = Field(description="Until then the id is known; each use puts it off.")


class ModelFile(BaseModel):
    name: str
    sha256: str


class ModelAbout(BaseModel):
    name: str
    precisions: list[str] = Field(description="Those whose files are here.")
    device: str | None = Field(description="What it runs on; null while it is not loaded.")
    licence: str
    files: list[ModelFile]


class Models(BaseModel):
    models: list[ModelAbout]


class GalleryStyle(BaseModel):
    name: str = Field(description="For `style_id` of `POST /v1/stylize`.")
    title: str
    description: str = Field(description="What one sees in it.")


class Gallery(BaseModel):
    styles: list[GalleryStyle]


class Photo(BaseModel):
    name: str = Field(description="For `content_id` of `POST /v1/stylize`.")
    title: str
    description: str = Field(description="What one sees in it.")
    credit: str = Field(
        description="Whose it is, and its licence; nothing where that is this program's.",
        examples=["NASA, public domain"],
    )


class Photos(BaseModel):
    photos: list[Photo]


class VideoJob(BaseModel):
    id: str = Field(
        description="Nobody can guess it; whoever knows it may have the video.",
        examples=["mGZ2gJr0O3v7qkQ1c8yWxA"],
    )
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    before: int = Field(description="Videos that are made before it.")
    frames: int = Field(description="Those that are done.")
    total: int | None = Field(description="Those in all, as far as is known.")
    frames_per_second: float | None = Field(description="So far.")
    seconds_left: float | None = Field(description="To its end, at that rate.")
    width: int
    height: int
    notes: list[str] = Field(description="What is not as it was in the file.")
    error: str | None = Field(description="Why it failed.")
    file: str | None = Field(description="Where the result is, when it is there.")
    expires: datetime | None = Field(description="When it is deleted, once it is over.")


class State(BaseModel):
    status: str = Field(examples=["ready"])


PROBLEMS = {
    400: "A picture or video that cannot be used, or an unknown style.",
    401: "The server was started with --auth, and this is no such name and password.",
    404: "There is nothing at this address, or by this name.",
    405: "The address does not take this method.",
    408: "The request did not arrive in time.",
    409: "The video is not made yet, or never will be.",
    413: "The body is larger than the server takes.",
    415: "The body is not multipart/form-data.",
    422: "A field is missing, or has a value that is not allowed.",
    500: "The device failed, or a file of the model: no fault of the request.",
    416: "The Range is none of the file's.",
    429: "So many passwords were wrong that they are guesses: see Retry-After.",
    501: "Videos are not stylized here.",
    503: "The queue is full, the time is over, or the server is stopping: see Retry-After.",
    507: "The server's memory or disk is full: see Retry-After.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documentation of answers that are no result."""
    found: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        found[status] = {"model": Problem, "description": PROBLEMS[status]}
        if status in (429, 503, 507):
            seconds = {"description": "Seconds.", "schema": {"type": "integer"}}
            found[status]["headers"] = {"Retry-After": seconds}
    return found
