"""Styles drawn by code in the manner of modern painting."""

from __future__ import annotations

from typing import Any

import numpy as np

from adain.drawings.primitives import (
    SIZE,
    Array,
    Colour,
    X,
    Y,
    disc,
    from_image,
    grained,
    lit,
    noise,
    over,
    palette,
    ramp,
    sheet,
    step,
)
from adain.drawings.styles.brush import strokes


def cubist() -> Array:
    """A guitar, a bottle and a glass broken into shaded facets of ochre, umber and slate."""
    rng = np.random.default_rng(401)
    code = np.zeros((SIZE, SIZE), np.int64)
    shade = np.ones_like(X)
    nearest = np.ones_like(X)
    for index in range(19):
        turn = (0.6, 1.35, 2.4, 1.9)[index % 4] + rng.normal(0, 0.13)
        away = np.cos(turn) * (X - rng.uniform(0, 1)) + np.sin(turn) * (Y - rng.uniform(0, 1))
        code = code * 2 + (away > 0)
        side = away if rng.random() < 0.5 else -away
        shade *= 1 - 0.5 * np.exp(-side / 0.07) * (side > 0)
        nearest = np.minimum(nearest, np.abs(away))
    facets, number = np.unique(code, return_inverse=True)
    number = number.reshape(code.shape)
    move = rng.normal(0, 0.022, (2, len(facets))).astype(np.float32)
    base = guitar(X + move[0][number], Y + move[1][number])
    tint = rng.uniform(0.86, 1.2, (len(facets), 1)) * rng.normal(1, 0.06, (len(facets), 3))
    base = base * tint[number].astype(np.float32) * (0.25 + 1.05 * shade)[..., None]
    base = over(base, (28, 22, 26), 0.85 * step(0.0045, 0.0025, nearest))
    angle = rng.uniform(0, np.pi, len(facets)).astype(np.float32)[number]
    painted = strokes(base, angle, 404, ((1500, 3, 7), (5200, 2, 5)))
    return over(painted, base, 0.35 * np.ones_like(X))


def guitar(x: Array, y: Array) -> Array:
    """The still life before it is broken: x and y may be moved."""
    base = ramp(y + 0.3 * x, (230, 208, 160), (196, 152, 92), (120, 116, 116), (150, 84, 54))
    base = over(base, (96, 140, 156), step(0.0, 0.01, x - 0.62 - 0.2 * y))
    base = over(base, (150, 64, 44), step(0.0, 0.01, y - 0.8 + 0.15 * x))
    u, v = (x - 0.4) * 0.86 + (y - 0.56) * 0.5, (y - 0.56) * 0.86 - (x - 0.4) * 0.5
    body = np.minimum(np.hypot(u, v - 0.19) - 0.21, np.hypot(u, v + 0.08) - 0.155)
    base = over(base, (120, 60, 26), step(0.004, -0.004, body))
    base = over(base, (226, 136, 50), step(0.004, -0.004, body + 0.022))
    base = over(base, (30, 22, 24), step(0.074, 0.068, np.hypot(u, v - 0.03)))
    base = over(base, (74, 42, 30), (np.abs(u) < 0.036) & (v < 0) & (v > -0.5))
    base = over(base, (100, 54, 34), (np.abs(u) < 0.055) & (v < -0.46) & (v > -0.6))
    strings = step(0.2, 0.1, np.abs((u * 70) % 1 - 0.5)) * (np.abs(u) < 0.032)
    base = over(base, (250, 240, 214), strings * (v < 0.26) * (v > -0.6))
    base = over(base, (50, 30, 26), (np.abs(u) < 0.08) & (np.abs(v - 0.27) < 0.014))
    bottle = np.where(y < 0.34, 0.036, 0.09) - np.abs(x - 0.82)
    base = over(base, (30, 104, 90), (bottle > 0) & (y > 0.1) & (y < 0.74))
    base = over(base, (150, 200, 170), (bottle > 0.012) & (bottle < 0.03) & (y > 0.14) & (y < 0.7))
    base = over(base, (240, 226, 190), (np.abs(x - 0.82) < 0.09) & (y > 0.46) & (y < 0.6))
    bowl = 0.1 - 0.25 * (y - 0.12)
    base = over(base, (226, 226, 214), (np.abs(x - 0.15) < bowl) & (y > 0.12) & (y < 0.34))
    base = over(base, (150, 30, 50), (np.abs(x - 0.15) < bowl - 0.015) & (y > 0.2) & (y < 0.33))
    return over(base, (226, 226, 214), (np.abs(x - 0.15) < 0.012) & (y > 0.33) & (y < 0.5))


