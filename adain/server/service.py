"""What the REST service does for a request, within the request queue."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import numpy as np
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from adain import AdaINError, Style, maps, weights
from adain.drawings import catalog
from adain.errors import found_error
from adain.images import encode_image
from adain.images.picture import Picture
from adain.options import STYLE_SIDE, StylizeOptions
from adain.recipe import Recipe
from adain.server.brush import brushed
from adain.server.engine import Engine
from adain.server.schemas import EncodedStyle
from adain.server.style_store import Styles

SIZE, DEVICE, TOOK = "X-Adain-Size", "X-Adain-Device", "X-Adain-Milliseconds"
# Of a content under masks, which take a kilobyte or two for each beside those of the network.
MASKED_PIXELS = 1024 * 1024


@dataclass(frozen=True)
class Order:
    """What `POST /v1/stylize` or `/v1/video` asks for: content and styles are files or names, and
    there is a mask for each style, or none.

    ``strength_map`` is a picture of the strength, times that of the options. A ``brush`` takes the
    place of the options' ``style_size``. ``style_at`` are a video's further styles, by second.
    """

    content: UploadFile | str
    styles: Sequence[UploadFile | str]
    model: str
    options: StylizeOptions
    masks: Sequence[UploadFile] = ()
    strength_map: UploadFile | None = None
    brush: float | None = None
    style_at: Mapping[float, UploadFile | str] = field(default_factory=dict)


@dataclass
class Service:
    """The work behind the routes; its methods run in the engine's queue."""

    engine: Engine
    styles: Styles

    def stylize(self, order: Order, format: str, quality: int) -> tuple[bytes, dict[str, str]]:
        """An encoded picture and the headers that tell of it."""
        started = time.perf_counter()
        sources = self._sources(order)
        picture = self._content(order.content, order.options.max_side)
        options = self.with_maps(order, picture.width, picture.height)
        given = self._styles(sources, order)
        with self.engine.queue.computing():
            machine = self.engine.stylizer(order.model)
            result = machine.stylize_with(picture, given, options)
        body = _encoded(result, format, quality)
        return body, {
            SIZE: f"{result.width}x{result.height}",
            DEVICE: machine.device,
            TOOK: f"{(time.perf_counter() - started) * 1000:.1f}",
            "Cache-Control": "no-store",
        }

    def styles_of(self, order: Order) -> tuple[list[Style | Picture], dict[float, Style]]:
        """The styles of a video, and those of its times, which the order's model takes.

        They are encoded once and not beside each frame, as `adain.video.painter` has it: pictures
        are those alone whose colours are to be matched.
        """
        sources = self._sources(order)
        later = {at: self._source("style_at", s, order) for at, s in order.style_at.items()}
        if order.options.colours == "luminance":
            order = replace(order, options=replace(order.options, colours="style"))
        styles = self._styles(sources, order)
        others = {
            at: cast(Style, self._style(f"style_at {at:g}", source, order))
            for at, source in later.items()
        }
        Recipe.of(styles, order.options)  # what does not go together is told now
        with self.engine.queue.computing(picture=False):
            machine = self.engine.stylizer(order.model)
            for style in (*styles, *others.values()):
                if isinstance(style, Style):
                    machine.style_for(style, None, order.options)
        return styles, others

    def _sources(self, order: Order) -> list[UploadFile | Path | Style]:
        return [self._source("style_id", source, order) for source in order.styles]

    def _source(
        self, field: str, given: UploadFile | str, order: Order
    ) -> UploadFile | Path | Style:
        return given if isinstance(given, UploadFile) else self._known(field, given, order)

    def encode(self, file: UploadFile, model: str) -> EncodedStyle:
        self.styles.check_room()
        data = self._read("file", file)
        style = self.engine.style(
            data, model, lambda: self._decoded("file", data, STYLE_SIDE), STYLE_SIDE
        )
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

    def _decoded(self, field: str, data: bytes | Path, max_side: int | None) -> Picture:
        try:
            return self.engine.picture(data, max_side)
        except AdaINError as error:
            # Of the same kind: whose fault it is tells the status.
            error.args = (str(error).replace("the bytes:", f"{field}:", 1),)
            raise

    def _picture(self, field: str, file: UploadFile, max_side: int | None) -> Picture:
        return self._decoded(field, self._read(field, file), max_side)

    def _content(self, given: UploadFile | str, max_side: int | None) -> Picture:
        if isinstance(given, UploadFile):
            return self._picture("content", given, max_side)
        return self.engine.picture(catalog.file_of(given), max_side)

    def with_maps(self, order: Order, width: int, height: int) -> StylizeOptions:
        """The order's options with its masks and its map of strengths, as large as the content."""
        options = order.options
        if order.masks and width * height > MASKED_PIXELS:
            side = math.floor(max(width, height) * math.sqrt(MASKED_PIXELS / (width * height)))
            found = f"{width:,} x {height:,} pixels with masks"
            allowed = f"at most {MASKED_PIXELS:,} pixels, such as with a max_side of {side}"
            raise found_error("content", found, allowed)

        def read(field: str, file: UploadFile) -> maps.FloatArray:
            plane = maps.load_map(self._picture(field, file, None), field)
            return maps.resampled(plane, width, height)

        if order.masks:
            masks = [read(f"mask {number}", mask) for number, mask in enumerate(order.masks, 1)]
            options = replace(options, masks=masks)
        if order.strength_map is not None:
            strengths = read("strength_map", order.strength_map)
            options = replace(options, alpha=strengths * np.float32(cast(float, options.alpha)))
        return options

    def _known(self, field: str, name: str, order: Order) -> Style | Path:
        """What a field names: an encoded style, or a picture of the gallery."""
        if name in catalog.STYLES:
            return catalog.file_of(name)
        gallery = "a name of GET /v1/styles"
        style = self.styles.get(name)
        if style is None:
            allowed = f"an id that has not expired, or {gallery}"
            raise found_error(field, repr(name), allowed)
        if order.brush is not None:
            found = f"{name!r}, a style that is encoded already, with a brush"
            raise found_error(field, found, f"a picture, or {gallery}")
        return style

    def _styles(
        self, sources: Sequence[UploadFile | Path | Style], order: Order
    ) -> list[Style | Picture]:
        alone = len(sources) == 1
        return [
            self._style("style" if alone else f"style {number}", source, order)
            for number, source in enumerate(sources, 1)
        ]

    def _style(
        self, field: str, source: UploadFile | Path | Style, order: Order
    ) -> Style | Picture:
        """A style as a Stylizer takes it; ``field`` is what it is called in errors."""
        if isinstance(source, Style):
            return source
        data = source if isinstance(source, Path) else self._read(field, source)
        side, brush = order.options.style_size, order.brush

        def read(side: int | None) -> Picture:
            return self._decoded(field, data, side)

        def load() -> Picture:
            return read(side) if brush is None else brushed(read, brush)

        # To keep or to match colours, a style must be seen beside the content.
        if order.options.colours != "style":
            return load()
        how = side if brush is None else f"brush {brush}"
        return self.engine.style(data, order.model, load, how)


def _encoded(picture: Picture, format: str, quality: int) -> bytes:
    if format != "png":
        return encode_image(picture, f".{format}", quality=quality)
    buffer = io.BytesIO()
    # A result is sent once and read at once: half the time for a tenth more bytes.
    picture.to_pil().save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def check_model(model: str, engine: Engine) -> None:
    """Refuse the name of a model that is not here.

    AdaINError for one that there is elsewhere, HTTPException (422) for one that there is not.
    """
    here = weights.available_models()
    # One that is open goes on without its files.
    if model not in here and model not in engine.devices:
        found = f"{model!r}, which is not on this server"
        error = found_error("model", found, weights.one_of(here))
        if model in weights.models():
            raise error
        # No such model anywhere: a value that is not allowed.
        raise HTTPException(422, str(error))
