"""Drawing primitives: noise, ramps, light, blur, cells and curves.

Pictures are float arrays in [0, 1] on a square of SIZE pixels; x runs right and y runs down.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

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
    clouds: Array = np.clip((total - low) / (high - low), 0, 1)
    return clouds


def step(low: float, high: float, value: Any) -> Array:
    """0 below `low`, 1 above `high`, smooth between."""
    unit = np.clip((value - low) / (high - low), 0, 1)
    smooth: Array = (unit * unit * (3 - 2 * unit)).astype(np.float32)
    return smooth


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
    laid: Array = below + (colour - below) * np.asarray(mask, np.float32)[..., None]
    return laid


def blur(picture: Array, radius: float) -> Array:
    soft = to_image(picture).filter(ImageFilter.GaussianBlur(radius))
    return np.asarray(soft, np.float32) / 255


def to_image(picture: Array) -> Image.Image:
    return Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8))


def from_image(image: Image.Image) -> Array:
    """The picture of an image, whose edges come out smooth if it is a few times as large."""
    return np.asarray(image.reduce(image.width // SIZE), np.float32) / 255


def sheet(below: Array | None = None, scale: int = 2) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """An image `scale` times as large as a picture, black or with one on it, and its pen."""
    image = Image.new("RGB", (SIZE * scale, SIZE * scale))
    if below is not None:
        image.paste(to_image(below).resize(image.size))
    return image, ImageDraw.Draw(image)


def disc(draw: Any, x: float, y: float, r: float, fill: Any, outline: Any = None) -> None:
    draw.ellipse((x - r, y - r, x + r, y + r), fill, outline, 4)


def palette(codes: str) -> list[Colour]:
    """Colours from their hexadecimal codes, which are parted by spaces."""
    return [(red, green, blue) for red, green, blue in map(bytes.fromhex, codes.split())]


def sample(picture: Array, x: Any, y: Any) -> Array:
    """The picture at the places (x, y), nearest pixel, the edge repeated."""
    columns = np.clip(np.asarray(x) * SIZE, 0, SIZE - 1).astype(np.intp)
    rows = np.clip(np.asarray(y) * SIZE, 0, SIZE - 1).astype(np.intp)
    taken: Array = picture[rows, columns]
    return taken


def lit(height: Array, strength: float) -> Array:
    """Light from the upper left on a relief: about 1 on the flat."""
    down, right = np.gradient(height)
    light: Array = (1 - strength * (down + right)).astype(np.float32)
    return light


def line_noise(seed: int, cells: int, octaves: int) -> Array:
    """One row of noise in [0, 1]: the outline of a ridge."""
    row = noise(seed, cells, octaves)[SIZE // 2]
    ridge: Array = (row - row.min()) / (row.max() - row.min())
    return ridge


def grained(picture: Array, seed: int, strength: float, cells: float = 150) -> Array:
    """The picture on rough paper or canvas."""
    return picture * (1 + strength * (noise(seed, cells, 2) - 0.5))[..., None]


def cells(seed: int, across: int, x: Array = X, y: Array = Y) -> tuple[Array, Array, Array]:
    """Irregular cells, about `across` in a row.

    Returns the number of the cell at each pixel, how far its middle is and how far the next cell's
    is, both in widths of a cell. x and y may be bent for cells that are.
    """
    rng = np.random.default_rng(seed)
    rows = across + 4
    middles = rng.random((rows, rows, 2), np.float32)
    column, row = np.floor(x * across).astype(np.intp), np.floor(y * across).astype(np.intp)
    first = np.full(x.shape, 9, np.float32)
    second, pick = first.copy(), np.zeros(x.shape, np.intp)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            j, i = np.clip(row + down + 2, 0, rows - 1), np.clip(column + right + 2, 0, rows - 1)
            middle = middles[j, i]
            far = np.hypot(
                x * across - (column + right) - middle[..., 0],
                y * across - (row + down) - middle[..., 1],
            )
            np.minimum(second, np.maximum(first, far), out=second)
            pick[far < first] = (j * rows + i)[far < first]
            np.minimum(first, far, out=first)
    return pick, first, second


def curve(points: Sequence[tuple[float, float]], count: int = 60) -> Array:
    """A smooth line through the points: `count` places [count, 2] at even steps between them."""
    knots = np.asarray(points, np.float32)
    knots = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    place = np.linspace(0, len(points) - 1, count)
    start = np.minimum(place.astype(int), len(points) - 2)
    t = (place - start)[:, None]
    a, b, c, d = (knots[start + shift] for shift in range(4))
    places: Array = 0.5 * (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    )
    return places