def colour_discs() -> Array:
    """Discs of pure colour, ring by ring and quarter by quarter, that set one another aglow."""
    inks = palette("e22828 fac41e 1e5abe 1e965a f0781e 783296 f6e8ce 1e285a ec7896 5abed2")
    rng = np.random.default_rng(411)
    base = np.zeros((SIZE, SIZE, 3), np.float32)
    angle = np.zeros_like(X)
    discs = [(0.62, 0.36, 1.2, 0.085), (0.2, 0.78, 0.36, 0.06), (0.86, 0.84, 0.3, 0.05)]
    discs += [(0.16, 0.2, 0.26, 0.05), (0.6, 0.36, 0.3, 0.05)]
    for cx, cy, radius, width in discs:
        far, turn = np.hypot(X - cx, Y - cy), np.arctan2(Y - cy, X - cx)
        ring = np.minimum((far / width).astype(int), 15)
        spin = rng.uniform(0, np.pi)
        quarter = ((turn + spin) / (np.pi / 2)).astype(int) % 4
        table = np.array([rng.permutation(10) for _ in range(16)])
        colour = np.asarray(inks, np.float32)[table[ring, quarter]] / 255
        colour *= (0.82 + 0.36 * (far / width - ring))[..., None]
        inside = far < radius
        base = np.where(inside[..., None], colour, base)
        angle = np.where(inside, turn + np.pi / 2, angle)
    return strokes(base, angle, 412, ((900, 8, 15), (3000, 6, 9), (3600, 4, 5)))


def composition() -> Array:
    """Circles, wedges, chequers and lines that float and clash on a clouded ground."""
    rng = np.random.default_rng(421)
    ground = ramp(noise(422, 3, 4), *palette("ecd6aa f6e8c8 a0c4ce ecaa96 fadc82"))
    image, draw = sheet(ground)
    inks = palette("181a28 ce2824 1e50a0 f6be1e 1e826e 6e3278 f07832 faf0dc")
    full = SIZE * 2

    def spread(count: int) -> Any:
        corners = np.stack(np.meshgrid(np.arange(count), np.arange(count)), axis=-1)
        places = (corners.reshape(-1, 2) + rng.uniform(0, 1, (count**2, 2))) * full / count
        return rng.permutation(places).tolist()

    def pick() -> Colour:
        return inks[rng.integers(len(inks))]

    for x, y in spread(5):
        draw.polygon([(x + dx, y + dy) for dx, dy in rng.normal(0, 150, (3, 2))], pick())
    for x, y in spread(5):
        r = rng.uniform(30, 130)
        while r > 12:
            disc(draw, x, y, r, pick())
            r *= rng.uniform(0.55, 0.8)
    for x, y in spread(3):
        turn, cell = rng.uniform(0, 1.5), rng.uniform(14, 24)
        dark, bright = pick(), inks[7]
        c, s = np.cos(turn) * cell, np.sin(turn) * cell
        for i in range(6):
            for j in range(4):
                corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)]
                spots = [(x + a * c - b * s, y + a * s + b * c) for a, b in corners]
                draw.polygon(spots, dark if (i + j) % 2 else bright)
    for _ in range(34):
        x, y, long = *rng.uniform(0, full, 2), rng.uniform(80, 420)
        turn = rng.choice((0.5, -0.9, 1.3)) + rng.normal(0, 0.08)
        dx, dy = np.cos(turn) * long, np.sin(turn) * long
        draw.line((x - dx, y - dy, x + dx, y + dy), inks[0], int(rng.integers(2, 12)))
    for _ in range(16):
        x, y, r, start = *rng.uniform(0, full, 2), rng.uniform(40, 170), rng.uniform(0, 360)
        for shift in range(0, 48, 16):
            wide = r + shift
            box = (x - wide, y - wide, x + wide, y + wide)
            draw.arc(box, start, start + 130, pick(), 7)
    for _ in range(130):
        x, y, r = *rng.uniform(0, full, 2), rng.uniform(4, 16)
        disc(draw, x, y, r, pick())
    picture = from_image(image)
    brushed = noise(423, 26, 4, 0.4) * 0.5 + noise(424, 26, 4, 2.5) * 0.5
    return grained(picture * (0.84 + 0.3 * brushed)[..., None], 425, 0.22, 110)


