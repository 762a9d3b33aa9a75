"""The pictures the demo opens with, drawn by code: no photograph and no painting ships with it.

Each drawing has its own seed, so that all machines show the same pictures.
"""

from __future__ import annotations

import hashlib
import tempfile
import uuid
from collections.abc import Callable
from functools import cache
from pathlib import Path

from adain.weights import cache_folder
from demo import contents, drawing, styles

CONTENTS: dict[str, Callable[[], drawing.Array]] = {
    "landscape": contents.landscape,
    "still-life": contents.still_life,
    "city": contents.city,
}
STYLES: dict[str, Callable[[], drawing.Array]] = {
    "night": styles.night,
    "stained-glass": styles.stained_glass,
    "woodcut": styles.woodcut,
    "impasto": styles.impasto,
    "pointillism": styles.pointillism,
}


@cache
def folder() -> Path:
    """Where the drawings are kept, new for every version of the code that draws them."""
    sources = [drawing.__file__, contents.__file__, styles.__file__]
    code = b"".join(Path(source).read_bytes() for source in sources)
    kept = cache_folder() / f"examples-{hashlib.sha256(code).hexdigest()[:12]}"
    try:
        kept.mkdir(parents=True, exist_ok=True)
    except OSError:  # a read-only home: draw again at every start
        kept = Path(tempfile.mkdtemp(prefix="adain-examples-"))
    return kept


def drawn(pictures: dict[str, Callable[[], drawing.Array]]) -> list[Path]:
    """The files of the pictures, drawing those that are not there yet."""
    paths = []
    for name, draw in pictures.items():
        path = folder() / f"{name}.jpg"
        if not path.is_file():
            temporary = path.with_name(f".{uuid.uuid4().hex}.jpg")
            drawing.to_image(draw()).save(temporary, quality=95, subsampling=0)
            temporary.replace(path)
        paths.append(path)
    return paths
