"""Styles drawn by code in the manner of walls: mosaic and fresco."""

from __future__ import annotations

import numpy as np

from adain.drawings.primitives import (
    SIZE,
    Array,
    X,
    Y,
    blur,
    cells,
    lit,
    noise,
    over,
    palette,
    ramp,
    sample,
    step,
)


def mosaic() -> Array:
    """A peacock with its train spread, in glass tiles that follow its forms on a gold ground."""
    base, outline = peacock()
    field = blur(np.clip(outline * 4, 0, 1), 5)
    angle = np.arctan2(*np.gradient(field)).astype(np.float32)
    tiles, edge = tessellate(angle, 441, 62)
    middles = tiles.max() + 1
    count = np.maximum(np.bincount(tiles.ravel(), minlength=middles), 1)
    sums = [np.bincount(tiles.ravel(), plane.ravel(), middles) for plane in np.moveaxis(base, 2, 0)]
    rng = np.random.default_rng(442)
    means = np.stack(sums, axis=-1) / count[:, None] * rng.uniform(0.78, 1.24, (middles, 1))
    means += rng.normal(0, 0.035, (middles, 3))
    glass = means.astype(np.float32)[tiles] * (0.9 + 0.2 * noise(443, 160, 1))[..., None]
    tilt = rng.normal(0, 0.1, middles).astype(np.float32)[tiles]
    glass *= (1.04 + tilt)[..., None]
    return over(glass, ramp(noise(444, 120, 2), (40, 34, 34), (104, 92, 84)), edge)


def peacock() -> tuple[Array, Array]:
    """The picture that the mosaic is laid after, and how far its nearest outline is."""
    cx, cy = 0.5, 0.7
    far, turn = np.hypot(X - cx, Y - cy), np.arctan2(X - cx, cy - Y)
    gold = ramp(noise(445, 5, 3), (196, 140, 30), (240, 196, 70), (255, 226, 120))
    train = 0.58 - far
    rays = ramp(far / 0.58, (10, 60, 110), (20, 140, 120), (110, 190, 60))
    rays *= (0.8 + 0.35 * step(-0.3, 0.3, np.sin(turn * 34)))[..., None]
    base = over(gold, rays, (train > 0) & (Y < 0.86))
    outline = np.abs(train)
    for radius, count, size in ((0.5, 15, 0.05), (0.385, 12, 0.046), (0.275, 9, 0.038)):
        for index in range(count):
            place = (index - (count - 1) / 2) * (3.5 / count)
            ex, ey = cx + radius * np.sin(place), cy - radius * np.cos(place)
            eye = np.hypot(X - ex, Y - ey)
            colours = palette("face46 3cc8be 18288c 141446")
            for shrink, colour in zip((1.1, 0.8, 0.52, 0.25), colours, strict=True):
                base = over(base, colour, eye < size * shrink)
            outline = np.minimum(outline, np.abs(eye - size))
    body = np.hypot((X - cx) / 0.62, (Y - 0.74)) - 0.17
    neck = np.maximum(
        np.abs(X - cx + 0.022 * np.sin((Y - 0.4) * 14)) - 0.042 - 0.12 * np.clip(Y - 0.5, 0, 1),
        np.abs(Y - 0.53) - 0.15,
    )
    head = np.hypot(X - cx + 0.012, Y - 0.385) - 0.058
    bird = np.minimum(np.minimum(body, neck), head)
    base = over(base, (255, 226, 120), bird < 0.02)
    blues = ramp((Y - 0.33) / 0.5 + 0.9 * (X - 0.5), (60, 130, 250), (30, 70, 210), (40, 40, 130))
    base = over(base, blues, bird < 0)
    for lean in (-0.045, 0, 0.045):
        plume = np.hypot(X - cx + 0.012 - lean, (Y - 0.3) * 0.9)
        base = over(base, (60, 130, 250), plume < 0.016)
    base = over(base, (250, 240, 220), np.hypot(X - cx + 0.03, Y - 0.38) < 0.02)
    base = over(base, (236, 150, 40), (np.abs(Y - 0.4) < (X - 0.39) * 0.5) & (X < 0.44))
    ground = ramp(noise(446, 6, 2), (110, 40, 30), (180, 80, 40))
    base = over(base, ground, Y > 0.88)
    border = np.minimum(np.minimum(X, 1 - X), np.minimum(Y, 1 - Y))
    odd = (np.floor(X * 18) + np.floor(Y * 18)) % 2
    base = over(base, ramp(odd, (140, 20, 30), (244, 206, 100)), border < 0.055)
    outline = np.minimum(outline, np.abs(bird))
    outline = np.minimum(outline, np.abs(border - 0.055))
    return base, np.minimum(outline, np.abs(Y - 0.88)).astype(np.float32)


