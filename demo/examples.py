"""The pictures the demo opens with, drawn by code: no photograph and no painting ships with it.

Pictures are float arrays in [0, 1] on a square of SIZE pixels; x runs right and y runs down. Each
drawing has its own seed, so that all machines show the same pictures.
"""

from __future__ import annotations

import hashlib
import tempfile
import uuid
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from adain.weights import cache_folder

SIZE = 512
Array: TypeAlias = npt.NDArray[Any]
Colour: TypeAlias = tuple[int, int, int]

Y, X = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) / SIZE


# Tools


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


# Contents


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
    return picture * (0.96 + 0.08 * noise(23, 170, 1))[..., None]


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
    return (0.6 - near * 1.25 + waves * 0.022 * near / 0.4).astype(np.float32)


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


# Styles


def strokes(base: Array, angle: Array, seed: int, passes: Sequence[tuple[int, int, int]]) -> Array:
    """Repaint a picture with a bristle brush.

    angle: the direction of the brush at each pixel, in radians.
    passes: (strokes, steps of 4 pixels, width in pixels), broad ones first.
    """
    rng = np.random.default_rng(seed)
    # The fourth channel is the height of the paint, so that one line draws both.
    canvas = to_image(np.dstack([base, np.full_like(base[..., :1], 0.35)]))
    draw = ImageDraw.Draw(canvas)
    for count, steps, width in passes:
        path = [rng.uniform(-0.02, 1.02, (count, 2))]
        for _ in range(steps):
            turn = sample(angle, path[-1][:, 0], path[-1][:, 1])
            path.append(path[-1] + np.stack([np.cos(turn), np.sin(turn)], axis=-1) * 4 / SIZE)
        picked = sample(base, path[steps // 2][:, 0], path[steps // 2][:, 1])
        picked = picked * rng.uniform(0.8, 1.22, (count, 1)) + rng.normal(0, 0.04, (count, 3))
        offsets = np.arange(-(width // 2), width // 2 + 1, 2)
        across = np.stack([-np.sin(turn), np.cos(turn)], axis=-1)[:, None, None]
        track = np.stack(path, axis=1)[:, None] * SIZE + across * offsets[:, None, None]
        tones = rng.normal(1, 0.09, (count, len(offsets), 1)) * picked[:, None]
        ridges = rng.uniform(0.35, 1, (count, len(offsets), 1))
        inks = (np.clip(np.dstack([tones, ridges]), 0, 1) * 255).astype(int)
        lines = track.reshape(count * len(offsets), -1).tolist()
        for line, ink in zip(lines, inks.reshape(-1, 4).tolist(), strict=True):
            draw.line(line, tuple(ink), 3)
    painted = np.asarray(canvas, np.float32) / 255
    relief = blur(painted[..., 3], 0.7)
    return painted[..., :3] * np.clip(lit(relief, 1.1), 0.55, 1.5)[..., None]


def impasto() -> Array:
    """A field of poppies and sunflowers under a turquoise sky, in thick paint."""
    base = ramp(Y * 2.4, (20, 98, 150), (70, 176, 186), (244, 226, 150))
    land = ramp(step(0.35, 1, Y), (226, 168, 40), (92, 130, 40), (24, 66, 44))
    base = over(base, land, step(0.38, 0.44, Y + 0.08 * noise(81, 3, 2)))
    canvas = to_image(base)
    draw = ImageDraw.Draw(canvas)
    rng = np.random.default_rng(82)
    petals = ((226, 40, 24), (250, 196, 20), (244, 110, 20), (250, 240, 214))
    for y in np.sort(rng.uniform(0.42, 1, 70)) * SIZE:
        x, r = rng.random() * SIZE, 4 + 0.085 * (y - 0.38 * SIZE)
        draw.ellipse((x - r, y - 0.8 * r, x + r, y + 0.8 * r), petals[rng.integers(4)])
        r *= 0.4
        draw.ellipse((x - r, y - 0.8 * r, x + r, y + 0.8 * r), (60, 20, 30))
    base = np.asarray(canvas, np.float32) / 255
    angle = (noise(83, 3, 2) - 0.5) * 5 + np.where(Y < 0.42, 0.2, 1.3).astype(np.float32)
    return strokes(base, angle, 84, ((420, 9, 17), (1100, 6, 9), (2400, 3, 5)))


def night() -> Array:
    """A night sky that swirls around its stars, in long curved strokes."""
    angle: Array = 0.25 * np.sin(X * 7 + Y * 3)
    flow = np.stack([np.cos(angle), np.sin(angle)], axis=-1) * 0.5
    base = ramp(noise(91, 4, 4, 2), (8, 16, 62), (24, 70, 150), (88, 160, 200), (20, 40, 110))
    stars = [
        (0.74, 0.2, 0.15, 1),
        (0.36, 0.4, 0.2, -1),
        (0.14, 0.16, 0.1, 1),
        (0.6, 0.62, 0.11, 1),
        (0.46, 0.1, 0.07, -1),
        (0.9, 0.5, 0.08, -1),
    ]
    for x, y, r, turn in stars:
        dx, dy = X - x, Y - y
        far = np.hypot(dx, dy) + 1e-4
        pull = np.exp(-((far / r) ** 2))[..., None] * 3
        flow += np.stack([-dy, dx], axis=-1) / far[..., None] * turn * pull
        rings = 0.5 + 0.5 * np.cos(far / r * 9)
        light = ramp(rings, (60, 130, 180), (250, 216, 90))
        base = over(base, light, step(r * 1.3, r * 0.2, far) * 0.85)
        base = over(base, (255, 246, 190), step(r * 0.36, r * 0.2, far))
    hills = ramp(noise(92, 6, 3), (6, 14, 30), (18, 54, 60), (50, 90, 60))
    outline = 0.82 - 0.14 * line_noise(93, 3, 2)
    base = over(base, hills, step(-0.004, 0.004, Y - outline))
    flow = np.where((outline < Y)[..., None], [[[1.0, -0.35]]], flow)
    angle = np.arctan2(flow[..., 1], flow[..., 0])
    return strokes(base, angle, 94, ((700, 12, 13), (2200, 8, 7)))


def stained_glass() -> Array:
    """A rose window: rings of coloured panes between dark leads."""
    rings = ((0, 1), (0.11, 8), (0.21, 12), (0.31, 16), (0.42, 24), (0.54, 24), (0.68, 24))
    gold, ruby, cobalt, emerald = (250, 200, 40), (190, 16, 40), (20, 60, 170), (16, 130, 90)
    jewels = (gold, ruby, cobalt, emerald, (226, 110, 20), (96, 30, 130), (60, 160, 210))
    sites, panes = [], []
    for ring, (radius, count) in enumerate(rings):
        for pane in range(count):
            turn = 2 * np.pi * (pane + 0.5 * (ring % 2)) / count
            sites.append((0.5 + radius * np.cos(turn), 0.5 + radius * np.sin(turn)))
            panes.append(jewels[(ring * 2 + (pane % 2) * (1 + ring % 3)) % len(jewels)])
    wobble = (noise(102, 12, 2) - 0.5) * 0.012
    first = np.full((SIZE, SIZE), 9, np.float32)
    second, pick = first.copy(), np.zeros((SIZE, SIZE), np.uint8)
    for index, (x, y) in enumerate(sites):
        far = (X + (wobble - x)) ** 2 + (Y - (wobble + y)) ** 2
        np.minimum(second, np.maximum(first, far), out=second)
        pick[far < first] = index
        np.minimum(first, far, out=first)
    first, second = np.sqrt(first), np.sqrt(second)
    shades = np.random.default_rng(101).uniform(0.75, 1.15, (len(panes), 1))
    colour = (np.asarray(panes) / 255 * shades).astype(np.float32)[pick]
    streaks = sample(noise(103, 9, 5, 0.3), X + 0.08 * noise(104, 5, 2), Y)
    light = 0.45 + 0.75 * streaks + 0.5 * np.exp(-((first / 0.035) ** 2))
    edge = second - first
    colour *= (light * (0.55 + 0.45 * step(0, 0.06, edge)))[..., None]
    colour += 0.1 * (noise(105, 90, 2)[..., None] - 0.5)
    lead = ramp(step(0.004, 0.0, edge), (12, 12, 16), (70, 72, 80))
    return over(colour, lead, step(0.016, 0.011, edge))


def woodcut() -> Array:
    """Sun, waves and hills cut into wood, printed in blue-black and vermilion on cream paper."""
    wood = (noise(111, 5, 3, 3) - 0.5) * 0.02
    y = Y + wood
    far = np.hypot(X - 0.62, y - 0.33)
    ray = np.arctan2(y - 0.33, X - 0.62)
    sun = step(0.165, 0.16, far) * step(
        -0.35, -0.25, np.sin((y - 0.33) * 330) - step(0, 0.2, y - 0.3)
    )
    sky = cut(np.sin(ray * 46 + far * 5) * 0.5 + 0.5, 0.24 + 0.7 * step(0.25, 0.75, far))
    sky *= step(0.185, 0.19, far)
    crest = 0.62 + 0.035 * np.sin(X * 15) + 0.02 * np.sin(X * 37 + 1)
    hill = 0.6 - 0.2 * line_noise(112, 3, 3)
    inside = y - hill
    slope = cut(np.sin((inside + 0.25 * X) * 210) * 0.5 + 0.5, 0.35 + 0.5 * noise(113, 4, 3))
    ink = np.where(inside > 0, np.maximum(slope, step(0.008, 0.004, inside)), sky)
    swell = (y - crest) * 46 + 1.5 * np.sin(X * 15 + y * 9) + 1.2 * np.sin(X * 31 - y * 20)
    waves = cut(np.sin(swell * 2.4) * 0.5 + 0.5, 0.3 + 0.55 * (0.5 + 0.5 * np.sin(swell * 0.6)))
    ink = np.where(y > crest, np.maximum(waves, step(0.008, 0.004, y - crest)), ink)
    paper = ramp(noise(114, 50, 4), (224, 208, 170), (246, 234, 204))
    worn = 0.72 + 0.28 * step(0.1, 0.4, noise(115, 130, 3, 0.3))
    glow = np.where(y > crest, step(0.2, 0.7, np.sin(swell * 0.6 + 2)) * 0.75, sun * (inside < 0))
    printed = over(paper, (206, 54, 30), glow * worn)
    frame = step(0.018, 0.022, np.minimum(np.minimum(X, 1 - X), np.minimum(Y, 1 - Y)))
    return over(over(printed, (20, 26, 50), ink * worn), paper, 1 - frame)


def cut(groove: Any, tone: Any) -> Array:
    """Lines of ink whose width grows with the tone, as a gouge leaves them."""
    return step(-0.08, 0.08, tone - groove)


def pointillism() -> Array:
    """A river bank in dots of pure colour, neighbours leaning to opposite hues."""
    base = ramp(Y * 1.5, (120, 176, 226), (216, 216, 214), (250, 218, 150))
    base = over(
        base, (250, 240, 226), 0.8 * step(0.55, 0.9, noise(121, 4, 4, 3)) * step(0.4, 0.2, Y)
    )
    trees = step(0.52, 0.6, 0.6 * noise(122, 4, 4) + step(0.55, 0.05, X) - np.abs(Y - 0.26) * 1.3)
    river = ramp(noise(123, 4, 4, 9), (40, 84, 170), (110, 160, 214), (244, 214, 160))
    base = over(base, river, step(0.43, 0.45, Y))
    base = over(base, ramp(noise(124, 6, 4), (20, 74, 60), (70, 150, 60), (210, 200, 70)), trees)
    grass = ramp(noise(125, 5, 4), (30, 100, 50), (120, 176, 50), (236, 216, 90))
    base = over(base, grass, step(0, 0.02, Y - 0.56 - 0.4 * X))
    shade = step(0.02, 0.1, noise(126, 4, 3) - 0.55) * step(0.6, 0.75, Y)
    base = over(base, (44, 40, 110), 0.6 * shade)
    sail = (np.abs(X - 0.72) < (Y - 0.3) * 0.35) & (Y > 0.3) & (Y < 0.47) & (X > 0.715)
    base = over(base, (255, 250, 236), sail)
    rng = np.random.default_rng(127)
    canvas = to_image(base * 0.5 + np.array([0.42, 0.4, 0.32]))
    draw = ImageDraw.Draw(canvas)
    count = 17000
    places = rng.random((count, 2))
    picked = sample(base, places[:, 0], places[:, 1])
    spread = rng.normal(0, 0.1, (count, 3)) * (rng.random((count, 1)) < 0.75)
    opposite = (rng.random((count, 1)) < 0.12) * (0.55 - picked) * 0.9
    colours = (np.clip((picked + spread + opposite - 0.5) * 1.25 + 0.5, 0, 1) * 255).astype(int)
    corners = places * SIZE
    sizes = rng.uniform(2, 3.6, count)
    for (x, y), r, colour in zip(corners.tolist(), sizes.tolist(), colours.tolist(), strict=True):
        draw.ellipse((x - r, y - r, x + r, y + r), tuple(colour))
    return np.asarray(canvas, np.float32) / 255


CONTENTS: dict[str, Callable[[], Array]] = {
    "landscape": landscape,
    "still-life": still_life,
    "city": city,
}
STYLES: dict[str, Callable[[], Array]] = {
    "night": night,
    "stained-glass": stained_glass,
    "woodcut": woodcut,
    "impasto": impasto,
    "pointillism": pointillism,
}


# Files


@cache
def folder() -> Path:
    """Where the drawings are kept, new for every version of this file."""
    digest = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    kept = cache_folder() / f"examples-{digest}"
    try:
        kept.mkdir(parents=True, exist_ok=True)
    except OSError:  # a read-only home: draw again at every start
        kept = Path(tempfile.mkdtemp(prefix="adain-examples-"))
    return kept


def drawn(pictures: dict[str, Callable[[], Array]]) -> list[Path]:
    """The files of the pictures, drawing those that are not there yet."""
    paths = []
    for name, draw in pictures.items():
        path = folder() / f"{name}.jpg"
        if not path.is_file():
            temporary = path.with_name(f".{uuid.uuid4().hex}.jpg")
            to_image(draw()).save(temporary, quality=95, subsampling=0)
            temporary.replace(path)
        paths.append(path)
    return paths
