"""Contents drawn by code: a landscape, a still life and a city."""

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
    blur,
    line_noise,
    lit,
    noise,
    over,
    ramp,
    sample,
    step,
    to_image,
)


def landscape() -> Array:
    """Mountains at sunset, and their reflection in a lake."""
    shore = 0.6
    glow = np.hypot(X - 0.7, (Y - 0.27) * 1.1)
    picture = ramp(Y / shore, (38, 62, 122), (96, 120, 176), (232, 170, 136), (255, 214, 140))
    clouds = step(0.45, 0.95, noise(1, 3, 6, 3)) * step(0.62, 0.1, Y)
    picture = over(picture, ramp(1 - glow, (120, 104, 140), (255, 176, 130)), clouds * 0.85)
    picture += np.exp(-(glow[..., None] ** 2) * 14) * np.array([0.42, 0.26, 0.08])
    picture = over(picture, (255, 246, 214), step(0.056, 0.044, glow))
    ridges = [(0.46, 0.34, 3, 5), (0.52, 0.2, 4, 7), (0.59, 0.1, 6, 9)]
    for depth, (level, rise, cells, seed) in enumerate(ridges):
        picture = over(picture, *ridge(level, rise, cells, seed, depth))
    mirror = sample(picture, X + (noise(21, 7, 3, 9) - 0.5) * 0.03 * (Y - shore) / 0.4, ripples())
    water = mirror * np.array([0.72, 0.8, 0.88]) * (0.82 + 0.36 * noise(22, 5, 4, 12))[..., None]
    picture = over(picture, water, step(shore - 0.001, shore + 0.001, Y))
    picture = meadow(picture)
    return picture * (0.985 + 0.03 * noise(23, 170, 1))[..., None]


def ridge(level: float, rise: float, cells: int, seed: int, depth: int) -> tuple[Any, Array]:
    """One mountain range and its mask; near ranges are darker and greener than far ones."""
    outline = line_noise(seed, cells, 3)
    top = level - rise * (0.75 * outline**1.5 + 0.25 * line_noise(seed + 2, cells * 4, 5))
    below = Y - top
    # The slope of the outline goes on into the rock below, or the peaks look like a curtain.
    slant = sample(np.gradient(-outline)[None] * 18 * np.ones_like(X), X - below * 0.5, Y)
    slant *= np.exp(-np.maximum(below, 0) * 9)
    rock = noise(seed + 1, 8, 6)
    light = np.clip(lit(rock, 16) + slant, 0.3, 1.7) * (0.75 + 0.5 * rock)
    slopes = (((104, 108, 148), (150, 138, 166)), ((62, 82, 104), (104, 112, 120)))
    dark, bright = (*slopes, ((26, 48, 48), (62, 84, 58)))[depth]
    colour = ramp(step(0, 0.16, below), bright, dark) * light[..., None]
    if depth < 2:
        snow = step(0.11, 0.05, below + (rock - 0.5) * 0.12 + depth * 0.05)
        colour = over(colour, ramp(light / 1.6, (150, 160, 204), (255, 236, 222)), snow)
    return colour, step(-0.002, 0.002, below)


def ripples() -> Array:
    """Where the lake looks: the row above the shore, shaken more the nearer it lies."""
    near = np.clip(Y - 0.6, 0, 1)
    waves = np.sin(near * 260 / (0.35 + near * 2)) + 2 * noise(24, 4, 4, 20) - 1
    edge: Array = (0.6 - near * 1.25 + waves * 0.022 * near / 0.4).astype(np.float32)
    return edge


