"""Styles drawn by code in the manner of posters and patterns."""

from __future__ import annotations

import itertools

import numpy as np

from adain.drawings.primitives import (
    SIZE,
    Array,
    X,
    Y,
    blur,
    from_image,
    grained,
    line_noise,
    noise,
    over,
    palette,
    ramp,
    sheet,
    step,
)


def art_deco() -> Array:
    """Overlapping fans ruled in gold leaf on emerald, midnight blue and wine red."""
    wide, tall = 1 / 4, 1 / 8
    sheen = 0.35 + 0.35 * np.sin((X + Y) * 9 + 3 * noise(231, 3, 3)) + 0.3 * noise(232, 130, 2)
    gold = ramp(sheen, (96, 60, 14), (200, 146, 50), (252, 226, 140), (190, 130, 40))
    mottle = noise(233, 60, 3) - 0.5
    picture = np.zeros((SIZE, SIZE, 3), np.float32)
    grounds = [palette(colours) for colours in ("083c3c 22a086", "0e1a46 365cb0", "540a22 be2e3c")]
    for row in range(-1, 11):
        shift = (row % 2) * wide / 2
        column = np.round((X - shift) / wide)
        dx, dy = X - shift - column * wide, Y - row * tall
        far, turn = np.hypot(dx, dy) / (wide / 2), np.arctan2(dx, -dy)
        kind = (column + row // 2 + (row % 2)).astype(int) % 3
        inside = far < 1
        ribs = step(0.1, 0.04, np.abs(np.sin(turn * 8)) * far)
        rings = step(0.1, 0.06, np.abs((far * 5 + 0.5) % 1 - 0.5))
        spokes = np.where(far > 0.32, ribs, rings)
        scales = step(0.2, 0.1, np.abs(np.sin(turn * 10) * 0.5 + (far * 4) % 1 - 0.5))
        lines = np.choose(kind, [rings, spokes, np.maximum(scales, rings * (far > 0.7))])
        rim = np.maximum(step(0.9, 0.92, far), step(0.03, 0.02, np.abs(far - 0.84)))
        for index, (dark, bright) in enumerate(grounds):
            shade = ramp(far + 0.25 * mottle, bright, dark, dark)
            picture = over(picture, shade, inside & (kind == index))
        picture = over(picture, gold, np.maximum(lines, rim) * inside)
    return picture


def synthwave() -> Array:
    """A striped sun sinks behind mesh mountains over a glowing grid."""
    horizon = 0.58
    sky = ramp(Y / horizon, *palette("0e062e 3e106e be1e8c ff786e"))
    sky *= (0.65 + 0.7 * noise(241, 3, 5, 2))[..., None]
    stars = step(0.9, 0.99, noise(242, 170, 1)) * step(0.5, 0.05, Y)
    sky += stars[..., None] * np.array([0.7, 0.8, 1.0], np.float32)
    sun = ramp((Y - 0.12) / 0.46, *palette("fff06e ff963c ff288c a014aa"))
    gaps = step(0.1, 0.2, np.sin(Y * 150) * 0.5 + 0.5 - step(0.25, 0.56, Y) * 0.75)
    sky = over(sky, sun, step(0.232, 0.228, np.hypot(X - 0.5, Y - 0.36)) * gaps)
    glow, hills = mesh(horizon)
    picture = over(sky, (16, 4, 46), hills)
    depth = np.maximum(Y - horizon, 1e-3)
    floor = ramp(depth / (1 - horizon), *palette("780a78 280650 100432"))
    floor *= (0.7 + 0.6 * noise(245, 6, 4, 8))[..., None]
    picture = over(picture, floor, step(-0.001, 0.001, Y - horizon))
    rails = np.abs(((X - 0.5) / depth * 2.4 + 0.5) % 1 - 0.5) / 1.5 * depth
    ties = np.abs((0.36 / depth + 0.5) % 1 - 0.5) / (0.06 + 0.12 / (depth + 0.2))
    grid = np.maximum(step(0.012, 0.004, rails), step(0.14, 0.06, ties * step(0, 0.04, depth)))
    glow += (grid * (horizon < Y))[..., None] * np.array([1, 0.2, 0.85], np.float32)
    picture += glow + 1.1 * blur(np.clip(glow, 0, 1), 5)
    drawn: Array = picture * (0.86 + 0.14 * np.sin(Y * SIZE * np.pi / 2))[..., None]
    return drawn


def mesh(horizon: float) -> tuple[Array, Array]:
    """Mountains as a net of blue light, and where they hide the sky."""
    rng = np.random.default_rng(244)
    x = np.linspace(0, 1, 15)
    heights = line_noise(243, 7, 2)[np.minimum(np.arange(15) * 36, SIZE - 1)]
    top = 0.57 - 0.42 * np.abs(x - 0.5) ** 0.7 * heights
    rows = [top + (horizon - top) * down / 4 for down in range(5)]
    knots = np.stack([x + rng.uniform(-0.02, 0.02, (5, 15)), np.stack(rows)], axis=-1) * SIZE * 2
    net, draw = sheet()
    mask, fill = sheet()
    fill.polygon(np.concatenate([knots[0], knots[-1, ::-1]]).ravel().tolist(), (255, 255, 255))
    for row in knots:
        draw.line(row.ravel().tolist(), (0, 220, 255), 4)
    for above, below in itertools.pairwise(knots):
        for i in range(14):
            draw.line((*above[i], *below[i]), (0, 190, 255), 3)
            draw.line((*above[i], *below[i + 1]), (120, 80, 255), 3)
    return from_image(net), from_image(mask)[..., 0]


def psychedelic() -> Array:
    """Flowing bands of orange, pink, violet and green, as on a concert poster of the sixties."""
    x, y = X + 0.12 * (noise(251, 3, 2) - 0.5), Y + 0.12 * (noise(252, 3, 2) - 0.5)
    height = np.zeros_like(X)
    hills = [(0.3, 0.28, 0.22), (0.76, 0.5, 0.26), (0.28, 0.8, 0.2), (0.82, 0.06, 0.16)]
    for cx, cy, r in [*hills, (0.9, 0.95, 0.14)]:
        height += np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / r**2)
    height = height * 15 + 0.9 * np.sin(x * 8 + 3 * np.sin(y * 5))
    band = np.floor(height).astype(int)
    place = height - band
    inks = palette("fa7814 e61e6e 5a1e8c 149678 fac828 e23228")
    colour = (np.asarray(inks, np.float32) / 255)[band % 6]
    turn = np.arctan2(*np.gradient(height))
    beads = step(0.0, 0.3, np.sin(turn * 26) * np.cos((place - 0.5) * 5))
    beads *= step(0.36, 0.3, np.abs(place - 0.5))
    partner = (np.asarray(inks, np.float32) / 255)[(band + 3) % 6]
    colour = over(colour, partner, beads * (band % 2))
    edge = np.minimum(place, 1 - place)
    slope = np.hypot(*np.gradient(height)) + 0.01
    colour = over(colour, (30, 10, 40), step(2.4, 1.4, edge / slope))
    return grained(colour * (0.86 + 0.28 * noise(253, 40, 3))[..., None], 254, 0.2)
