"""Consistency losses: a content is changed as from one frame of a video to the next, and the
pictures of both must change alike.

Each costs one more pass of the network that is trained, and none of VGG-19. Gradients flow through
both pictures.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from adain.learning.losses import pixel_loss
from adain.learning.training.data import sent

# Contents are moved by up to so many pixels, one less than the largest stride of ``fast``.
MOST_SHIFTED = 7
# The warp of `steady`: degrees, a share of the size, and pixels of the control points of its smooth
# part, of which there are so many along a side.
_TURN, _ZOOM, _BEND, _POINTS = 2.0, 0.02, 1.5, 4
# Standard deviations of the noise of a camera go up to this.
_NOISE = 8 / 255
# What lies so near to the border may be seen reflected.
_EDGE = MOST_SHIFTED + 1


class Change(NamedTuple):
    """A changed content ``[N, 3, H, W]``, and the loss ``[N]`` of its picture and the content's."""

    content: Tensor
    loss: Callable[[Tensor, Tensor], Tensor]


class Share(NamedTuple):
    """Which samples of a whole ``batch`` these are: random numbers are drawn for all of them.

    So that several processes, each with its share, learn what one with the whole batch does.
    """

    batch: int
    own: slice


def shift(image: Tensor, generator: Generator, share: Share) -> Change:
    """Shift equivariance: a picture must move with its content by whole pixels.

    Strides see some places better than others, and what a network makes of that is a lattice in its
    pictures, which VGG-19 hardly minds. A picture that moves with its content has none.
    """
    down, right = torch.randint(1, MOST_SHIFTED + 1, (2,), generator=generator).tolist()
    height, width = image.shape[2:]
    reflected = F.pad(image, (right, 0, down, 0), mode="reflect")

    def loss(picture: Tensor, moved: Tensor) -> Tensor:
        # Not along the border, where the two have been reflected differently.
        here = picture[:, :, _EDGE : height - _EDGE - down, _EDGE : width - _EDGE - right]
        there = moved[:, :, _EDGE + down : height - _EDGE, _EDGE + right : width - _EDGE]
        return pixel_loss(there, here)

    return Change(reflected[:, :, :height, :width], loss)


def steady(image: Tensor, generator: Generator, share: Share) -> Change:
    """Temporal consistency from single images: under a random smooth warp and noise a picture must
    change by the warp alone.

    The compound regularisation of ReReVST (Wang et al. 2020, "Consistent Video Style Transfer via
    Relaxation and Regularization", eq. 9), which needs no video; the noise is that of MCCNet's
    illumination loss (Deng et al. 2021), pixel by pixel. The difference is taken relative to the
    contrast of both pictures: taken as it is, paler pictures would be the easiest way to less.
    """
    size = share.batch, 3, *image.shape[2:]
    grid = sent(_warp(size, generator)[share.own], image.device)
    levels = _NOISE * torch.rand(share.batch, 1, 1, 1, generator=generator)
    noise = (torch.randn(size, generator=generator) * levels)[share.own]
    changed = _warped(image, grid).clamp(0, 1) + sent(noise, image.device)
    inside = (grid.abs() < 1).all(dim=-1)[:, None, _EDGE:-_EDGE, _EDGE:-_EDGE].float()

    def loss(picture: Tensor, later: Tensor) -> Tensor:
        picture, later = picture.float(), later.float()
        there = (later - _warped(picture, grid))[:, :, _EDGE:-_EDGE, _EDGE:-_EDGE]
        seen = inside.sum(dim=(1, 2, 3)).clamp_min(1)
        difference = (there.abs().mean(dim=1, keepdim=True) * inside).sum(dim=(1, 2, 3)) / seen
        return difference / (0.5 * (contrast(picture) + contrast(later)) + 1e-2)

    return Change(changed, loss)


def contrast(picture: Tensor) -> Tensor:
    """Mean absolute deviation of ``[N, 3, H, W]`` from each channel's mean, ``[N]``."""
    return (picture - picture.mean(dim=(2, 3), keepdim=True)).abs().mean(dim=(1, 2, 3))


def _warp(size: tuple[int, ...], generator: Generator) -> Tensor:
    """Where each pixel of a later frame was, ``[N, H, W, 2]`` in [-1, 1] (`F.grid_sample`)."""
    count, _, height, width = size

    def uniform(*shape: int) -> Tensor:
        return 2 * torch.rand(shape, generator=generator) - 1

    angle, zoom = math.radians(_TURN) * uniform(count), 1 + _ZOOM * uniform(count)
    cosine, sine = zoom * angle.cos(), zoom * angle.sin()
    # A pixel is 2 / side: less than the stride, and hardly ever whole pixels.
    pixel = 2 / torch.tensor([width, height])
    moved = uniform(count, 2) * 0.5 * MOST_SHIFTED * pixel
    matrix = torch.stack(
        [
            torch.stack([cosine, -sine * height / width, moved[:, 0]], dim=1),
            torch.stack([sine * width / height, cosine, moved[:, 1]], dim=1),
        ],
        dim=1,
    )
    grid = F.affine_grid(matrix, [count, 3, height, width], align_corners=False)
    bend = _BEND * uniform(count, 2, _POINTS, _POINTS)
    bend = F.interpolate(bend, (height, width), mode="bicubic", align_corners=True)
    return grid + bend.permute(0, 2, 3, 1) * pixel


def _warped(image: Tensor, grid: Tensor) -> Tensor:
    # Bilinear sampling would soften what is compared, and soft pictures pay.
    return F.grid_sample(
        image, grid, mode="bicubic", padding_mode="reflection", align_corners=False
    )
