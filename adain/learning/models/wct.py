"""Whitening and colouring transform (WCT): features are given a style's mean and covariance.

Li et al., "Universal Style Transfer via Feature Transforms" (NeurIPS 2017), section 3.2. AdaIN
matches the variance of each channel, the diagonal of what is matched here. Decoders are those that
were trained for AdaIN, and the matrix roots come from Newton-Schulz iterations: ONNX has no
eigendecomposition.
"""

from typing import cast

import torch
from torch import Tensor, nn

from adain.learning.models.layers import EPSILON
from adain.learning.models.networks import VGG19, VGG19Encoder

# An eigenvalue grows by 2.25 at each step until it is near 1, and with RIDGE they begin at 2e-6.
ITERATIONS = 20
# What is added to a covariance's diagonal, in units of the mean variance: a picture has fewer
# places than channels, or is plain, and directions of no variance must not be blown up to noise.
RIDGE = 1e-3


def covariance(features: Tensor) -> Tensor:
    """The covariance of the channels (biased) of ``[N, C, h, w]``, float32 ``[N, C, C]``."""
    flat = features.float().flatten(2)
    centred = flat - flat.mean(dim=2, keepdim=True)
    return centred @ centred.transpose(1, 2) / flat.shape[2]


def with_ridge(matrix: Tensor) -> Tensor:
    """Covariances ``[N, C, C]`` made positive definite, and not too ill-conditioned, by RIDGE."""
    variance = matrix.diagonal(dim1=1, dim2=2).mean(dim=1).view(-1, 1, 1)
    return matrix + (RIDGE * variance + EPSILON) * _identity(matrix)


def matrix_roots(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Square root and inverse square root of positive definite matrices ``[N, C, C]``.

    The coupled Newton-Schulz iteration (Higham 2008, "Functions of Matrices", eq. 6.35). It
    converges where no eigenvalue is above 1, hence the division by the Frobenius norm.
    """
    norm = matrix.square().sum(dim=(1, 2)).sqrt().view(-1, 1, 1)
    identity = _identity(matrix)
    root, inverse = matrix / norm, identity.expand_as(matrix)
    for _ in range(ITERATIONS):
        step = 1.5 * identity - 0.5 * (inverse @ root)
        root, inverse = root @ step, step @ inverse
    return root * norm.sqrt(), inverse / norm.sqrt()


def _identity(like: Tensor) -> Tensor:
    return torch.eye(like.shape[1], dtype=like.dtype, device=like.device)


def wct(
    features: Tensor, matrix: Tensor, style_mean: Tensor, style_matrix: Tensor, alpha: Tensor
) -> Tensor:
    """Whiten features ``[N, C, h, w]``, colour them as the style, and blend (eq. 1, 2 and 3).

    ``matrix`` and ``style_matrix`` are the covariances ``[N or 1, C, C]`` of the features and the
    style, style_mean ``[N or 1, C, 1, 1]``, alpha ``[N, 1, 1 or h, 1 or w]`` in [0, 1]. What has
    no variance, a picture of one place say, becomes the style's mean.
    """
    flat = features.float().flatten(2)
    _, whitening = matrix_roots(with_ridge(matrix))
    colouring, _ = matrix_roots(with_ridge(style_matrix))
    coloured = colouring @ whitening @ (flat - flat.mean(dim=2, keepdim=True))
    found = coloured.view_as(features) + style_mean
    return (alpha * found + (1 - alpha) * features).to(features.dtype)


class WCTEncoder(nn.Module):
    """An encoder whose statistics end with the covariance of relu4_1, row by row."""

    def __init__(self, encoder: VGG19Encoder) -> None:
        super().__init__()
        self.network = encoder

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Image ``[N, 3, H, W]`` to relu4_1, statistics ``[N, K + 512 * 512, 1, 1]``, skips."""
        features, statistics, *skips = self.network(image)
        matrix = covariance(features).flatten(1)[:, :, None, None]
        return features, torch.cat((statistics, matrix), dim=1), *skips


class WCTDecoder(nn.Module):
    """A decoder of AdaIN, given relu4_1 by WCT.

    Styles are vectors here and no maps: every place would have a covariance of its own.
    """

    def __init__(self, decoder: nn.Module, channels: int, told: int) -> None:
        """``told`` is the number of statistics without the covariance."""
        super().__init__()
        self.decoder = decoder
        self.channels, self.told = channels, told

    def forward(
        self, features: Tensor, statistics: Tensor, style: Tensor, alpha: Tensor, *skips: Tensor
    ) -> Tensor:
        """The stylised image ``[N, 3, 8h, 8w]``; all as `WCTEncoder` gives it."""
        sizes, square = (self.told, self.channels**2), (-1, self.channels, self.channels)
        own, matrix = statistics.split(sizes, dim=1)
        style, style_matrix = style.split(sizes, dim=1)
        mean = style[:, : self.channels]
        features = wct(features, matrix.reshape(square), mean, style_matrix.reshape(square), alpha)
        # AdaIN from the style's statistics of relu4_1 to the same leaves features as they are.
        done, rest = 2 * self.channels, own[:, 2 * self.channels :]
        own = torch.cat((style[:, :done].expand(own.shape[0], -1, -1, -1), rest), dim=1)
        return cast(Tensor, self.decoder(features, own, style, alpha, *skips))


class WCT(nn.Module):
    """VGG-19 with a decoder, as `VGG19` is, whose transform at relu4_1 is WCT instead of AdaIN."""

    stride = VGG19.stride
    feature_stride = VGG19.feature_stride
    margin = VGG19.margin
    channels = VGG19.channels

    def __init__(self, model: VGG19) -> None:
        super().__init__()
        self.skips = model.skips
        self.encoder = WCTEncoder(model.encoder)
        self.decoder = WCTDecoder(model.decoder, self.channels, model.style_channels)
        self.style_channels = model.style_channels + self.channels**2

    def style(self, image: Tensor) -> Tensor:
        return cast(Tensor, self.encoder(image)[1])