def meadow(picture: Array) -> Array:
    """Grass and firs in front, dark against the water."""
    bank = 0.93 - 0.07 * line_noise(31, 3, 4) - 0.1 * np.maximum(0, 0.3 - X) / 0.3
    blades = noise(32, 110, 2, 0.25) * (0.5 + 0.7 * noise(34, 5, 3))
    grass = ramp(blades, (10, 18, 12), (40, 56, 24), (120, 116, 48), (190, 160, 80))
    picture = over(picture, grass, step(-0.004, 0.006, Y - bank))
    canvas = to_image(picture)
    draw = ImageDraw.Draw(canvas)
    rng = np.random.default_rng(33)
    for x, foot, height in [(40, 440, 250), (92, 452, 180), (470, 476, 150), (132, 462, 110)]:
        for row in range(int(height)):
            wide = (2 + row * 0.2) * (0.45 + 0.55 * (row % 13) / 13) * rng.uniform(0.7, 1.15)
            shade = int(10 + 22 * rng.random())
            y = foot - height + row
            draw.line((x - wide, y + 3, x, y), (shade, shade + 14, shade + 4))
            draw.line((x, y, x + wide, y + 3), (shade + 22, shade + 26, shade + 6))
    return np.asarray(canvas, np.float32) / 255


def still_life() -> Array:
    """Fruit and a glazed jar on a table by a window."""
    wall = ramp(X + 0.25 * noise(41, 3, 5), (150, 146, 122), (92, 96, 92), (44, 52, 60))
    wall *= (0.9 + 0.2 * noise(42, 40, 4))[..., None]
    grain = noise(43, 3, 5, 26)
    table = ramp(grain, (74, 38, 20), (142, 84, 44), (190, 128, 74))
    table *= (1.15 - 0.55 * X + 0.1 * np.sin(Y * 90) * grain)[..., None]
    picture = over(wall, table, step(0.618, 0.626, Y + 0.01 * X))
    picture = over(picture, *jar(0.3, 0.44))
    fruit = [
        (0.56, 0.52, 0.13, (196, 44, 30), (236, 176, 66), 51),
        (0.77, 0.59, 0.115, (226, 120, 20), (250, 168, 44), 52),
        (0.40, 0.68, 0.12, (112, 140, 36), (200, 196, 80), 53),
        (0.62, 0.73, 0.105, (158, 26, 40), (216, 70, 50), 54),
        (0.20, 0.73, 0.085, (86, 40, 96), (140, 80, 140), 55),
    ]
    for x, y, radius, dark, bright, seed in fruit:
        shadow = np.hypot((X - x - radius * 0.7) / 1.7, (Y - y - radius * 0.78) / 0.5)
        picture = over(picture, (20, 10, 8), 0.75 * step(radius * 1.15, radius * 0.3, shadow))
        picture = over(picture, *ball(x, y, radius, dark, bright, seed))
    return picture * (0.95 + 0.1 * noise(56, 200, 1))[..., None]


def ball(x: float, y: float, r: float, dark: Colour, bright: Colour, seed: int) -> tuple[Any, Any]:
    """A fruit lit from the left, with a highlight, bounced light and a mottled skin."""
    u, v = (X - x) / r, (Y - y) / (r * 0.95)
    squared = u * u + v * v
    depth = np.sqrt(np.maximum(1 - squared, 0))
    light = np.clip(-0.62 * u - 0.5 * v + 0.6 * depth, 0, 1)
    streaks = sample(noise(seed, 14, 3, 0.5), (np.arctan2(u, 1.1 + v) / 3 + 0.5), Y)
    skin = ramp(streaks * 0.7 + 0.3 * light, dark, dark, bright)
    bounce = 0.16 * np.clip(v, 0, 1) * (1 - depth)
    colour = skin * (0.14 + 1.05 * light + bounce)[..., None]
    shine = np.exp(-((u + 0.38) ** 2 + (v + 0.42) ** 2) * 34)
    dimple = np.exp(-(u**2 * 30 + (v + 0.8) ** 2 * 90))
    colour = over(colour + 0.75 * shine[..., None], (34, 22, 10), 0.8 * dimple)
    return colour, step(1.02, 0.97, squared)


