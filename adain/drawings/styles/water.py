"""Styles drawn by code in the manner of inks and watercolours."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import ImageDraw

from adain.drawings.primitives import (
    SIZE,
    Array,
    Colour,
    X,
    Y,
    curve,
    grained,
    line_noise,
    lit,
    noise,
    over,
    palette,
    ramp,
    sample,
    step,
    to_image,
)


def ink_wash() -> Array:
    """Mountains in mist with pines and a red sun, brushed in ink on warm paper."""
    fibres = noise(301, 9, 5, 6) * 0.5 + noise(302, 60, 3, 0.3) * 0.5
    paper = ramp(fibres, (206, 190, 156), (236, 224, 196), (246, 238, 216))
    cloud = step(0.35, 0.9, noise(303, 3, 5, 2)) * step(0.75, 0.1, Y)
    picture = paper * (1 - 0.4 * cloud)[..., None]
    far = np.hypot(X - 0.68, Y - 0.2) + 0.008 * noise(304, 30, 2)
    red = step(0.094, 0.086, far) * (0.7 + 0.3 * noise(305, 20, 3))
    picture = over(picture, (206, 52, 34), red)
    ink = np.array([0.12, 0.13, 0.17], np.float32)
    ridges = [(0.42, 0.16, 4, 0.4), (0.56, 0.3, 3, 0.6)]
    ridges += [(0.7, 0.24, 4, 0.78), (0.93, 0.17, 3, 0.95)]
    for depth, (level, rise, across, tone) in enumerate(ridges):
        seed = 310 + depth * 10
        top = level - rise * (line_noise(seed, across, 5) ** 1.3 - 0.2)
        below = np.maximum(Y - top, 0)
        slant = sample(np.gradient(top)[None] * 60 * np.ones_like(X), X - below * 0.4, Y)
        rock = noise(seed + 1, 9, 6, 0.7)
        dark = np.clip(0.5 - (lit(rock, 14) - 1) - slant * np.exp(-below * 7), 0, 1.5)
        mist = np.exp(-below / (0.1 + 0.05 * depth))
        brushed = step(0.25, 0.8, dark * (0.5 + 0.7 * noise(seed + 2, 5, 4)) + 0.25 * mist)
        density = tone * (mist * (0.25 + 0.75 * brushed) + 0.4 * np.exp(-below / 0.008))
        mask = step(-0.002, 0.003, Y - top)
        picture = over(picture, paper * np.array([0.93, 0.95, 0.96]), mask * 0.9)
        picture = over(picture, picture * ink, np.clip(density, 0, 0.95) * mask)
    reeds = step(0.55, 0.75, noise(308, 90, 3, 0.2)) * step(0.9, 1, Y + 0.06 * noise(309, 9, 2))
    picture = over(picture, picture * ink, 0.8 * reeds)
    canvas = to_image(picture)
    draw = ImageDraw.Draw(canvas)
    rng = np.random.default_rng(306)
    for x, foot, tall, lean in ((62, 520, 300, 34), (152, 530, 160, -18), (446, 520, 210, -26)):
        pine(draw, rng, x, foot, tall, lean)
    draw.rectangle((462, 34, 488, 72), (186, 40, 30))
    for y in range(40, 68, 7):
        draw.line((467, y, 483, y + int(rng.integers(-2, 3))), (240, 220, 190), 2)
        draw.line((467 + y % 13, y, 470 + y % 9, y + 5), (240, 220, 190), 2)
    return grained(np.asarray(canvas, np.float32) / 255, 307, 0.2)


def pine(draw: Any, rng: Any, x: float, foot: float, tall: float, lean: float) -> None:
    """A crooked pine: a trunk, and clouds of needles on boughs."""
    bends = [(0.0, 0.0), (1.0, 0.4), (0.4, 0.75), (1.3, 1.0)]
    trunk = curve([(x + lean * across, foot - tall * up) for across, up in bends], 120)
    for index, (px, py) in enumerate(trunk):
        r = 7 * (1 - index / 140)
        for dx in rng.uniform(-r, r, 3):
            shade = int(rng.integers(14, 60))
            draw.line((px + dx, py - 3, px + dx * 0.9, py + 3), (shade, shade, shade + 4), 2)
    for index in range(36, 120, 8):
        px, py = trunk[index]
        side = 1 if index % 16 == 4 else -1
        long = tall * 0.3 * (1.2 - index / 140) * rng.uniform(0.7, 1.2)
        draw.line((px, py, px + side * long, py - long * 0.12), (26, 26, 30), 3)
        count = int(long * 5)
        places, drops = rng.uniform(0.2, 1.1, count), rng.normal(0, 1, count)
        for place, drop in zip(places, drops, strict=True):
            nx = px + side * long * place
            ny = py - long * 0.12 * place + drop * 5 * np.sin(np.clip(place, 0.3, 1) * 2.6) - 3
            turn = rng.uniform(-np.pi, 0)
            shade = int(rng.integers(10, 84))
            end = (nx + 7 * np.cos(turn), ny + 6 * np.sin(turn))
            draw.line((nx, ny, *end), (shade, shade + 3, shade + 4))


def watercolour() -> Array:
    """Poppies and cornflowers in transparent washes that ran into each other on rough paper."""
    tooth = noise(321, 110, 3)
    picture = np.ones((SIZE, SIZE, 3), np.float32) * np.array([0.985, 0.97, 0.93], np.float32)
    wet = noise(322, 3, 5)
    ground = ramp(noise(323, 2, 4), *palette("78c4ce f6ecc4 bedc96 c4aad8"))
    picture *= 1 - (1 - ground) * (0.3 + 0.7 * wet)[..., None]
    rng = np.random.default_rng(324)
    bends = [noise(325 + index, 7, 5) - 0.5 for index in range(4)]
    greens = palette("609646 287c64 96b03c 3c6e82")
    for _ in range(34):
        x, y, long = rng.uniform(0, 1), rng.uniform(0.25, 1.05), rng.uniform(0.1, 0.26)
        turn = rng.normal(-np.pi / 2, 0.6)
        dx, dy = X - x, Y - y
        along = (dx * np.cos(turn) + dy * np.sin(turn)) / long
        across = (dy * np.cos(turn) - dx * np.sin(turn)) / long - 0.25 * along**2
        far = np.hypot(along, across * 6 / (1.15 - 0.4 * along))
        far += 0.5 * bends[rng.integers(4)]
        picture = wash(picture, far, greens[rng.integers(4)], tooth, rng)
    reds = palette("e63228 f06e32 e23c6e 505ac8 8246b4 f6b428")
    for _ in range(17):
        x, y, r = rng.uniform(0.02, 0.98), rng.uniform(0.02, 0.9), rng.uniform(0.06, 0.13)
        colour = reds[rng.choice(6, p=(0.28, 0.18, 0.14, 0.18, 0.12, 0.1))]
        spin = rng.uniform(0, np.pi)
        for petal in range(5):
            turn = spin + petal * 2 * np.pi / 5
            px, py = x + 0.5 * r * np.cos(turn), y + 0.5 * r * np.sin(turn) * 0.85
            far = np.hypot(X - px, (Y - py) * 1.15) / (0.62 * r)
            picture = wash(picture, far + 0.7 * bends[rng.integers(4)], colour, tooth, rng)
        heart = np.hypot(X - x, Y - y) / (0.26 * r)
        picture = wash(picture, heart + 0.6 * bends[petal % 4], (40, 26, 60), tooth, rng)
    return grained(picture, 329, 0.18, 120)


def wash(picture: Array, far: Array, colour: Colour, tooth: Array, rng: Any) -> Array:
    """One wash where far < 1: paler in its middle, with the dark rim that drying leaves."""
    rows, columns = np.nonzero(far < 1.05)
    if not len(rows):
        return picture
    part = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    far, tooth = far[part], tooth[part]
    fill = step(1, 0.96, far)
    rim = np.exp(-(((far - 0.97) / 0.045) ** 2))
    density = 0.42 + 0.3 * far**2 + 0.5 * rim + 0.4 * (tooth - 0.5)
    pigment = np.asarray(colour, np.float32) / 255 + rng.normal(0, 0.04, 3).astype(np.float32)
    picture[part] *= 1 - (1 - pigment) * (fill * np.clip(density, 0, 1.1))[..., None]
    return picture
