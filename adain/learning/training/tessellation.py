"""Tessellation as data augmentation: crops redrawn as tesserae, bricks or stones with joints.

Mosaics, walls and cubist pictures are styles that people choose, and a training set of paintings
need not have any.
"""

import math
from dataclasses import dataclass
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
    lattice = _Lattice(bond, 0.7 * jitter, 0.25 * uneven, square < 0.6, 100 * seed)
    point_u, point_v, key, border = lattice.nearest(u, v)

    # From a pixel to its tile's point, in the crop's own coordinates, of which the ends are -1, 1.
    du, dv = (point_u - u) / scale_x, (point_v - v) / scale_y
    places = torch.stack([x + cos * du - sin * dv, y + sin * du + cos * dv], dim=-1) * 2 - 1
    blurred = F.interpolate(crops, scale_factor=1 / 8, mode="bilinear", antialias=True)
    colours = F.grid_sample(blurred, places, padding_mode="border", align_corners=False)
    colours = colours + 0.3 * shade[:, None] * (_hash(key + 5.3) - 0.5)[:, None]
    smooth = F.interpolate(blurred, size=(size, size), mode="bilinear", align_corners=False)
    detail = crops - smooth
    width = 0.04 + 0.2 * joint
    part = (border / width).clamp(0, 1) ** (0.5 + 3 * softness)
    # Two joints in three are dark, the others light.
    grout = torch.where(tone < 2 / 3, 0.4 * tone, 1.6 * tone - 0.7)[:, None]
    picture = torch.lerp(grout.expand_as(colours), colours, part[:, None])
    return (picture + texture[:, None] * detail).clamp(0, 1)


@dataclass(frozen=True)
class _Lattice:
    """Points of a disturbed lattice of cells of side 1; each field ``[N, 1, 1]``, one a crop."""

    bond: Tensor  # how far every second row is shifted
    jitter: Tensor  # how far points may lie from the middle of their cells, to both sides together
    uneven: Tensor  # how much nearer than it is a point may count, so that its tile is larger
    square: Tensor  # whether distances are the larger of both directions: bricks, and not stones
    seed: Tensor

    def nearest(self, u: Tensor, v: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Of places ``[N, S, S]`` the nearest point's u and v, its key, and the border's distance.

        The last is by how much the second nearest point is further.
        """
        first = torch.full_like(u, math.inf)
        second, point_u, point_v, name = first, first, first, first
        for step_v, step_u in product((-1, 0, 1), repeat=2):
            cell_v = v.floor() + step_v
            offset = self.bond * cell_v.remainder(2)
            cell_u = (u - offset).floor() + step_u
            key = cell_u * 12.9898 + cell_v * 78.233 + self.seed
            at_u = cell_u + offset + 0.5 + self.jitter * (_hash(key) - 0.5)
            at_v = cell_v + 0.5 + self.jitter * (_hash(key + 1.7) - 0.5)
            du, dv = (u - at_u).abs(), (v - at_v).abs()
            distance = torch.where(self.square, torch.maximum(du, dv), torch.hypot(du, dv))
            distance = distance - self.uneven * _hash(key + 3.1)
            nearer = distance < first
            second = torch.where(nearer, first, torch.minimum(second, distance))
            first = torch.where(nearer, distance, first)
            point_u = torch.where(nearer, at_u, point_u)
            point_v = torch.where(nearer, at_v, point_v)
            name = torch.where(nearer, key, name)
        return point_u, point_v, name, second - first


def _hash(key: Tensor) -> Tensor:
    """Values in [0, 1) that look random, the same for the same key."""
    return (key.sin() * 43758.5453).frac().abs()
