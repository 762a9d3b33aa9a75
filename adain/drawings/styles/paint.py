"""Styles drawn by code in the manner of thick paints and chalks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import ImageDraw

from adain.drawings.primitives import (
    SIZE,
    Array,
    Colour,
    X,
    Y,
    blur,
    curve,
    disc,
    from_image,
    line_noise,
    noise,
    over,
    palette,
    ramp,
    sample,
    sheet,
    step,
    to_image,
)


def palette_knife() -> Array:
    """Birches in an autumn wood, laid on with the palette knife."""
    light = np.exp(-(((X - 0.55) / 0.3) ** 2) - ((Y - 0.4) / 0.35) ** 2)
    leaves = noise(341, 7, 4)
    foliage = palette("381e46 a8241e e86e14 fabe28 fff0aa")
    base = ramp(np.clip(0.5 * leaves + 0.6 * light, 0, 1), *foliage)
    sky = step(0.62, 0.8, noise(342, 5, 3)) * step(0.6, 0.3, Y)
    base = over(base, ramp(leaves, (30, 60, 110), (90, 160, 190)), sky)
    floor = ramp(noise(343, 5, 4, 3), *palette("3c1e32 96321e ec8c1e 785a82"))
    base = over(base, floor, step(0.7, 0.76, Y))
    base = knife(base, 344, ((420, 64, 38), (700, 44, 26)), (0.7, 0.35), 0.07)
    trunks = [(0.12, 0.03), (0.3, 0.045), (0.46, 0.02), (0.68, 0.036), (0.86, 0.055)]
    for index, (x, wide) in enumerate(trunks):
        u = (X - x - 0.03 * (Y - 0.5) - 0.012 * np.sin(Y * 9 + index * 2)) / wide
        side = (u + 1) / 2 + 0.5 * (noise(350 + index, 8, 4, 5) - 0.5)
        bark = ramp(side, *palette("faf0dc f6ecdc cebec8 6e5c8c"))
        bark = over(bark, (40, 24, 34), step(0.62, 0.7, noise(360 + index, 9, 3, 3.4)))
        foot = step(0.93, 0.9, Y + 0.05 - 2.4 * wide)
        base = over(base, bark, step(1.02, 0.95, np.abs(u)) * foot)
    return knife(base, 345, ((1500, 22, 9), (1900, 14, 7)), (1.3, 0.3), 0.04)


def knife(
    base: Array,
    seed: int,
    passes: Sequence[tuple[int, int, int]],
    lean: tuple[float, float],
    spread: float,
) -> Array:
    """Slabs of paint with streaks along them, a bright ridge on one edge and a shadow below.

    passes: (slabs, length and width in pixels). lean: the slabs' direction and how far it varies.
    spread: how far their colours do.
    """
    rng = np.random.default_rng(seed)
    canvas = to_image(base)
    draw = ImageDraw.Draw(canvas)
    for count, long, wide in passes:
        for x, y in rng.uniform(-0.02, 1.02, (count, 2)):
            turn = rng.normal(*lean)
            c, s = np.cos(turn), np.sin(turn)
            picked = sample(base, x, y) * rng.uniform(0.85, 1.15) + rng.normal(0, spread, 3)
            length, width = long * rng.uniform(0.6, 1.3) / 2, wide * rng.uniform(0.6, 1.2) / 2
            for across in np.arange(-width, width, 2):
                tone = picked * rng.normal(1, 0.06)
                if across > width - 2.5:
                    tone = picked * 0.55
                elif across < -width + 1.5:
                    tone = picked * 1.25 + 0.05
                ends = np.array([-length * rng.uniform(0.85, 1), length * rng.uniform(0.8, 1)])
                columns = x * SIZE + c * ends - s * across
                rows = y * SIZE + s * ends + c * across
                ink = tuple((np.clip(tone, 0, 1) * 255).astype(int).tolist())
                draw.line(np.stack([columns, rows], axis=-1).ravel().tolist(), ink, 3)
    return np.asarray(canvas, np.float32) / 255


def pastel() -> Array:
    """Boats in a harbour at dusk, hatched in soft chalk on dark blue paper."""
    base = harbour()
    paper = np.ones_like(base) * np.array([0.1, 0.11, 0.22], np.float32)
    rng = np.random.default_rng(377)
    canvas = to_image(paper)
    draw = ImageDraw.Draw(canvas)
    for turn, count, long in ((0.75, 3000, 17), (-0.5, 4200, 11), (0.75, 14000, 5)):
        places, turns = rng.uniform(0, 1, (count, 2)), rng.normal(turn, 0.13, count)
        reach = np.stack([np.cos(turns), np.sin(turns)], axis=-1)
        reach *= long * rng.uniform(0.6, 1.3, (count, 1))
        picked = sample(base, places[:, 0], places[:, 1]) * rng.uniform(0.86, 1.14, (count, 1))
        inks = (np.clip(picked + rng.normal(0, 0.04, (count, 3)), 0, 1) * 255).astype(int)
        lines = np.concatenate([places * SIZE - reach, places * SIZE + reach], axis=-1)
        for line, ink in zip(lines.tolist(), inks.tolist(), strict=True):
            draw.line(line, tuple(ink), 3)
    tooth = step(0.2, 0.5, 0.6 * noise(378, 200, 2) + 0.4 * noise(379, 100, 2))
    return over(paper, np.asarray(canvas, np.float32) / 255, 0.5 + 0.5 * tooth)


def harbour() -> Array:
    """The picture that the chalk is laid after."""
    base = ramp(Y * 2, *palette("4646aa 9664c8 fa8282 ffc86e"))
    clouds = step(0.45, 0.8, noise(371, 3, 5, 3)) * step(0.5, 0.3, Y)
    base = over(base, ramp(Y * 2, (250, 150, 150), (255, 210, 140)), clouds * 0.8)
    base = over(base, (255, 236, 160), step(0.07, 0.055, np.hypot(X - 0.3, Y - 0.36)))
    hills = ramp(noise(373, 6, 3), *palette("283c82 5078aa 965aa0"))
    base = over(base, hills, step(0, 0.005, Y - 0.47 + 0.1 * line_noise(372, 3, 3)))
    water = ramp(noise(374, 4, 4, 10), *palette("145082 3ca0aa ec8c82 ffce78"))
    base = over(base, water, step(0, 0.004, Y - 0.5))
    path = step(0.06, 0.0, np.abs(X - 0.3) - 0.1 * (Y - 0.5)) * step(0.45, 0.6, noise(375, 8, 2, 5))
    base = over(base, (255, 226, 130), path * (Y > 0.5))
    base = yacht(base, (0.68, 0.66), 0.23, *palette("96283c fff0dc ccc0b0"))
    base = yacht(base, (0.22, 0.8), 0.24, *palette("1e3278 faaa5a c88848"))
    return yacht(base, (0.9, 0.55), 0.1, *palette("28285a fadce6 c8b0b8"))


def yacht(
    base: Array, place: tuple[float, float], r: float, hull: Colour, sail: Colour, jib: Colour
) -> Array:
    """A boat with two sails, and what the water shows of it."""
    u, v = (X - place[0]) / r, (Y - place[1]) / r
    aloft, afloat = (v + 1.5) * 0.5, (v > 0) & (v < 0.24)
    base = over(base, sail, (u > 0.04) & (u < aloft) & (v < -0.05))
    base = over(base, jib, (u < -0.04) & (-u < aloft * 0.7) & (v < -0.05))
    base = over(base, hull, (np.abs(u) < 0.8 - 0.9 * v) & afloat)
    swaying = np.abs(u + 0.2 * (noise(376, 8, 2, 4) - 0.5))
    return over(base, hull, 0.6 * ((swaying < 0.57 - 0.3 * v) & (v > 0.24) & (v < 1.4)))


def action_painting() -> Array:
    """Enamel flung and dripped over raw canvas: black, white, ochre, red and turquoise skeins."""
    rng = np.random.default_rng(381)
    weave = 0.5 + 0.25 * (np.sin(X * SIZE * 1.6) + np.sin(Y * SIZE * 1.6))
    stains = 0.6 * noise(382, 5, 5) + 0.4 * weave
    image, draw = sheet(ramp(stains, (150, 120, 84), (206, 178, 132), (230, 208, 168)))
    inks = palette("1e7882 f0e8d6 181416 e6961e c8281e 181416 284ea0 f4eee0 e6aa1e 181416 c8281e")
    for ink in [*inks, *palette("1e8c96 f6f0e2")]:
        for _ in range(14):
            fling(draw, rng, ink)
    painted = from_image(image)
    relief = blur(painted.mean(axis=-1), 0.6)
    down, right = np.gradient(relief)
    drawn: Array = painted * np.clip(1 - 0.9 * (down + right), 0.6, 1.4)[..., None]
    return drawn


def fling(draw: Any, rng: Any, ink: Colour) -> None:
    """One throw of the brush: a looping thread, thick where it slowed, and drops beside it."""
    full = SIZE * 2
    points = np.cumsum(rng.normal(0, 0.2, (9, 2)), axis=0) + rng.uniform(-0.1, 1.1, 2)
    line = curve(points.tolist(), 240) * full
    speed = np.hypot(*np.gradient(line, axis=0).T)
    thick = rng.uniform(1.5, 6) * np.clip(9 / (speed + 3), 0.25, 2.4)
    tint = tuple(int(np.clip(c + rng.normal(0, 10), 0, 255)) for c in ink)
    for (x, y), following, r in zip(line[:-1], line[1:], thick[:-1], strict=True):
        draw.line((x, y, *following), tint, max(1, int(2 * r)))
        disc(draw, x, y, r, tint)
    for index in rng.integers(0, 240, 26):
        x, y = line[index] + rng.normal(0, 34, 2)
        r = min(rng.gamma(1.4, 2.4), 15)
        disc(draw, x, y, r, tint)