def gilded() -> Array:
    """Golden spirals and small bright mosaics, packed close as on a gilded frieze."""
    leaf = 0.5 * noise(431, 5, 4) + 0.3 * noise(432, 120, 2) + 0.2 * np.floor(Y * 40) % 2 * 0.5
    ground = ramp(leaf, (110, 70, 20), (190, 136, 40), (236, 190, 80), (255, 232, 150))
    image, draw = sheet(ground)
    rng = np.random.default_rng(433)
    full = SIZE * 2
    inks = palette("1e1816 ece2c4 aa281e 146e6e 283c82 ecb432 6e8c3c")
    fills = palette("d8a43c c48c2c 1e1816 ecce78 a0601e 145458")
    for _ in range(2400):
        x, y, w, h = *rng.uniform(0, full, 2), rng.uniform(8, 26), rng.uniform(10, 44)
        ink = inks[rng.choice(7, p=(0.2, 0.2, 0.1, 0.1, 0.08, 0.22, 0.1))]
        if rng.random() < 0.3:
            draw.polygon((x, y, x + w, y, x + w / 2, y + h * 0.7), ink, inks[0])
        else:
            draw.rectangle((x, y, x + w, y + h), ink, inks[0])
    packed: list[tuple[float, float, float]] = []
    for biggest in (140, 90, 60, 36, 24):
        for x, y in rng.uniform(-0.02, 1.02, (500, 2)) * full:
            r = min([biggest, *(np.hypot(x - a, y - b) - c for a, b, c in packed)])
            if r > biggest * 0.72:
                packed.append((x, y, r))
    for index, (x, y, r) in enumerate(packed):
        fill = fills[rng.integers(6)]
        disc(draw, x, y, r, fill, (40, 28, 16))
        if r < 40:
            disc(draw, x, y, r * 0.62, inks[1 + index % 6])
            disc(draw, x, y, r * 0.3, inks[0])
            continue
        place = np.linspace(0, 1, 160)
        turn = rng.uniform(0, 6) + rng.choice((-1, 1)) * place * max(2, r / 26) * 2 * np.pi
        arm = 0.93 * r * place
        line = np.stack([x + np.cos(turn) * arm, y + np.sin(turn) * arm], axis=-1)
        stroke, core = palette("fad66e b4781e" if sum(fill) < 300 else "342214 fae296")
        draw.line(line.ravel().tolist(), stroke, max(6, int(r / 11)), "curve")
        draw.line(line[:-14].ravel().tolist(), core, 2)
    picture = from_image(image)
    shine = lit(noise(434, 130, 2) * 0.6 + noise(435, 40, 2), 0.9)
    return picture * (np.clip(shine, 0.6, 1.4) * (0.85 + 0.3 * noise(436, 4, 3)))[..., None]
