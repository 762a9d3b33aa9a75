"""Differentiable losses, of training and of the Gatys path; each gives ``[N]``, one a picture.

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


def estimate_loss(estimate: Tensor, exact: Tensor, deviation: Tensor) -> Tensor:
    """Mean squared error of the logarithms of estimated statistics, in units of their deviation.

    estimate and exact are ``[N, K, 1, 1]``, of 0 and more; deviation ``[1, K, 1, 1]`` is that of
    the logarithms over pictures. A style loss would leave the small statistics to chance.
    """
    error = (estimate.clamp_min(0).log1p() - exact.log1p()) / deviation
    return error.square().mean(dim=(1, 2, 3))


def distillation_loss(features: Sequence[Tensor], exact: Sequence[Tensor]) -> Tensor:
    """Over the layers, the share of the exact features' variance that estimates leave unexplained.

    Features are ``[N, C, h, w]``; the variance of a layer is the mean of its channels' variances
    over all pictures, so that channels weigh as in a style loss (Romero et al. 2015, FitNets).
    """
    return torch.stack(
        [
            mean_squared_error(ours, theirs)
            / theirs.float().var(dim=(0, 2, 3), correction=0).mean().clamp_min(1e-3)
            for ours, theirs in zip(features, exact, strict=True)
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
    return gram_of(*gram_sum(features, guide))


def gram_of(product: Tensor, places: Tensor) -> Tensor:
    """`gatys_gram` of what `gram_sum` gives; where a guide has no place, there is no style."""
    return product / places.clamp_min(1e-6)


def gram_sum(features: Tensor, guide: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """``G`` ``[N, C, C]`` and M of `gatys_gram`: the sums of both over parts are those of all."""
    flat = features.permute(0, 2, 3, 1).flatten(1, 2)
    if guide is None:
        places = torch.tensor(float(flat.shape[1]), device=flat.device)
    else:
        weight = guide.float().flatten(2).transpose(1, 2)
        flat, places = flat.float() * weight, weight.square().sum()
    return cast(Tensor, _SelfProduct.apply(flat)), places


class _SelfProduct(torch.autograd.Function):
    """``X^T X`` of ``[N, M, C]``, in float32; its gradient has X's dtype.

    Autograd would take two products for the gradient, of which each is the other's transpose.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        product = _half_precision_product if x.dtype == torch.bfloat16 else _symmetric_product
        return torch.stack([product(matrix) for matrix in x])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return cast(Tensor, x @ (gradient + gradient.transpose(1, 2)).to(x.dtype))


def _symmetric_product(x: Tensor, blocks: int = 4) -> Tensor:
    """``X^T X`` of ``[M, C]`` from its upper blocks: with 4, five eighths of the work."""
    channels = x.shape[1]
    product = x.new_empty(channels, channels)
    width = -(-channels // blocks)
    for start in range(0, channels, width):
        end = start + width
        rows = x[:, start:end].T @ x[:, start:]
        product[start:end, start:] = rows
        product[end:, start:end] = rows[:, width:].T
    return product


def _half_precision_product(x: Tensor, places: int = 256) -> Tensor:
    """``X^T X`` of bfloat16 ``[M, C]`` in float32.

    The processor adds in float32 and rounds the sum to bfloat16. Rounded over a few places at a
    time, the errors, up to 2^-9 of each, mostly cancel each other.
    """
    return torch.stack(
        [
            torch.bmm(part.transpose(1, 2), part).sum(dim=0, dtype=torch.float32)
            for part in _parts(x, places)
        ]
    ).sum(dim=0)


def _parts(x: Tensor, places: int) -> list[Tensor]:
    """``[M, C]`` cut into ``[k, places, C]``, and ``[1, m, C]`` of the places that are left."""
    whole = len(x) // places * places
    parts = [x[:whole].view(-1, places, x.shape[1]), x[None, whole:]]
    return [part for part in parts if part.numel()]


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
    return squared_differences(image, 2) + squared_differences(image, 3)


def squared_differences(image: Tensor, axis: int) -> Tensor:
    """The part of `total_variation` of neighbours along an axis, 2 or 3."""
    return image.diff(dim=axis).square().sum(dim=(1, 2, 3))
