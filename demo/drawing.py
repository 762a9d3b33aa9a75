"""What the drawn pictures are made with: noise, ramps, light and blur.

Pictures are float arrays in [0, 1] on a square of SIZE pixels; x runs right and y runs down.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

SIZE = 512
Array: TypeAlias = npt.NDArray[Any]
Colour: TypeAlias = tuple[int, int, int]

Y, X = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) / SIZE


def noise(seed: int, cells: float, octaves: int = 4, stretch: float = 1) -> Array:
    """Clouds in [0, 1], about `cells` across and `cells * stretch` down."""
    rng = np.random.default_rng(seed)
    total = np.zeros((SIZE, SIZE), np.float32)
    for octave in range(octaves):
        across = max(2, round(cells * 2**octave))
        grid = rng.random((max(2, round(across * stretch)), across), np.float32)
        plane = Image.fromarray(grid).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
        total += np.asarray(plane) * np.float32(0.5**octave)
    low, high = np.percentile(total, (1, 99))
    return np.clip((total - low) / (high - low), 0, 1)


def step(low: float, high: float, value: Any) -> Array:
    """0 below `low`, 1 above `high`, smooth between."""
    unit = np.clip((value - low) / (high - low), 0, 1)
    return (unit * unit * (3 - 2 * unit)).astype(np.float32)


def ramp(value: Array, *colours: Colour) -> Array:
    """The colours at even distances along [0, 1], looked up by value: [H, W, 3]."""
    places = np.linspace(0, 1, len(colours))
    table = np.asarray(colours, np.float32) / 255
    channels = [np.interp(value, places, table[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def over(below: Array, colour: Any, mask: Any) -> Array:
    """`colour`, a picture or a Colour, laid over a picture where mask is 1."""
    if isinstance(colour, tuple):
        colour = np.asarray(colour, np.float32) / 255
    return below + (colour - below) * np.asarray(mask, np.float32)[..., None]


def blur(picture: Array, radius: float) -> Array:
    soft = to_image(picture).filter(ImageFilter.GaussianBlur(radius))
    return np.asarray(soft, np.float32) / 255


def to_image(picture: Array) -> Image.Image:
    return Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8))


def sample(picture: Array, x: Any, y: Any) -> Array:
    """The picture at the places (x, y), nearest pixel, the edge repeated."""
    columns = np.clip(np.asarray(x) * SIZE, 0, SIZE - 1).astype(np.intp)
    rows = np.clip(np.asarray(y) * SIZE, 0, SIZE - 1).astype(np.intp)
    return picture[rows, columns]


def lit(height: Array, strength: float) -> Array:
    """Light from the upper left on a relief: about 1 on the flat."""
    down, right = np.gradient(height)
    return (1 - strength * (down + right)).astype(np.float32)


def line_noise(seed: int, cells: int, octaves: int) -> Array:
    """One row of noise in [0, 1]: the outline of a ridge."""
    row = noise(seed, cells, octaves)[SIZE // 2]
    return (row - row.min()) / (row.max() - row.min())
