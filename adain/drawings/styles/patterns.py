"""Styles drawn by code in the manner of paper, maps and cloth."""

from __future__ import annotations

import numpy as np
from PIL import Image

from adain.drawings.primitives import (
    SIZE,
    Array,
    X,
    Y,
    blur,
    grained,
    lit,
    noise,
    over,
    palette,
    ramp,
    sample,
    step,
)


def marbling() -> Array:
    """Marbled paper: drops of colour on water, drawn out with a stylus and combed."""
    inks = palette("12285c f0e4c8 b42028 e2a032 186e78 ec785a")
    colours = np.asarray(inks, np.float32) / 255
    x, y = X + 0.02 * np.sin(Y * 7), Y + 0.02 * np.sin(X * 9)
    for comb in (5, 13):
        y = y + (0.3 / comb) * np.sin(x * comb * 2 * np.pi)
        x = x + (0.13 / comb) * np.sin(y * comb * 2 * np.pi + 1)
    far, turn = np.hypot(x - 0.52, y - 0.5), np.arctan2(y - 0.5, x - 0.52)
    turn = turn + 2.6 * np.exp(-((far / 0.26) ** 2))
    x, y = 0.52 + far * np.cos(turn), 0.5 + far * np.sin(turn)
    # Each drop pushes the older ones aside, so a place is followed back from drop to drop.
    rng = np.random.default_rng(451)
    x, y = x.ravel(), y.ravel()
    picture, left = np.empty((x.size, 3), np.float32), np.arange(x.size)
    for index in range(420):
        cx, cy, r = *rng.uniform(-0.15, 1.15, 2), rng.uniform(0.025, 0.075)
        dx, dy = x - cx, y - cy
        far = dx * dx + dy * dy
        picture[left[far < r * r]] = colours[index % 6]
        keep = far >= r * r
        left, dx, dy = left[keep], dx[keep], dy[keep]
        shrink = np.sqrt(1 - r * r / far[keep])
        x, y = cx + dx * shrink, cy + dy * shrink
    picture[left] = colours[1]
    paper = blur(picture.reshape(SIZE, SIZE, 3), 0.7) * (0.88 + 0.24 * noise(452, 12, 4))[..., None]
    return grained(paper, 453, 0.14)


def topographic() -> Array:
    """A relief map: tinted heights from sea to summit, shaded and ruled with contour lines."""
    height = noise(461, 3, 6)
    bend = 0.06 * np.stack([noise(462, 3, 3), noise(463, 3, 3)])
    height = sample(height, 0.94 * X + bend[0], 0.94 * Y + bend[1])
    # Smoothed in float: on the 256 levels of an image the lines would be jagged.
    coarse = Image.fromarray(height).reduce(8)
    smooth = np.asarray(coarse.resize((SIZE, SIZE), Image.Resampling.BICUBIC))
    tints = palette("0a3c78 1482aa 6ed2c8 fff0a0 96c846 faaa32 e65032 8c286e fff0e6")
    level = 0.25 + smooth * 25.5
    picture = ramp((np.floor(level) + 0.5) / 26, *tints)
    picture *= np.clip(lit(smooth, 16), 0.6, 1.4)[..., None]
    slope = np.hypot(*np.gradient(level)) + 0.02
    line = np.abs((level + 0.5) % 1 - 0.5)
    bold = np.abs((level / 5 + 0.5) % 1 - 0.5) * 5
    picture = over(picture, (40, 30, 40), 0.65 * step(1.0, 0.4, line / slope))
    picture = over(picture, (30, 20, 34), step(1.7, 0.9, bold / slope))
    hatch = step(0.6, 0.9, np.sin((X + Y) * SIZE * 0.6) * 0.5 + 0.5) * (smooth < 0.3)
    return grained(over(picture, (230, 240, 236), 0.3 * hatch), 464, 0.16)


def kilim() -> Array:
    """A woven rug: stepped diamonds and hooks in madder, indigo, saffron and undyed wool."""
    inks = np.asarray(palette("961c20 182854 e2a032 e8dab8 186460 ce5428 3c1c22"), np.float32) / 255
    x, y = np.floor(X * SIZE / 5.12) / 100, np.floor(Y * SIZE / 5.12) / 100
    u, v = np.abs(x - 0.495), np.abs(y - 0.495)
    lozenge = np.abs((u * 3 + 0.5) % 1 - 0.5) + np.abs((v * 3 + 0.5) % 1 - 0.5)
    pick = np.array([3, 0, 1, 2, 0, 4, 3, 1, 5, 6])[np.floor(lozenge * 12).astype(int) % 10]
    hooks = (np.floor(u * 50) % 4 < 2) ^ (np.floor(v * 50) % 4 < 2)
    pick = np.where((np.floor(lozenge * 12) == 5) & hooks, 2, pick)
    border = np.maximum(u, v)
    zigzag = (np.abs((np.where(u > v, y, x) * 12) % 1 - 0.5) * 0.14 + 0.405) < border
    band = np.where(zigzag, 1, 5)
    pick = np.where(border > 0.4, band, pick)
    pick = np.where((border > 0.385) & (border < 0.4), 3, pick)
    teeth = (np.floor(np.where(u > v, y, x) * 50) % 2).astype(int)
    pick = np.where(border > 0.475, np.where(teeth, 3, 6), pick)
    rng = np.random.default_rng(471)
    wool = inks[pick]
    rows = np.repeat(rng.normal(1, 0.07, 128), 4)[:, None].astype(np.float32)
    wool = wool * (rows * (0.8 + 0.4 * noise(472, 5, 4, 8)))[..., None]
    weft = np.sin(Y * SIZE * np.pi / 4) ** 2
    warp = np.cos((X * SIZE + 4 * (np.floor(Y * SIZE / 4) % 2)) * np.pi / 4)
    thread = 0.72 + 0.34 * weft + 0.14 * warp
    return grained(wool * thread[..., None], 473, 0.3, 170)
