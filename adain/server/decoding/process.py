"""The decoder process: reads image files for the server, within limits of memory and time.

``python -m adain.server.decoding.process`` takes requests from stdin and answers on stdout until
stdin ends, as it does when the server is gone; its argument is the file of the memory that both
see.
"""

from __future__ import annotations

import contextlib
import io
from typing import Any

from PIL import Image

from adain import AdaINError, load_image
from adain.images.formats import FORMATS
from adain.server.decoding.channel import child_channel
from adain.server.decoding.limits import limit_memory, limit_seconds, stand_back

# CPU seconds for a file, and more for each megapixel that it claims: several times what the slowest
# format takes on a small machine.
SECONDS, SECONDS_PER_MEGAPIXEL = 2.0, 0.5
REQUEST = 2**40  # bytes; the server has measured them


def main() -> None:
    """Answer requests until stdin ends."""
    channel = child_channel()
    stand_back()
    Image.init()
    for name in FORMATS:  # or the first request loads them
        Image.OPEN.get(name)
    while True:
        try:
            request, data = channel.receive(REQUEST)
        except EOFError:
            return
        about, parts = answer(request, data.data)
        del data
        channel.send_samples(about, parts)
        del parts


def answer(request: dict[str, Any], data: memoryview) -> tuple[dict[str, Any], list[Any]]:
    """A picture's shape and samples; or what is wrong, and whose fault it is."""
    source: Any = request["path"] if request["path"] is not None else bytes(data)
    try:
        limit_memory(request["memory"])
        pixels = _claimed_pixels(source, request["max_pixels"])
        limit_seconds(SECONDS + SECONDS_PER_MEGAPIXEL * pixels / 1e6)
        picture = load_image(source, max_side=request["max_side"], max_pixels=request["max_pixels"])
    except AdaINError as error:
        kind = "memory" if isinstance(error.__cause__, MemoryError) else "image"
        number = error.__cause__.errno if isinstance(error.__cause__, OSError) else None
        return {"error": str(error), "kind": kind, "errno": number}, []
    except MemoryError:
        return {"error": "", "kind": "memory", "errno": None}, []
    parts = [picture.rgb] + ([] if picture.alpha is None else [picture.alpha])
    return {"shape": [picture.height, picture.width, len(parts)]}, parts


def _claimed_pixels(source: str | bytes, limit: int) -> int:
    with contextlib.suppress(Exception):
        stream: Any = io.BytesIO(source) if isinstance(source, bytes) else source
        with Image.open(stream, formats=FORMATS) as image:
            return min(image.width * image.height, limit)
    return 0


if __name__ == "__main__":
    main()
