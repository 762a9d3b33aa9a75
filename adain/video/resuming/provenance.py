"""The provenance of a video: digests of all that makes it, by which a recipe is known again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, cast

import av

from adain import __version__, maps, weights
from adain.batch.journal import recipe_digest
from adain.errors import failing
from adain.images import Picture, load_image
from adain.options import StylizeOptions
from adain.style import Style
from adain.stylizer import Styles, Stylizer
from adain.video.frames import is_pattern
from adain.video.options import VideoOptions
from adain.video.sequences import numbered

Made = tuple[Sequence[Style | Picture], StylizeOptions, VideoOptions, dict[str, str]]


def recipe_of(
    source: Path,
    styles: Styles,
    options: StylizeOptions,
    video: VideoOptions,
    stylizer: Stylizer,
) -> Made:
    """Styles and options whose pictures are read, and digests by the names of what they are of.

    The device is none of it: what one has begun another may go on with.
    """
    given = list(cast(Any, styles)) if maps.is_several(styles) else [styles]
    read = [_read(style) for style in given]
    options = replace(
        options,
        alpha=maps.load_strength(options.alpha),
        masks=maps.load_masks(options.masks, len(read)),
    )
    video = replace(video, style_at={time: _read(style) for time, style in video.style_at.items()})
    files = stylizer.files.values()
    parts: dict[str, Any] = {
        "source": _source(source),
        "styles": [_plain(style) for style in read],
        "model": [weights.sha256(file) for file in files],
        "version": [__version__, av.__version__, av.library_versions],
    }
    for field in (*fields(options), *fields(video)):
        value = getattr(options if hasattr(options, field.name) else video, field.name)
        parts[field.name] = value
    parts["style_at"] = {repr(time): _plain(style) for time, style in video.style_at.items()}
    return read, options, video, {name: recipe_digest({name: part}) for name, part in parts.items()}


def _read(source: Any) -> Style | Picture:
    return source if isinstance(source, Style) else load_image(source)


def _plain(style: Any) -> Any:
    return style.vector if isinstance(style, Style) else [style.rgb, style.alpha]


def _source(path: Path) -> Any:
    """The content of a file; of frames, which are many files, the names, sizes and times."""
    with failing(str(path), "a file that cannot be read", "a readable one"):
        if not (path.is_dir() or is_pattern(path)):
            return weights.sha256(path)
        files = [(file.name, file.stat()) for file in numbered(path)]
        return [(name, about.st_size, about.st_mtime_ns) for name, about in files]
