"""Painted maps, as programs send them to `/paint`: data URLs of small PNGs."""

from __future__ import annotations

import base64
import binascii

import numpy as np
import numpy.typing as npt

from adain import AdaINError, load_image
from adain.errors import found_error

LAYERS = ("red", "green", "blue")  # the strengths of styles 1 to 3
# Programs may send no more pixels than the square of this side.
SIDE = 256
TYPE = "data:image/png;base64,"
LENGTH = 400_000  # characters: more than SIDE x SIDE pixels of noise take
PNG = b"\x89PNG\r\n\x1a\n"


def masks_of(painted: object) -> npt.NDArray[np.float32]:
    """A painted map as float32 ``[3, h, w]`` in [0, 1]: how strong each style is at each place.

    ``painted`` is the data URL of a PNG, whose red, green and blue are the three. Raises AdaINError
    for anything else: no name of a file is looked at, and no more than SIDE x SIDE pixels.
    """
    allowed = f"{TYPE}... of at most {LENGTH:,} characters"
    if not isinstance(painted, str) or not painted:
        raise found_error("map", "nothing painted", allowed)
    if len(painted) > LENGTH:
        raise found_error("map", f"{len(painted):,} characters", allowed)
    if not painted.startswith(TYPE):
        raise found_error("map", f"text that starts with {painted[:24]!r}", allowed)
    try:
        data = base64.b64decode(painted[len(TYPE) :], validate=True)
    except (binascii.Error, ValueError):
        raise found_error("map", "text that is no base64", allowed) from None
    if not data.startswith(PNG):
        raise found_error("map", "bytes that are no PNG", allowed)
    try:
        picture = load_image(data, max_pixels=SIDE * SIDE)
    except AdaINError as error:
        raise AdaINError(f"map: {error}") from error
    return np.ascontiguousarray(picture.rgb.transpose(2, 0, 1))
