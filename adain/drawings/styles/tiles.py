"""A style drawn by code: painted tiles."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from adain.drawings.primitives import (
    Array,
    Colour,
    X,
    Y,
    cells,
    disc,
    from_image,
    noise,
    over,
    palette,
    ramp,
    sample,
    sheet,
    step,
)

Place: TypeAlias = tuple[float, float]


def delft() -> Array:
    """Tin-glazed tiles painted in cobalt blue: flowers, a ship, a windmill and corner leaves."""
    image, draw = sheet(scale=4)
    side = image.width / 4
    motifs = (flower, mill, ship, flower)
    for row in range(4):
        for column in range(4):
            place = ((column + 0.5) * side, (row + 0.5) * side)
            tile(draw, place, side / 2, motifs[row % 2 * 2 + column % 2])
    shake = 0.006 * (np.stack([noise(481, 40, 2), noise(482, 40, 2)]) - 0.5)
    density = sample(from_image(image)[..., 0], X + shake[0], Y + shake[1])
    density *= 0.65 + 0.6 * noise(483, 18, 3)
    glaze = np.clip(0.1 * noise(484, 7, 4) + 0.06 * noise(485, 90, 2) + density, 0, 1)
    picture = ramp(glaze, *palette("f0f2ee b0cae2 5c88c8 264ca0 102468"))
    _, first, second = cells(486, 34, X + 0.02 * noise(487, 9, 2), Y)
    picture = over(picture, (150, 160, 170), 0.4 * step(0.05, 0.02, second - first))
    edge = np.maximum(np.abs(X * 4 % 1 - 0.5), np.abs(Y * 4 % 1 - 0.5))
    picture *= (1.03 - 0.25 * step(0.47, 0.5, edge))[..., None]
    return over(picture, (132, 126, 116), step(0.488, 0.494, edge))


def tile(draw: Any, place: Place, r: float, motif: Any) -> None:
    """One tile: its motif in a double ring, and a fan of leaves in each corner."""
    x, y = place
    for turn in np.arange(4) * np.pi / 2 + np.pi / 4:
        corner = (x + np.cos(turn) * r * 1.41, y + np.sin(turn) * r * 1.41)
        for spread in np.linspace(-0.75, 0.75, 7):
            long = r * (0.62 - 0.2 * abs(spread))
            petal(draw, corner, turn + np.pi + spread, long, r * 0.075, 150)
        disc(draw, *corner, r * 0.17, gray(235))
    disc(draw, x, y, r * 0.9, None, gray(220))
    disc(draw, x, y, r * 0.8, None, gray(220))
    for turn in np.arange(32) * np.pi / 16:
        disc(draw, x + np.cos(turn) * r * 0.85, y + np.sin(turn) * r * 0.85, 6, gray(200))
    motif(draw, place, r)


def gray(tone: int) -> Colour:
    """How thick the cobalt is laid, from 0 to 255."""
    return (tone, tone, tone)


def petal(draw: Any, foot: Place, turn: float, long: float, wide: float, tone: int) -> None:
    """A pointed leaf with a dark outline and rib."""
    place = np.linspace(0, 1, 12)
    bulge = np.sin(place * np.pi) ** 0.8 * wide
    along, across = np.append(place, place[::-1]) * long, np.append(bulge, -bulge[::-1])
    columns = foot[0] + along * np.cos(turn) - across * np.sin(turn)
    rows = foot[1] + along * np.sin(turn) + across * np.cos(turn)
    draw.polygon(np.stack([columns, rows], axis=-1).ravel().tolist(), gray(tone), gray(240), 4)
    draw.line((*foot, columns[11], rows[11]), gray(240), 3)


def shape(draw: Any, place: Place, r: float, tone: int, points: Any) -> None:
    """A filled outline; the points are given in halves of a tile from its middle."""
    spots = np.asarray(place) + np.asarray(points) * r
    draw.polygon(spots.ravel().tolist(), gray(tone), gray(240), 4)


def flower(draw: Any, place: Place, r: float) -> None:
    """A rose of two rings of petals between leaves."""
    rings = ((0.74, 0.09, 0.39, 190), (0.6, 0.16, 0, 90), (0.34, 0.1, 0.39, 150))
    for long, wide, turn, tone in rings:
        for index in range(8):
            petal(draw, place, index * np.pi / 4 + turn, r * long, r * wide, tone)
    disc(draw, *place, r * 0.12, gray(240))


def mill(draw: Any, place: Place, r: float) -> None:
    """A windmill on a bank."""
    ground(draw, place, r)
    shape(draw, place, r, 150, [(-0.2, 0.4), (-0.12, -0.15), (0.12, -0.15), (0.2, 0.4)])
    shape(draw, place, r, 235, [(-0.14, -0.14), (-0.08, -0.26), (0.08, -0.26), (0.14, -0.14)])
    for turn in np.arange(4) * np.pi / 2 + 0.5:
        arm = np.array([np.cos(turn), np.sin(turn)])
        side, hub = np.array([-arm[1], arm[0]]) * 0.13, np.array([0, -0.14])
        near, far = hub + arm * 0.14, hub + arm * 0.54
        shape(draw, place, r, 110, [near, far, far + side, near + side])


def ship(draw: Any, place: Place, r: float) -> None:
    """A ship under full sail."""
    ground(draw, place, r)
    shape(draw, place, r, 200, [(-0.5, 0.12), (0.52, 0.08), (0.36, 0.38), (-0.36, 0.38)])
    for mast, tall in ((-0.26, 0.5), (0.04, 0.66), (0.3, 0.46)):
        shape(draw, place, r, 240, [(mast, 0.1), (mast, -tall), (mast + 0.01, -tall)])
        for up, down in ((0.9, 0.54), (0.5, 0.14)):
            top, low = -tall * up, -tall * down
            sail = [(mast - 0.1, top), (mast + 0.1, top), (mast + 0.16, low), (mast - 0.12, low)]
            shape(draw, place, r, 90, sail)


def ground(draw: Any, place: Place, r: float) -> None:
    """Water or grass: strokes of a loaded brush below, and clouds above."""
    x, y = place
    for row in range(6):
        level = 0.36 + row * 0.07
        half = np.sqrt(max(0.77**2 - level**2, 0.01)) * r
        for left in np.linspace(x - half, x + half - r * 0.2, 4 + row % 2):
            box = (left, y + r * (level - 0.05), left + r * 0.32, y + r * (level + 0.06))
            draw.arc(box, 10, 170, gray(210 - row * 20), 9)
    for right, up in ((-0.45, -0.42), (0.42, -0.5), (0.5, -0.2)):
        for puff in range(3):
            cx, cy = x + r * (right + puff * 0.08 - 0.08), y + r * (up - 0.03 * (puff == 1))
            box = (cx - r * 0.09, cy - r * 0.06, cx + r * 0.09, cy + r * 0.06)
            draw.arc(box, 160, 380, gray(150), 6)
