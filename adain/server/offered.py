"""The pictures that the server offers, at any size, for browsers to keep."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from adain.cache import Cache
from adain.drawings import catalog
from adain.drawings.photographs import Photograph
from adain.errors import found_error
from adain.images import encode_image, load_image

GROUPS: dict[str, Mapping[str, catalog.Drawing | Photograph]] = {
    "styles": catalog.STYLES,
    "photos": catalog.CONTENTS,
}
SIDES = (16, 1024)
QUALITY = 85  # of those that are made smaller
KEPT_BYTES = 16_000_000  # of all of them at two or three sizes
# A new version of the server may draw another picture by the same name.
HEADERS = {"Cache-Control": "public, max-age=86400"}


class _Kept(NamedTuple):
    data: bytes
    tag: str


class Offered:
    """JPEG files of the catalog, as they are or smaller; the last are kept.

    They are our own, and so read here and not in a decoder process; one at a time, since a page
    asks for all at once while others wait for results.
    """

    def __init__(self) -> None:
        self._kept: Cache[_Kept] = Cache(limit=KEPT_BYTES, cost=lambda kept: len(kept.data))
        self._thread = ThreadPoolExecutor(1, "offered")

    async def answer(
        self, request: Request, group: str, name: str, max_side: int | None
    ) -> Response:
        """A picture, or 304 to whoever has it; HTTPException where there is none by the name."""
        if name not in GROUPS[group]:
            error = found_error("name", repr(name[:100]), f"one of GET /v1/{group}")
            raise HTTPException(404, str(error))
        key = group, name, max_side
        kept = self._kept.find(key)
        if kept is None:
            loop = asyncio.get_running_loop()
            kept = await loop.run_in_executor(
                self._thread, lambda: self._kept.get(key, lambda: _read(*key))
            )
        headers = {"ETag": kept.tag, **HEADERS}
        given = request.headers.get("if-none-match", "")
        tags = [tag.strip().removeprefix("W/") for tag in given.split(",")]
        if kept.tag in tags or "*" in tags:
            return Response(status_code=304, headers=headers)
        return Response(kept.data, media_type="image/jpeg", headers=headers)


def _read(group: str, name: str, max_side: int | None) -> _Kept:
    path = catalog.file_of(name)
    if max_side is None:
        data = path.read_bytes()
    else:
        data = encode_image(load_image(path, max_side=max_side), ".jpg", quality=QUALITY)
    return _Kept(data, f'"{hashlib.blake2b(data, digest_size=16).hexdigest()}"')