def jar(x: float, y: float) -> tuple[Any, Any]:
    """A blue glazed jar: a turned profile, a painted band, a window's reflection."""
    t = (Y - y + 0.27) / 0.46
    belly = np.sin(np.clip(t * 1.06 - 0.06, 0.03, 0.93) ** 0.9 * np.pi)
    profile = 0.05 + 0.115 * belly**1.5
    profile += 0.018 * step(0.06, 0.0, np.abs(t - 0.03))
    u = (X - x) / profile
    depth = np.sqrt(np.maximum(1 - u * u, 0))
    glaze = ramp(noise(61, 5, 5), (16, 48, 96), (34, 92, 138), (70, 140, 160))
    wave = np.abs(t - 0.5 - 0.03 * np.sin(np.arcsin(np.clip(u, -1, 1)) * 9))
    glaze = over(glaze, (226, 214, 180), step(0.05, 0.035, wave) * (wave > 0.015))
    light = np.clip(-0.66 * u + 0.62 * depth, 0, 1) + 0.1
    shine = step(0.07, 0.03, np.abs(u + 0.5)) * step(0.13, 0.1, np.abs(t - 0.42))
    colour = glaze * light[..., None] * 1.25 + 0.6 * shine[..., None]
    return colour, step(1.03, 0.97, np.abs(u)) * ((t > 0) & (t < 1))


def city() -> Array:
    """A skyline after sunset with its windows lit, over a river."""
    bank = 0.7
    picture = ramp(
        Y / bank, (20, 30, 84), (76, 66, 142), (226, 104, 118), (255, 176, 96), (255, 214, 140)
    )
    clouds = step(0.5, 1, noise(71, 3, 6, 4))
    picture = over(picture, ramp(Y / bank, (54, 50, 110), (255, 132, 120)), clouds * 0.7)
    canvas = to_image(picture)
    rng = np.random.default_rng(72)
    for depth in range(3):
        haze = np.asarray(((150, 92, 122), (74, 58, 98), (26, 28, 54))[depth])
        for left in range(-10, SIZE, (40, 56, 66)[depth]):
            height = (110, 80, 45)[depth] + rng.gamma(2, (46, 40, 30)[depth])
            wide = rng.uniform(24, (40, 54, 66)[depth])
            tower(canvas, rng, (left, int(bank * SIZE - min(height, 320))), wide, haze, depth)
    town = blur(np.asarray(canvas, np.float32) / 255, 0.6)
    halo = blur(np.clip(town - 0.62, 0, 1) * (Y > 0.25)[..., None], 6)
    town += 1.4 * halo
    near = np.clip(Y - bank, 0, 1)
    sway = (noise(73, 8, 4, 14) - 0.5) * 0.05 + (noise(74, 30, 2, 5) - 0.5) * 0.02
    mirror = sample(town, X + sway * (0.3 + near * 3), bank - near * 1.5 + sway * near * 2)
    water = mirror * np.array([0.66, 0.68, 0.82]) * (0.7 + 0.5 * noise(75, 6, 4, 16))[..., None]
    return over(town, water, step(bank - 0.001, bank + 0.002, Y))


def tower(canvas: Any, rng: Any, corner: Any, wide: float, haze: Any, depth: int) -> None:
    """One building: a face in the evening light, a side in the shade, and its windows."""
    left, top = corner
    right, foot = int(left + wide), int(0.7 * SIZE)
    draw = ImageDraw.Draw(canvas)
    tint = haze * rng.uniform(0.8, 1.15)
    draw.rectangle((left, top, right, foot), tuple(int(c) for c in tint))
    draw.rectangle((right - wide * 0.3, top, right, foot), tuple(int(c * 0.72) for c in tint))
    if rng.random() < 0.4:
        draw.line(((left + right) / 2, top - 26, (left + right) / 2, top), tuple(haze.tolist()), 2)
    lights = ((255, 222, 150), (255, 190, 96), (170, 210, 255))
    for y in range(top + 5, foot - 4, 7 + depth):
        for x in range(int(left) + 3, right - 4, 6 + depth):
            if rng.random() < (0.25, 0.35, 0.42)[depth]:
                glow = np.asarray(lights[rng.choice(3, p=(0.55, 0.3, 0.15))])
                colour = tint + (glow - tint) * rng.uniform(0.35, 1) * (0.6 + 0.2 * depth)
                draw.rectangle((x, y, x + 2, y + 3), tuple(int(c) for c in colour))