def tessellate(angle: Array, seed: int, across: int) -> tuple[Array, Array]:
    """Square tiles turned by `angle`, packed evenly: the tile of each pixel, and the joints."""
    rng = np.random.default_rng(seed)
    side = SIZE / across
    grid = np.stack(np.meshgrid(np.arange(across), np.arange(across)), axis=-1).reshape(-1, 2)
    places = ((grid + rng.uniform(0.2, 0.8, grid.shape)) * side).astype(np.float32)
    reach = int(side * 1.15)
    near = np.arange(-reach, reach + 1)
    window = np.stack(np.meshgrid(near, near), axis=-1).reshape(-1, 2)
    numbers = np.arange(len(places), dtype=np.int64)[:, None]
    for _ in range(3):
        turn = sample(angle, places[:, 0] / SIZE, places[:, 1] / SIZE)[:, None]
        spots = np.floor(places).astype(np.int64)[:, None] + window
        inside = ((spots >= 0) & (spots < SIZE)).all(axis=-1)
        delta = spots - places[:, None]
        c, s = np.cos(turn), np.sin(turn)
        u, v = delta[..., 0] * c + delta[..., 1] * s, delta[..., 1] * c - delta[..., 0] * s
        far = np.maximum(np.abs(u), np.abs(v))
        # Distance above, number below: the least key of a pixel names its nearest tile.
        keys = (far * 4096).astype(np.int64) * 65536 + numbers
        where = spots[..., 1] * SIZE + spots[..., 0]
        nearest = np.full(SIZE * SIZE, 2**62)
        np.minimum.at(nearest, where[inside], keys[inside])
        owner = nearest % 65536
        owner[nearest == 2**62] = 0
        count = np.maximum(np.bincount(owner, minlength=len(places)), 1)
        for axis, plane in enumerate((X, Y)):
            mean = np.bincount(owner, plane.ravel() * SIZE, len(places)) / count
            places[:, axis] = np.where(count > 4, mean, places[:, axis])
    tiles = owner.reshape(SIZE, SIZE)
    joint = np.zeros((SIZE, SIZE), np.float32)
    joint[:, 1:] += tiles[:, 1:] != tiles[:, :-1]
    joint[1:] += tiles[1:] != tiles[:-1]
    joint = np.clip(joint, 0, 1)
    return tiles, np.clip(blur(joint, 0.7) * 1.5, 0, 1)


def fresco() -> Array:
    """Bands of running spirals, palms and rosettes on red plaster, faded and cracked."""
    picture = frieze(Y + 0.006 * (noise(492, 5, 3) - 0.5))
    lost = step(0.68, 0.74, 0.7 * noise(494, 4, 6) + 0.3 * noise(495, 30, 3))
    plaster = ramp(noise(496, 20, 4), (190, 170, 140), (226, 212, 184))
    picture = over(picture, plaster, np.maximum(lost, 0.5 * step(0.55, 0.9, noise(497, 70, 3))))
    bend = 0.05 * noise(498, 6, 4)
    _, first, second = cells(499, 9, X + bend, Y - bend)
    wide = step(0.05, 0.02, second - first)
    _, first, second = cells(500, 26, X + bend, Y + bend)
    crack = np.maximum(wide, 0.7 * step(0.08, 0.03, second - first))
    relief = blur(np.clip(0.5 + 0.3 * lost - 0.4 * crack + 0.15 * noise(501, 100, 3), 0, 1), 0.7)
    picture = over(picture, (60, 40, 34), 0.75 * crack)
    drawn: Array = picture * np.clip(lit(-relief, 1.3), 0.6, 1.4)[..., None]
    return drawn


def frieze(y: Array) -> Array:
    """The painting before it decayed: y may be uneven."""
    ochre, teal, cream, ink, red = palette("eaa83c 2c8c84 f0e0b4 301a1c b02a1c")
    picture = ramp(noise(491, 4, 5), *palette("8c1e18 be3422 d25028"))
    mottled = (0.8 + 0.2 * noise(493, 7, 4))[..., None]
    bands = ((0.12, 0.085, ochre), (0.38, 0.1, ink), (0.62, 0.075, teal), (0.87, 0.09, ochre))
    for middle, half, colour in bands:
        far = np.abs(y - middle)
        picture = over(picture, np.asarray(colour, np.float32) / 255 * mottled, far < half)
        picture = over(picture, cream, step(0.009, 0.006, np.abs(far - half)))
        picture = over(picture, ink, step(0.004, 0.002, np.abs(far - half - 0.013)))
    for middle, half, colour in ((0.12, 0.07, teal), (0.87, 0.075, red)):
        u, v = ((X / (half * 2.4)) % 1 - 0.5) * half * 2.4, y - middle
        far, turn = np.hypot(u, v), np.arctan2(v, u)
        spiral = step(-0.15, 0.15, np.sin(turn - far / half * 9)) * step(half, half * 0.96, far)
        tail = step(0.012, 0.008, np.abs(v - half * 0.8 * np.tanh(u / half * 3)))
        tail *= (far > half * 0.9) & (np.abs(v) < half)
        picture = over(picture, colour, np.maximum(spiral, tail))
    u, v = ((X * 4.5) % 1 - 0.5) / 4.5, y - 0.38
    far, turn = np.hypot(u, v), np.arctan2(v, u)
    rose = 0.085 * (0.72 + 0.28 * np.abs(np.cos(turn * 5)))
    for shrink, colour in ((1, cream), (0.78, red), (0.45, ochre)):
        picture = over(picture, colour, step(0.002, -0.002, far - rose * shrink))
    picture = over(picture, ink, step(0.022, 0.019, far))
    u, rise = ((X * 7) % 1 - 0.5) / 7, (0.685 - y) / 0.135
    for index, lean in enumerate(np.linspace(-1, 1, 7)):
        stem = lean * 0.055 * np.sin(np.clip(rise, 0, 1) * 1.6)
        wide = 0.007 * np.sin(np.clip(rise / (1 - 0.3 * abs(lean)), 0, 1) * np.pi)
        leaf = step(0.0015, -0.0015, np.abs(u - stem) - wide) * (wide > 0.0005)
        picture = over(picture, (cream, ochre)[index % 2], leaf)
    return picture
