"""Styles drawn by code in the manner of prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adain.drawings.primitives import (
    SIZE,
    Array,
    Colour,
    X,
    Y,
    curve,
    disc,
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


def halftone() -> Array:
    """A comic-book explosion, printed in dots of cyan, magenta, yellow and black."""
    far, turn = np.hypot(X - 0.5, Y - 0.48), np.arctan2(Y - 0.48, X - 0.5)
    rays = step(-0.03, 0.03, np.sin(turn * 14 + 0.4) * far)
    base = ramp(far / 0.7, (255, 255, 255), (120, 200, 240), (30, 110, 200))
    base = over(base, ramp(far / 0.7, (255, 240, 250), (250, 150, 190), (220, 40, 120)), rays)
    line = np.zeros_like(X)
    puffs = np.full_like(X, 9)
    rng = np.random.default_rng(201)
    for place in np.arange(17) * 2 * np.pi / 17:
        x, y = 0.5 + 0.33 * np.cos(place), 0.48 + 0.3 * np.sin(place)
        puffs = np.minimum(puffs, np.hypot(X - x, Y - y) - rng.uniform(0.07, 0.12))
    smoke = ramp(0.5 + (X - Y) * 0.6, (60, 150, 220), (200, 232, 246), (255, 255, 255))
    base = over(base, smoke, step(0.001, -0.001, puffs))
    line = np.maximum(line, step(0.01, 0.007, np.abs(puffs)))
    fires = ((0.4, 0.26, "fad614 e62814"), (0.27, 0.17, "fffffa ffc800"))
    for spikes, (out, into, colours) in enumerate(fires):
        bright, dark = palette(colours)
        edge = jagged(turn, 202 + spikes, into, out)
        inside = edge - far
        base = over(base, ramp(far / edge, bright, bright, dark), step(-0.001, 0.001, inside))
        line *= step(0.001, -0.001, inside)
        line = np.maximum(line, step(0.011, 0.008, np.abs(inside)))
    core = jagged(turn, 205, 0.05, 0.11) - far
    base = over(base, (230, 30, 30), step(-0.001, 0.001, core))
    line = np.maximum(line, step(0.008, 0.005, np.abs(core)))
    return grained(over(dots(base, 9), (16, 12, 20), line), 206, 0.12)


def jagged(turn: Array, seed: int, low: float, high: float) -> Array:
    """How far the edge of a star of uneven spikes lies in each direction."""
    rng = np.random.default_rng(seed)
    knots = np.linspace(-np.pi, np.pi, 33) + np.append(rng.uniform(-0.06, 0.06, 32), 0)
    edge = np.where(np.arange(33) % 2, rng.uniform(0.85, 1.15, 33) * high, low)
    edge[-1], knots[0] = edge[0], -np.pi
    return np.interp(turn, knots, edge).astype(np.float32)


def dots(base: Array, period: float) -> Array:
    """The picture as four screens of dots, each at its own angle, `period` pixels apart."""
    key = (1 - base.max(axis=-1)) * 0.8
    inks: tuple[tuple[Array, float, Colour], ...] = (
        (1 - base[..., 2] - key, 0, (255, 236, 0)),
        (1 - base[..., 1] - key, 75, (236, 0, 120)),
        (1 - base[..., 0] - key, 15, (0, 150, 224)),
        (key, 45, (24, 20, 28)),
    )
    printed = np.full_like(base, 1) * np.array([1, 0.975, 0.91], np.float32)
    for tone, degrees, ink in inks:
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        u, v = (X * c + Y * s) * SIZE / period, (Y * c - X * s) * SIZE / period
        screen = 0.5 + 0.25 * (np.cos(2 * np.pi * u) + np.cos(2 * np.pi * v))
        dot = step(-0.12, 0.12, tone * 1.16 - 0.08 - screen)
        printed = printed * over(np.ones_like(base), ink, dot)
    return printed


def linocut() -> Array:
    """A thicket of leaves and blossoms cut into lino, printed in four inks on dark petrol blue."""
    rng = np.random.default_rng(211)
    gouge = np.sin((Y + 0.35 * X + 0.05 * noise(212, 4, 2)) * 210) * 0.5 + 0.5
    chips = step(0.5, 0.62, noise(213, 36, 2, 0.45)) * step(0.45, 0.6, gouge)
    picture = ramp(chips, (14, 42, 58), (52, 120, 124))
    inks = palette("eeb23c e86042 40967e f6e2ba 96be8c")
    paper = (14, 42, 58)
    places = [(i + rng.uniform(0, 1), j + rng.uniform(0, 1)) for j in range(7) for i in range(7)]
    for index in rng.permutation(len(places)):
        x, y = places[index][0] / 6.6 - 0.03, places[index][1] / 6.6 - 0.03
        ink = inks[rng.choice(5, p=(0.22, 0.2, 0.28, 0.14, 0.16))]
        if index % 5 == 0:
            picture = blossom(picture, (x, y), rng.uniform(0.06, 0.085), inks[index % 2], paper)
        else:
            turn, long = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.16)
            picture = leaf(picture, (x, y), turn, long, ink, paper)
    worn = step(0.16, 0.3, noise(214, 150, 3))[..., None]
    return picture * (0.8 + 0.2 * worn) + 0.08 * (1 - worn)


def leaf(
    picture: Array, place: tuple[float, float], turn: float, long: float, ink: Colour, paper: Colour
) -> Array:
    """A leaf with its veins cut out, and a cut outline that parts it from what lies behind."""
    dx, dy = X - place[0], Y - place[1]
    along = (dx * np.cos(turn) + dy * np.sin(turn)) / long
    across = (dy * np.cos(turn) - dx * np.sin(turn)) / long
    across = across - 0.12 * along**2
    wide = 0.42 * np.sqrt(np.clip(1 - along**2, 0, 1)) * (1 - 0.35 * along)
    inside = np.where(np.abs(along) < 1, wide - np.abs(across), -1)
    veins = np.sin((along + np.abs(across) * 0.9) * 17) * 0.5 + 0.5
    cut = np.maximum(
        step(0.035 + 0.02 * along, 0.02 + 0.02 * along, np.abs(across)),
        step(0.62, 0.74, veins + 0.2 * np.abs(across) / (wide + 0.05)) * (inside > 0.03),
    )
    picture = over(picture, paper, step(-0.07, -0.05, inside))
    return over(picture, ink, step(-0.01, 0.01, inside) * (1 - cut))


def blossom(
    picture: Array, place: tuple[float, float], r: float, ink: Colour, paper: Colour
) -> Array:
    """A round blossom with cut petals and a heart of seeds."""
    dx, dy = (X - place[0]) / r, (Y - place[1]) / r
    far, turn = np.hypot(dx, dy), np.arctan2(dy, dx)
    petals = 0.8 + 0.2 * np.abs(np.cos(turn * 4))
    inside = petals - far
    ribs = np.sin(turn * 32) * 0.5 + 0.5
    cut = step(0.55, 0.7, ribs * step(0.35, 0.6, far)) + step(0.09, 0.05, np.abs(far - 0.36))
    cut += step(0.05, 0.02, np.abs(np.sin(turn * 4 + np.pi / 2)) * far) * (far > 0.4)
    picture = over(picture, paper, step(-0.1, -0.07, inside))
    picture = over(picture, ink, step(-0.02, 0.02, inside) * (1 - np.clip(cut, 0, 1)))
    seeds = step(0.1, 0.3, np.sin(dx * 26) * np.sin(dy * 26)) * step(0.32, 0.28, far)
    return over(picture, (246, 226, 186), seeds)


def great_wave() -> Array:
    """A breaking wave with claws of foam before a snowy peak, as a Japanese colour print."""
    grain = noise(221, 3, 4, 34)
    sky = ramp(Y * 1.5 + 0.1 * (grain - 0.5), (196, 168, 122), (238, 214, 168), (246, 230, 196))
    sky = over(sky, (120, 116, 120), 0.75 * step(0.5, 0.72, Y + 0.03 * grain) * step(0.9, 0.75, Y))
    streaks = step(0.5, 0.75, noise(222, 2, 3, 8)) * step(0.5, 0.1, Y)
    sky = over(sky, (226, 150, 112), 0.55 * streaks)
    peak = 0.5 + np.abs(X - 0.72) * 0.75 + 0.012 * line_noise(223, 24, 2)
    sky = over(sky, ramp((Y - 0.5) * 4, (54, 76, 110), (120, 140, 158)), step(0, 0.004, Y - peak))
    snow = step(0, 0.005, 0.59 + 0.03 * np.sin(X * 90) + 0.02 * np.sin(X * 171) - Y)
    sky = over(sky, (244, 238, 222), snow * step(0, 0.004, Y - peak))
    image, draw = sheet(sky)
    rng = np.random.default_rng(224)
    blues = palette("122654 e2e4d6 22467c 122654 6894b0")
    swell(draw, rng, 0.72, 0.05, 1.7, 0.4, blues)
    rising = [(-0.4, 1.1), (-0.15, 0.75), (-0.02, 0.48), (0.13, 0.24), (0.3, 0.12), (0.47, 0.13)]
    hollow = [(0.62, 1.15), (0.36, 0.88), (0.25, 0.62), (0.29, 0.41), (0.39, 0.31), (0.5, 0.28)]
    tip = (0.6, 0.3)
    outer, inner = curve([*rising, tip]) * SIZE * 2, curve([*hollow, tip]) * SIZE * 2
    ribbons = 15
    for index in range(ribbons):
        near = outer + (inner - outer) * index / ribbons
        far = outer + (inner - outer) * (index + 1) / ribbons
        draw.polygon(np.concatenate([near, far[::-1]]).ravel().tolist(), blues[index % 5])
    for line in (outer, inner):
        draw.line(line.ravel().tolist(), (14, 26, 60), 5)
    foam(draw, rng, np.concatenate([outer[32:], inner[-2:40:-1]]), 13)
    foam(draw, rng, outer[22:34], 8)
    swell(draw, rng, 0.8, 0.07, 1.2, 2.6, blues)
    swell(draw, rng, 0.93, 0.06, 1.6, 0.2, blues)
    for x, y in rng.normal((0.5, 0.3), (0.17, 0.14), (130, 2)) * SIZE * 2:
        r = rng.uniform(1.5, 5)
        disc(draw, x, y, r, (246, 240, 224))
    printed = from_image(image)
    printed *= (0.9 + 0.16 * grain)[..., None]
    return grained(printed, 225, 0.14)


def swell(
    draw: Any,
    rng: Any,
    level: float,
    rise: float,
    waves: float,
    phase: float,
    blues: Sequence[Colour],
) -> None:
    """A long wave from side to side: stripes that follow its crest, and foam on top."""
    x = np.linspace(-0.02, 1.02, 90)
    crest = level - rise * (1 - 2 * np.abs(np.sin(np.pi * waves * x + phase)) ** 0.8)
    for index in range(12):
        lower = crest + index * (0.016 + 0.012 * (crest - level + rise) / (2 * rise))
        line = np.stack([x, lower], axis=-1) * SIZE * 2
        below = [(SIZE * 2.1, SIZE * 2), (-20, SIZE * 2)]
        draw.polygon(np.concatenate([line, below]).ravel().tolist(), blues[index % 5])
    line = np.stack([x, crest], axis=-1) * SIZE * 2
    draw.line(line.ravel().tolist(), (14, 26, 60), 4)
    for start in range(0, 90, 15):
        high = start + int(np.argmin(crest[start : start + 15]))
        if 0 < high < 89 and crest[high] <= min(crest[high - 1], crest[high + 1]):
            foam(draw, rng, line[max(high - 9, 0) : high + 9], 8)


def foam(draw: Any, rng: Any, line: Array, size: float) -> None:
    """Claws of foam that hang from a crest: curled chains of shrinking drops with an outline."""
    drops = []
    for x, y in line:
        for _ in range(3):
            turn, r = rng.uniform(-0.5, 2.6), rng.uniform(0.6, 1.2) * size
            px, py = x + rng.normal(0, size * 0.5), y + rng.normal(0, size * 0.5)
            bend = rng.choice((-0.5, 0.5))
            for _ in range(5):
                drops.append((px, py, r))
                px, py = px + np.cos(turn) * r * 1.1, py + np.sin(turn) * r * 1.1
                turn, r = turn + bend, r * 0.76
    for grow, colour in ((3, (24, 44, 92)), (0, (248, 243, 228))):
        for x, y, r in drops:
            r += grow
            disc(draw, x, y, r, colour)
    for x, y, r in drops[::3]:
        draw.arc((x - r * 0.8, y - r * 0.8, x + r * 0.8, y + r * 0.8), 20, 130, (110, 150, 184), 3)
