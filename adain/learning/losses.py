"""The losses of training and of the Gatys path; each returns one value per picture, ``[N]``.

Features are ``[N, C, h, w]``. Sums and squares are taken in float32 whatever the features are.
"""

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor


def mean_squared_error(features: Tensor, target: Tensor) -> Tensor:
    """Mean squared difference of features: content_loss and, against AdaIN's output, target_loss.

    AdaIN eq. 12, as the mean and not the norm (as its authors' code has it).
    """
    return (features.float() - target.float()).square().mean(dim=(1, 2, 3))


def style_loss(statistics: Sequence[Tensor], style_statistics: Sequence[Tensor]) -> Tensor:
    """AdaIN eq. 13: over the layers, the mean squared differences of means and of deviations.

    Both arguments hold ``channel_statistics`` ``[N, 2C, 1, 1]`` of relu1_1 to relu4_1.
    """
    return torch.stack(
        [
            # Means and deviations are equally many, so the sum of their means is twice the mean.
            2 * (ours - theirs).square().mean(dim=(1, 2, 3))
            for ours, theirs in zip(statistics, style_statistics, strict=True)
        ]
    ).sum(dim=0)


def gram_matrix(features: Tensor) -> Tensor:
    """Gram matrices ``[N, C, C]`` divided by C*h*w (Gatys et al. 2016 eq. 3, normalised)."""
    channels, height, width = features.shape[1:]
    flat = features.float().flatten(2)
    return flat @ flat.transpose(1, 2) / (channels * height * width)


def gram_loss(grams: Sequence[Tensor], style_grams: Sequence[Tensor]) -> Tensor:
    """Over the layers, the mean squared difference of the Gram matrices ``[N, C, C]``."""
    return torch.stack(
        [
            (ours - theirs).square().mean(dim=(1, 2))
            for ours, theirs in zip(grams, style_grams, strict=True)
        ]
    ).sum(dim=0)


def pixel_loss(image: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of two images ``[N, 3, H, W]``."""
    return (image.float() - target.float()).abs().mean(dim=(1, 2, 3))


def gatys_content_loss(features: Tensor, target: Tensor) -> Tensor:
    """Half the sum of squared differences of the features of a layer (Gatys et al. 2016 eq. 1)."""
    return 0.5 * (features.float() - target.float()).square().sum(dim=(1, 2, 3))


def gatys_gram(features: Tensor, guide: Tensor | None = None) -> Tensor:
    """``G / M`` ``[N, C, C]``: the Gram matrix (Gatys et al. 2016 eq. 3) over the M places.

    With a ``guide`` ``[1, 1, h, w]`` in [0, 1], features are weighted by it, and M is the sum of
    its squares (Gatys et al. 2017, "Controlling Perceptual Factors", eq. 5).
    """
    flat = features.permute(0, 2, 3, 1).flatten(1, 2).float()
    places: Tensor | int = flat.shape[1]
    if guide is not None:
        weight = guide.float().flatten(2).transpose(1, 2)
        flat, places = flat * weight, weight.square().sum().clamp_min(1e-6)
    return cast(Tensor, _SelfProduct.apply(flat)) / places


class _SelfProduct(torch.autograd.Function):
    """``X^T X`` of ``[N, M, C]``; its gradient takes one product, where autograd would take two."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.transpose(1, 2) @ x

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return cast(Tensor, x @ (gradient + gradient.transpose(1, 2)))


def gatys_style_loss(gram: Tensor, style_gram: Tensor) -> Tensor:
    """``1 / (4 N^2 M^2)`` times the sum of ``(G - A)^2`` (Gatys et al. 2016 eq. 4).

    Both are `gatys_gram`, so the division by M is done, and images may differ in size: then each
    matrix is divided by the M of its own.
    """
    channels = gram.shape[1]
    return (gram - style_gram).square().sum(dim=(1, 2)) / (4 * channels * channels)


def total_variation(image: Tensor) -> Tensor:
    """Sum of the squared differences of neighbouring pixels (Mahendran and Vedaldi 2015, eq. 7
    with beta 2)."""
    vertical = (image[:, :, 1:] - image[:, :, :-1]).square().sum(dim=(1, 2, 3))
    horizontal = (image[:, :, :, 1:] - image[:, :, :, :-1]).square().sum(dim=(1, 2, 3))
    return vertical + horizontal
