"""The fields of the service's forms: what each may be, and what may stand beside what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, get_origin

from fastapi import File, Form, Query, Request, UploadFile
from pydantic import Field
from starlette.exceptions import HTTPException

from adain.colours import Colours
from adain.drawings import catalog
from adain.errors import AdaINError, found_error
from adain.images import MAX_SIDE
from adain.options import STYLE_SIDE, about
from adain.registry import NAME_LENGTH
from adain.server.brush import BRUSHES
from adain.server.offered import SIDES
from adain.video.options import MOST_BETWEEN, parse_style_at
from adain.video.options import about as about_video

MOST_STYLES = 8

MOST_SECONDS = 1e6  # of a time in a video

KINDS = "JPEG, PNG, TIFF, BMP, GIF, PPM, WebP or AVIF."
ALPHA, SMOOTH, MAX_SIZE = map(about, ("alpha", "smooth", "max_side"))
STYLE_SIZE, COLOURS = map(about, ("style_size", "colours"))

Model = Annotated[
    str,
    Form(
        max_length=NAME_LENGTH,
        description="One of `GET /v1/models`, imported ones included.",
        examples=["fast"],
    ),
]
Content = Annotated[UploadFile | None, File(description=f"{KINDS} Or content_id.")]
ContentId = Annotated[
    str | None, Form(max_length=100, description="A name of `GET /v1/photos`.", examples=["city"])
]
Picture = Annotated[UploadFile, File(description=KINDS)]
Styles = Annotated[
    list[UploadFile],
    File(
        default_factory=list,
        max_length=MOST_STYLES,
        description=f"{KINDS} Several are mixed, or go where their masks are; {MOST_STYLES} in"
        " all with those of `style_id`, which come after these.",
    ),
]
StyleIds = Annotated[
    list[Annotated[str, Field(max_length=100)]],
    Form(
        default_factory=list,
        max_length=MOST_STYLES,
        description="Of `POST /v1/styles`, or a name of `GET /v1/styles`.",
        examples=[["great-wave"], ["great-wave", "night"]],
    ),
]
Weights = Annotated[
    list[Annotated[float, Field(ge=0, allow_inf_nan=False)]],
    Form(
        default_factory=list,
        max_length=MOST_STYLES,
        description="The share of each style in the mixture, 0 and more, not all 0; by default"
        " equal ones.",
        examples=[[0.7, 0.3]],
    ),
]
Masks = Annotated[
    list[UploadFile],
    File(
        default_factory=list,
        max_length=MOST_STYLES,
        description="A gray picture for each style, white where it goes, of any size; what none"
        " covers stays content. Where several meet, the styles mix, by their weights.",
    ),
]
StrengthMap = Annotated[
    UploadFile | None,
    File(description="A gray picture of any size: alpha where it is white, 0 where it is black."),
]
Alpha = Annotated[
    float, Form(ge=ALPHA["low"], le=ALPHA["high"], description=ALPHA["help"], examples=[0.8])
]
Smooth = Annotated[
    float, Form(ge=SMOOTH["low"], le=SMOOTH["high"], description=SMOOTH["help"], examples=[0.5])
]
Side = Annotated[
    int | None, Form(ge=MAX_SIZE["low"], le=MAX_SIDE, description=MAX_SIZE["help"], examples=[1024])
]
# What a service computes for others has limits of its own.
StyleSize = Annotated[int, Form(ge=16, le=2048, description=STYLE_SIZE["help"])]
Brush = Annotated[
    float | None,
    Form(
        ge=BRUSHES[0],
        le=BRUSHES[1],
        description=f"In place of style_size: how many times larger than usual, {STYLE_SIDE}"
        " pixels, a style is looked at, which makes its strokes so much broader. Of pictures and"
        " of names of `GET /v1/styles`.",
        examples=[1.5],
    ),
]
ShownSide = Annotated[
    int | None,
    Query(
        ge=SIDES[0],
        le=SIDES[1],
        description="Bring the long side down to this; by default it is the file itself.",
    ),
]
Format = Annotated[Literal["png", "jpeg", "webp"], Form(description="Of the result.")]
Quality = Annotated[int, Form(ge=1, le=100, description="Of JPEG and WebP.")]
OfWhich = Annotated[Colours, Form(description=COLOURS["help"])]

Video = Annotated[
    UploadFile,
    File(
        description="A video that FFmpeg reads, such as MP4, MOV, MKV or WebM; a GIF, APNG or WebP."
    ),
]
Steady = Annotated[float, Form(ge=0, le=1, description=about_video("steady"), allow_inf_nan=False)]
Every = Annotated[int, Form(ge=1, le=MOST_BETWEEN, description=about_video("stylize_every"))]
Start = Annotated[
    float | None,
    Form(ge=0, le=MOST_SECONDS, allow_inf_nan=False, description=about_video("start")),
]
End = Annotated[
    float | None,
    Form(gt=0, le=MOST_SECONDS, allow_inf_nan=False, description=about_video("end")),
]
Rate = Annotated[
    float | None, Form(ge=1, le=60, allow_inf_nan=False, description=about_video("fps"))
]
StyleAt = Annotated[
    list[Annotated[str, Field(max_length=200)]],
    Form(
        default_factory=list,
        max_length=MOST_STYLES,
        description="`TIME=STYLE`: the style that the video is wholly in at a time, in seconds, or"
        " as 1:02:03.5; between two times their styles are mixed. STYLE is what `style_id` takes;"
        " `TIME` alone has the next of `style_at_file`. Not beside masks or colours `matched`.",
        examples=[["10=great-wave"], ["10=great-wave", "0:20"]],
    ),
]
StyleAtFiles = Annotated[
    list[UploadFile],
    File(
        default_factory=list,
        max_length=MOST_STYLES,
        description=f"{KINDS} One for each `style_at` that is a time alone, in their order.",
    ),
]
VideoFormat = Annotated[
    Literal["mp4", "webm", "mov", "mkv", "gif", "webp"], Form(description="Of the result.")
]
Crf = Annotated[int | None, Form(ge=0, le=63, description=about_video("crf"))]


async def check_fields(request: Request) -> None:
    """Refuse fields that nothing would be made of, such as misspelt ones and second values."""
    fields = request.scope["route"].dependant.body_params
    known = [field.alias for field in fields]
    form = await request.form()
    unknown = sorted(set(form) - set(known))
    if unknown:
        raise HTTPException(422, f"{unknown[0][:100]}: no such field; allowed: {', '.join(known)}")
    for field in fields:
        count = len(form.getlist(field.alias))
        if count > 1 and get_origin(field.field_info.annotation) is not list:
            raise _wrong(field.alias, f"{count} of them", "one")
    if "brush" in form and "style_size" in form:
        raise _wrong("style_size, brush", "both", "one of them")


def chosen(file: UploadFile | None) -> UploadFile | None:
    """A file, None for that of a browser's field in which none was chosen."""
    return file if file is not None and (file.filename or file.size) else None


