"""What the REST service does for a request, within the request queue."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fastapi import UploadFile
from starlette.exceptions import HTTPException

from adain import AdaINError, Style
from adain.drawings import catalog
from adain.errors import found_error
from adain.images import encode_image
from adain.images.picture import Picture
from adain.options import STYLE_SIDE, StylizeOptions
from adain.server.engine import Engine
from adain.server.schemas import EncodedStyle
from adain.server.style_store import StyleStore

SIZE, DEVICE, TOOK = "X-Adain-Size", "X-Adain-Device", "X-Adain-Milliseconds"


@dataclass
class Service:
    """The work behind the routes; its methods run in the engine's queue."""

    engine: Engine
    styles: StyleStore

    def stylize(
        self,
        content: UploadFile,
        style: UploadFile | str,
        model: str,
        options: StylizeOptions,
        format: str,
        quality: int,
    ) -> tuple[bytes, dict[str, str]]:
        """An encoded picture and the headers that tell of it; ``style`` is a file or an id."""
        started = time.perf_counter()
        picture = self._picture("content", content, options.max_side)
        if isinstance(style, str):
            given = self._known(style, model, options)
        else:
            given = self._sent(style, model, options)
        with self.engine.queue.computing():
            machine = self.engine.stylizer(model)
            result = machine.stylize_with(picture, given, options)
        body = _encoded(result, format, quality)
        return body, {
            SIZE: f"{result.width}x{result.height}",
            DEVICE: machine.device,
            TOOK: f"{(time.perf_counter() - started) * 1000:.1f}",
            "Cache-Control": "no-store",
        }

    def encode(self, file: UploadFile, model: str) -> EncodedStyle:
        self.styles.check_room()
        picture = self._picture("file", file, STYLE_SIDE)
        with self.engine.queue.computing():
            style = self.engine.stylizer(model).encode_style(picture, max_side=None)
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
            # Of the same kind: whose fault it is tells the status.
            error.args = (str(error).replace("the bytes:", f"{field}:", 1),)
            raise

    def _picture(self, field: str, file: UploadFile, max_side: int | None) -> Picture:
        return self._decoded(field, self._read(field, file), max_side)

    def _sent(self, file: UploadFile, model: str, options: StylizeOptions) -> Style | Picture:
        data = self._read("style", file)

        def load() -> Picture:
            return self._decoded("style", data, options.style_size)

        return self._style(data, load, model, options)

    def _known(self, name: str, model: str, options: StylizeOptions) -> Style | Picture:
        if name in catalog.STYLES:
            path = catalog.drawn({name: catalog.STYLES[name]})[0]

            def load() -> Picture:
                return self.engine.picture(path, options.style_size)

            return self._style(path, load, model, options)
        style = self.styles.get(name)
        if style is None:
            raise found_error(
                "style_id", repr(name), "an id that has not expired, or a name of GET /v1/styles"
            )
        return style

    def _style(
        self,
        source: Path | bytes,
        load: Callable[[], Picture],
        model: str,
        options: StylizeOptions,
    ) -> Style | Picture:
        # To keep or to match colours, a style must be seen beside the content.
        if options.colours != "style":
            return load()
        return self.engine.style(source, model, load, options.style_size)


def _encoded(picture: Picture, format: str, quality: int) -> bytes:
    if format != "png":
        return encode_image(picture, f".{format}", quality=quality)
    buffer = io.BytesIO()
    # A result is sent once and read at once: half the time for a tenth more bytes.
    picture.to_pil().save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
