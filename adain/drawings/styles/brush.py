"""Styles drawn by code, each in the manner of a technique."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import ImageDraw

from adain.drawings.primitives import (
    SIZE,
    Array,
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
    drawn: Array = painted[..., :3] * np.clip(lit(relief, 1.1), 0.55, 1.5)[..., None]
    return drawn


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
