"""A content drawn by code: a lighthouse by the sea."""

from __future__ import annotations

import numpy as np

from adain.drawings.primitives import (
    Array,
    X,
    Y,
    blur,
    line_noise,
    lit,
    noise,
    over,
    palette,
    ramp,
    sample,
    step,
)


def lighthouse() -> Array:
    """A lighthouse on rocks above a rough sea, and a sailing boat."""
    horizon = 0.56
    picture = ramp(Y / horizon, (52, 108, 176), (110, 168, 214), (206, 224, 226), (250, 232, 200))
    shape = noise(501, 3, 6, 2.2)
    cloud = step(0.5, 0.78, shape + 0.1 * (Y - 0.3)) * step(0.55, 0.4, Y)
    shine = np.clip(lit(blur(shape, 5), 18), 0.4, 1.6)
    vapour = ramp(shine - 0.5, *palette("8292b0 e2e0e2 fffaee"))
    picture = over(picture, vapour, cloud)
    near = np.clip(Y - horizon, 0.001, 1)
    across, down = (X - 0.5) / (near + 0.1) * 0.3, 0.35 * np.log(near + 0.02)
    swell = sample(noise(502, 26, 5, 1), (across + 3) % 1, (down * 2 + 4) % 1)
    sea = ramp(swell * 0.9 + 0.25 * near, *palette("103a5c 186080 4696a6 aad6ce"))
    caps = step(0.74, 0.86, swell) * step(0, 0.12, near)
    sea = over(sea, (246, 248, 240), caps * 0.9)
    sea = over(sea, (250, 226, 190), 0.5 * step(0.03, 0, near))
    picture = over(picture, sea, step(-0.001, 0.001, Y - horizon))
    picture = boat(picture)
    top = 0.52 + 0.36 * (1 - step(0.95, 0.2, np.abs(X - 1.02))) - 0.07 * line_noise(503, 5, 5)
    rock = noise(504, 7, 6)
    light = np.clip(lit(blur(rock, 1), 15), 0.25, 1.9)
    cliff = ramp(rock, (52, 44, 44), (116, 96, 84), (170, 146, 122)) * light[..., None]
    grass = ramp(noise(505, 60, 3, 0.4), (48, 84, 36), (110, 140, 54), (176, 176, 84))
    cliff = over(cliff, grass, step(0.12, 0.05, Y - top + 0.16 * (rock - 0.5)))
    picture = over(picture, cliff, step(-0.002, 0.002, Y - top))
    surf = np.exp(-np.abs(Y - top + 0.015) / 0.02) * step(0.56, 0.62, Y)
    spray = step(0.55, 0.8, 0.6 * noise(506, 24, 5) + 0.55 * surf)
    picture = over(picture, (248, 250, 246), 0.92 * spray)
    picture = tower(picture)
    # The foot of the walls stands in the grass.
    tufts = step(0.55, 0.565, Y + 0.035 * (noise(511, 70, 2, 0.3) - 0.5))
    tufts *= step(0.65, 0.6, Y + 0.1 * (rock - 0.5)) * step(0.58, 0.62, X)
    picture = over(picture, grass, tufts * step(-0.002, 0.002, Y - top))
    return picture * (0.985 + 0.03 * noise(507, 170, 1))[..., None]


def tower(picture: Array) -> Array:
    """The lighthouse: a white shaft with red bands, a gallery, a lantern and its keeper's house."""
    u, v = X - 0.76, Y
    half = 0.036 + 0.03 * (v - 0.2)
    depth = np.clip(u / half, -1, 1)
    light = 0.62 + 0.45 * np.sqrt(1 - depth**2) - 0.35 * depth
    bands = np.floor((v - 0.2) / 0.058) % 2
    shaft = (
        ramp(bands, (237, 235, 224), (199, 38, 31))
        * (light * (0.92 + 0.14 * noise(508, 40, 3)))[..., None]
    )
    for y in (0.29, 0.4):
        shaft = over(shaft, (40, 46, 60), (np.abs(u + 0.008) < 0.007) & (np.abs(v - y) < 0.013))
    house = (np.abs(u + 0.095) < 0.065) & (v > 0.475) & (v < 0.56)
    wall = ramp(noise(509, 60, 2), (195, 189, 173), (230, 222, 204))
    for x in (-0.13, -0.065):
        wall = over(wall, (60, 70, 90), (np.abs(u - x) < 0.011) & (np.abs(v - 0.515) < 0.014))
    picture = over(picture, wall, house)
    roof = (v > 0.435) & (v < 0.48) & (np.abs(u + 0.095) < 0.05 + (v - 0.435) * 0.6)
    picture = over(picture, ramp(Y * 30 % 1, (120, 50, 40), (176, 84, 60)), roof)
    picture = over(picture, shaft, (np.abs(u) < half) & (v > 0.2) & (v < 0.585))
    picture = over(picture, (46, 48, 56), (np.abs(u) < 0.048) & (v > 0.19) & (v < 0.2))
    rail = (np.abs((u * 90) % 1 - 0.5) > 0.36) | (v < 0.172)
    rail &= (np.abs(u) < 0.048) & (v > 0.168) & (v < 0.19)
    glass = (np.abs(u) < 0.024) & (v > 0.135) & (v < 0.19)
    picture = over(picture, ramp(np.abs(u) / 0.024, (255, 250, 200), (240, 200, 110)), glass)
    picture = over(picture, (46, 48, 56), glass & (np.abs((u * 62) % 1 - 0.5) > 0.42))
    picture = over(picture, (46, 48, 56), rail)
    dome = np.hypot(u / 0.029, (v - 0.135) / 0.03) < 1
    dome = (dome & (v < 0.136)) | ((np.abs(u) < 0.003) & (v > 0.08) & (v < 0.12))
    return over(picture, ramp((u + 0.03) / 0.06, (196, 50, 40), (110, 20, 24)), dome)


def boat(picture: Array) -> Array:
    """A sailing boat heeled by the wind, and its broken reflection."""
    c, s = np.cos(0.12), np.sin(0.12)
    u, v = (X - 0.27) * c + (Y - 0.66) * s, (Y - 0.66) * c - (X - 0.27) * s
    under = step(0.08, 0.0, np.abs(u + 0.04 * (noise(510, 20, 3, 3) - 0.5)))
    under *= step(0.12, 0.02, v) * (v > 0.015)
    picture = over(picture, (20, 50, 76), 0.6 * under)
    belly = 0.02 * np.sin(np.clip((v + 0.25) / 0.24, 0, 1) * np.pi)
    main = (u > 0.004) & (u < (v + 0.27) * 0.42 + belly) & (v < -0.025) & (v > -0.26)
    jib = (u < -0.004) & (-u < (v + 0.22) * 0.36 + belly) & (v < -0.018) & (v > -0.22)
    seams = 0.09 * np.sin(v * 160) ** 8
    cloth = ramp((u + 0.1) / 0.2 + seams, (255, 250, 236), (222, 214, 206))
    picture = over(picture, cloth, main)
    picture = over(picture, cloth * np.array([0.9, 0.42, 0.32]), jib)
    picture = over(picture, (60, 40, 30), (np.abs(u) < 0.003) & (v < 0) & (v > -0.275))
    hull = (np.abs(u) < 0.105 - 0.9 * np.maximum(v, 0)) & (v > -0.015) & (v < 0.032)
    paint = ramp((v + 0.015) / 0.047, *palette("faf4e6 223c6e 142246"))
    return over(picture, paint, hull)
