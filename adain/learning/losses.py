"""The losses of training and of the Gatys path; each returns one value per picture, ``[N]``.

Features are ``[N, C, h, w]``. Sums and squares are taken in float32 whatever the features are.
"""

from collections.abc import Sequence

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