def given_content(file: UploadFile | None, name: str | None) -> UploadFile | str:
    """The one of the two that is given; AdaINError for a name that there is none by."""
    if name and file:
        raise _wrong("content, content_id", "both", "one of them")
    if name and name not in catalog.CONTENTS:
        raise found_error("content_id", repr(name), "a name of GET /v1/photos")
    if not file and not name:
        raise _wrong("content, content_id", "neither", "one of them")
    return file or name or ""


def check_mixture(styles: int, weights: Sequence[float], masks: int) -> None:
    """Refuse numbers of styles, weights and masks that do not go together."""
    if not styles:
        raise _wrong("style, style_id", "neither", f"1 to {MOST_STYLES} of them")
    if styles > MOST_STYLES:
        raise _wrong("style, style_id", f"{styles} of them", f"1 to {MOST_STYLES} of them")
    for name, count in (("weight", len(weights)), ("mask", masks)):
        if count not in (0, styles):
            found = f"{count} for {styles} style" + "s" * (styles != 1)
            raise _wrong(name, found, "one for each style")
    if weights and not any(weights):
        raise _wrong("weight", "0 for every style", "numbers of 0 and more, not all 0")


def given_style_at(
    texts: Sequence[str], files: Sequence[UploadFile]
) -> dict[float, UploadFile | str]:
    """The style of each time: a name or an id, or where there is none, the next of the files."""
    try:
        times = parse_style_at(texts, "style_at", alone=True)
    except AdaINError as error:
        raise HTTPException(422, str(error)) from None
    for time in times:
        if time > MOST_SECONDS:
            raise _wrong("style_at", f"{time:g} s", f"at most {MOST_SECONDS:,.0f} s")
    alone = sum(not style for style in times.values())
    if len(files) != alone:
        found = f"{len(files)} for {alone} style_at that are a time alone"
        raise _wrong("style_at_file", found, "one for each")
    following = iter(files)
    return {time: style or next(following) for time, style in times.items()}


def _wrong(name: str, found: str, allowed: str) -> HTTPException:
    return HTTPException(422, str(found_error(name, found, allowed)))
