"""What the REST service does for a request, within the request queue."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from fastapi import UploadFile
from starlette.exceptions import HTTPException

from adain import AdaINError, Style
from adain.drawings import catalog
from adain.errors import found_error
from adain.images import encode_image
from adain.images.picture import FloatArray, Picture
from adain.server.engine import Engine
from adain.server.schemas import EncodedStyle
from adain.server.style_store import StyleStore
from adain.stylizer import STYLE_SIDE

SIZE, DEVICE, TOOK = "X-Adain-Size", "X-Adain-Device", "X-Adain-Milliseconds"


@dataclass(frozen=True)
class How:
    """The plain fields of a request to stylize."""

    alpha: float
    model: str
    max_side: int | None
    style_size: int
    format: str
    quality: int
    colours: Literal["style", "luminance", "matched"]


@dataclass
class Service:
    """The work behind the routes; its methods run in the engine's queue."""

    engine: Engine
    styles: StyleStore

    def stylize(
        self, content: UploadFile, style: UploadFile | None, style_id: str | None, how: How
    ) -> tuple[bytes, dict[str, str]]:
        """An encoded picture and the headers that tell of it."""
        started = time.perf_counter()
        picture = self._picture("content", content, how.max_side)
        given = self._sent("style", style, how) if style else self._known(style_id or "", how)
        with self.engine.queue.computing():
            machine = self.engine.stylizer(how.model)
            result = machine.stylize_picture(
                picture, given, how.alpha, colours=how.colours, style_size=None
            )
        body = _encoded(result, how.format, how.quality)
        return body, {
            SIZE: f"{result.width}x{result.height}",
            DEVICE: machine.device,
            TOOK: f"{(time.perf_counter() - started) * 1000:.1f}",
            "Cache-Control": "no-store",
        }

    def encode(self, file: UploadFile, model: str) -> EncodedStyle:
        rgb = self._picture("file", file, STYLE_SIDE).rgb
        with self.engine.queue.computing():
            style = self.engine.stylizer(model).encode_style(rgb, max_side=None)
        name, expires = self.styles.add(style)
        until = datetime.fromtimestamp(expires, UTC)
        return EncodedStyle(id=name, model=model, vector=style.vector.tolist(), expires=until)

    def _read(self, field: str, file: UploadFile) -> bytes:
        file.file.seek(0)
        data = file.file.read()
        limit = self.engine.settings.max_upload
        if len(data) > limit:
            raise HTTPException(413, f"{field}: found {len(data):,} bytes; allowed: {limit:,}")
        return data

    def _decoded(self, field: str, data: bytes, max_side: int | None) -> Picture:
        try:
            return self.engine.picture(data, max_side)
        except AdaINError as error:
            raise AdaINError(str(error).replace("the bytes:", f"{field}:", 1)) from error

    def _picture(self, field: str, file: UploadFile, max_side: int | None) -> Picture:
        return self._decoded(field, self._read(field, file), max_side)

    def _sent(self, field: str, file: UploadFile, how: How) -> Style | FloatArray:
        data = self._read(field, file)

        def seen() -> FloatArray:
            return self._decoded(field, data, how.style_size).rgb

        return self._seen(data, seen, how)

    def _seen(
        self, source: Path | bytes, seen: Callable[[], FloatArray], how: How
    ) -> Style | FloatArray:
        # To keep or to match colours, a style must be seen beside the content.
        if how.colours != "style":
            return seen()
        return self.engine.style(source, how.model, seen, how.style_size)

    def _known(self, name: str, how: How) -> Style | FloatArray:
        if name in catalog.STYLES:
            path = catalog.drawn({name: catalog.STYLES[name]})[0]
            return self._seen(path, lambda: self.engine.picture(path, how.style_size).rgb, how)
        style = self.styles.get(name)
        if style is None:
            raise found_error(
                "style_id", repr(name), "an id that has not expired, or a name of GET /v1/styles"
            )
        return style


def _encoded(picture: Picture, format: str, quality: int) -> bytes:
    if format != "png":
        return encode_image(picture, f".{format}", quality=quality)
    buffer = io.BytesIO()
    # A result is sent once and read at once: half the time for a tenth more bytes.
    picture.to_pil().save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
