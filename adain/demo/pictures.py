"""Pictures as visitors name them and as HTML shows them, and errors as sentences."""

from __future__ import annotations

import base64
import html
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path

import gradio as gr
from gradio.data_classes import ImageData
from gradio.utils import get_upload_folder

from adain import AdaINError
from adain.drawings import catalog
from adain.images import encode_image
from adain.images.picture import Picture

log = logging.getLogger(__name__)


def hidden_input(label: str, read: Callable[[ImageData | None], str | None]) -> gr.Image:
    """A picture that programs send to an endpoint; ``read`` gives its path to the function."""
    image = gr.Image(type="filepath", image_mode=None, label=label, visible=False)
    # Gradio opens every upload with Pillow first, and what that cannot read ends in a traceback;
    # reading pictures is ours, which says what is wrong. Set on the instance, since Gradio
    # writes a .pyi file beside the source of every subclass of a component.
    image.preprocess = read  # type: ignore[assignment, method-assign]
    return image


def original_path(payload: ImageData | None) -> str | None:
    """The path of an upload, as `uploaded` has it, of what Gradio's components send."""
    return None if payload is None or not payload.path else uploaded(payload.path)


def uploaded(named: str) -> str:
    """The path of an upload; a file of the server's that nobody uploaded is refused."""
    # Gradio looks only at files that a request calls files, and a request may well not.
    path = Path(named).resolve()
    if not path.is_relative_to(Path(get_upload_folder()).resolve()):
        raise gr.Error("This picture was not uploaded.", print_exception=False)
    try:
        os.utime(path)  # asked for: its hour begins again
    except OSError:
        message = f"{html.escape(path.name)} is no longer kept here: choose it again."
        raise gr.Error(message, print_exception=False) from None
    return str(path)


def sentence_of(error: AdaINError, *paths: str | None) -> str:
    """An error as one sentence that names files as their owner does; logged, and safe as HTML."""
    sentence = str(error)
    for path in paths:
        if path:
            sentence = sentence.replace(path, Path(path).name)
    log.warning("%s", sentence)
    return html.escape(sentence)


def data_url(picture: Picture, suffix: str | None = None, quality: int = 90) -> str:
    """A picture for the page: by default as JPEG, which takes a millisecond, or WebP with alpha."""
    suffix = suffix or (".jpg" if picture.alpha is None else ".webp")
    data = base64.b64encode(encode_image(picture, suffix, quality=quality)).decode("ascii")
    return f"data:image/{suffix[1:].replace('jpg', 'jpeg')};base64,{data}"


def chosen_pair(chosen: object) -> tuple[str, str]:
    """The paths of a content and a style that the page's script has put into a value.

    That is JSON, ``{"content": ..., "style": ...}``, each ``{"name": ...}`` of a drawing or
    ``{"path": ...}`` of an upload. Raises AdaINError for anything else.
    """
    try:
        pair = json.loads(str(chosen))
        named = [(pair[role].get("path"), pair[role].get("name")) for role in ("content", "style")]
        content, style = (str(path) if path else catalog.file_of(name) for path, name in named)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise AdaINError("The pictures are still on their way: try again in a moment.") from None
    return _kept(content), _kept(style)


def _kept(picture: str | Path) -> str:
    return uploaded(picture) if isinstance(picture, str) else str(picture)
