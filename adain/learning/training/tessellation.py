"""Tessellation as data augmentation: crops redrawn as tesserae, bricks or stones with joints.

Mosaics, walls and cubist pictures are styles that people choose, and hardly any painting of a
training set is like them.
"""

import math
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor

# How many random numbers decide about a crop.
DRAWS = 17


def tessellated(crops: Tensor, draws: Tensor) -> Tensor:
    """Crops ``[N, 3, S, S]`` in [0, 1] made of tiles, by draws ``[N, DRAWS]`` in [0, 1].

    Each pixel belongs to the nearest of the points of a disturbed lattice, and lies in a joint
    where a second one is nearly as near (cellular noise; Worley 1996). A tile has the colour that
    the crop has around its point, a little lighter or darker, and some of the crop's own texture.
    There are 4 to 24 tiles to a side, up to three times as wide as high, or as high as wide.
    """
    columns = draws[:, :, None, None].unbind(dim=1)
    count, stretch, upright, turned, angle, bend, phase, jitter, uneven = columns[:9]
    bonded, square, joint, softness, tone, shade, texture, seed = columns[9:]
    size = crops.shape[-1]
    axis = (torch.arange(size, device=crops.device) + 0.5) / size
    y, x = axis.view(1, -1, 1), axis.view(1, 1, -1)
    # The lattice: turned, bent, and scaled to cells of side 1.
    angle = torch.where(turned < 0.5, 0, (angle - 0.5) * math.pi / 2)
    cos, sin = angle.cos(), angle.sin()
    bend, phase = 0.04 * bend, 2 * math.pi * phase
    across, down = cos * x + sin * y, cos * y - sin * x
    across, down = (
        across + bend * (9 * down + phase).sin(),
        down + bend * (7 * across + 2 * phase).sin(),
    )
    tiles, stretch = 4 * 6**count, 3 ** (stretch / 2)
    stretch = torch.where(upright < 0.3, 1 / stretch, stretch)
    scale_x, scale_y = tiles / stretch, tiles * stretch
    u, v = across * scale_x, down * scale_y

    bond = torch.where(bonded < 0.5, 0.5, 0.0)
    row = v.floor()
    first = torch.full_like(u, math.inf)
    second = first.clone()
    point_u, point_v, name = first, first, first
    for step_v, step_u in product((-1, 0, 1), repeat=2):
        cell_v = row + step_v
        offset = bond * cell_v.remainder(2)
        cell_u = (u - offset).floor() + step_u
        key = cell_u * 12.9898 + cell_v * 78.233 + 100 * seed
        at_u = cell_u + offset + 0.5 + 0.7 * jitter * (_hash(key) - 0.5)
        at_v = cell_v + 0.5 + 0.7 * jitter * (_hash(key + 1.7) - 0.5)
        du, dv = (u - at_u).abs(), (v - at_v).abs()
        distance = torch.where(square < 0.6, torch.maximum(du, dv), torch.hypot(du, dv))
        distance = distance - 0.25 * uneven * _hash(key + 3.1)
        nearer = distance < first
        second = torch.where(nearer, first, torch.minimum(second, distance))
        point_u, point_v = torch.where(nearer, at_u, point_u), torch.where(nearer, at_v, point_v)
        name = torch.where(nearer, key, name)
        first = torch.where(nearer, distance, first)

    # From a pixel to its tile's point, in the crop's own coordinates, of which the ends are -1, 1.
    du, dv = (point_u - u) / scale_x, (point_v - v) / scale_y
    places = torch.stack([x + cos * du - sin * dv, y + sin * du + cos * dv], dim=-1) * 2 - 1
    blurred = F.interpolate(crops, scale_factor=1 / 8, mode="bilinear", antialias=True)
    colours = F.grid_sample(blurred, places, padding_mode="border", align_corners=False)
    colours = colours + 0.3 * shade[:, None] * (_hash(name + 5.3) - 0.5)[:, None]
    smooth = F.interpolate(blurred, size=(size, size), mode="bilinear", align_corners=False)
    detail = crops - smooth
    width = 0.04 + 0.2 * joint
    part = ((second - first) / width).clamp(0, 1) ** (0.5 + 3 * softness)
    # Two joints in three are dark, the others light.
    grout = torch.where(tone < 2 / 3, 0.4 * tone, 1.6 * tone - 0.7)[:, None]
    picture = torch.lerp(grout.expand_as(colours), colours, part[:, None])
    return (picture + texture[:, None] * detail).clamp(0, 1)


def _hash(key: Tensor) -> Tensor:
    """Values in [0, 1) that look random, the same for the same key."""
    return (key.sin() * 43758.5453).frac().abs()
