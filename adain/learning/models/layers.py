"""Layers of both models: AdaIN, modulation (FiLM), residual blocks, up- and downsampling.

Huang and Belongie, "Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization"
(ICCV 2017), is written AdaIN.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adain.contract import FADE

EPSILON = 1e-5


def channel_statistics(features: Tensor) -> Tensor:
    """Channel means, then standard deviations, of ``[N, C, h, w]`` as float32 ``[N, 2C, 1, 1]``.

    AdaIN eq. 5 and 6; the variance is biased and has 1e-5 added under the root.
    """
    if torch.is_grad_enabled() and features.requires_grad:
        return cast(Tensor, _ChannelStatistics.apply(features))
    return _channel_statistics(features)


def _channel_statistics(features: Tensor) -> Tensor:
    # In half precision a sum over a whole picture overflows or rounds away.
    features = features.float()
    mean = features.mean(dim=(2, 3), keepdim=True)
    centred = features - mean
    variance = (centred * centred).mean(dim=(2, 3), keepdim=True)
    return torch.cat([mean, (variance + EPSILON).sqrt()], dim=1)


class _ChannelStatistics(torch.autograd.Function):
    """`_channel_statistics` with its gradient in closed form, ``a x + b`` for each channel.

    Autograd keeps and multiplies three tensors of the features' size: a quarter of the time of a
    training step of ``vgg19``.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor) -> Tensor:
        statistics = _channel_statistics(features)
        ctx.save_for_backward(features, statistics)
        return statistics

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        features, statistics = ctx.saved_tensors
        mean, std = statistics.chunk(2, dim=1)
        of_mean, of_std = (gradient / (features.shape[2] * features.shape[3])).chunk(2, dim=1)
        scale = of_std / std
        shift = of_mean - scale * mean
        dtype = features.dtype
        return torch.addcmul(shift.to(dtype), features, scale.to(dtype))


def adain(features: Tensor, statistics: Tensor, style: Tensor, alpha: Tensor) -> Tensor:
    """Give features the style's mean and standard deviation, as far as alpha says.

    AdaIN eq. 8, blended with the features themselves as in eq. 14:
    ``alpha * (std_y * (x - mean_x) / std_x + mean_y) + (1 - alpha) * x``.

    features ``[N, C, h, w]``; statistics ``[N, 2C, 1, 1]``; style ``[N, 2C, 1 or h, 1 or w]``;
    alpha ``[N, 1, 1 or h, 1 or w]`` in [0, 1]. Returns the features' shape and dtype.
    """
    mean, std = statistics.chunk(2, dim=1)
    style_mean, style_std = style.chunk(2, dim=1)
    # The same blend with the small tensors gathered first: three passes over the features, and
    # centring them before scaling keeps half precision exact where std_x is tiny.
    scale = (1 - alpha) + alpha * style_std / std
    shift = (1 - alpha) * mean + alpha * style_mean
    dtype = features.dtype
    return (features - mean.to(dtype)) * scale.to(dtype) + shift.to(dtype)


def as_strength(values: Tensor) -> Tensor:
    """Values brought into [0, 1]; NaN, of which a picture would be black, is 0.

    As an ONNX file: of NaN, OpenVINO says that it is greater than 0, and not that 0 is less.
    """
    zero = torch.zeros((), dtype=values.dtype, device=values.device)
    return torch.where(torch.lt(zero, values), values, zero).clamp(max=1)


def blended(image: Tensor, content: Tensor, strength: Tensor) -> Tensor:
    """A decoder's image as it goes over into the content's own pixels, where strength is near 0.

    Both are ``[N, 3, H, W]``, strength ``[N, 1, 1 or H, 1 or W]`` in [0, 1]. Exactly the content at
    0, exactly the image from `FADE` on, and smooth between (smoothstep). The difference times a
    weight would be one product less, and off by a rounding at one of the ends.
    """
    t = (strength * (1 / FADE)).clamp(max=1)
    weight = t * t * (3 - 2 * t)
    return weight * image + (1 - weight) * content


def modulated(x: Tensor, modulation: Tensor, alpha: Tensor) -> Tensor:
    """Shift and scale channels ``[N, C, h, w]`` by ``[N, 2C, ...]``; not at all at alpha 0."""
    shift, scale = modulation.chunk(2, dim=1)
    return x * (1 + alpha * (scale - 1)).to(x.dtype) + (alpha * shift).to(x.dtype)


def enlarged(values: Tensor) -> Tensor:
    """A map ``[N, C, h, w]`` at twice the size, each value repeated; sides of 1 stay 1.

    Where h or w is 1 the value holds everywhere. One graph must serve both without arithmetic on
    shapes, whose place is the CPU: hence slices, of which all but the first are empty for a side
    of 1. ``a a b b c c`` is the first ``a``, the second if there is a b, and the rest repeated.
    """
    for axis in (2, 3):
        if values.shape[axis] == 1:
            continue
        head, tail = values.narrow(axis, 0, 1), values[(slice(None),) * axis + (slice(1, None),)]
        again = values[(slice(None),) * axis + (slice(0, -1),)]
        again = again[(slice(None),) * axis + (slice(0, 1),)]
        factors = (2.0, 1.0) if axis == 2 else (1.0, 2.0)
        repeated = F.interpolate(tail, scale_factor=factors, mode="nearest")
        values = torch.cat([head, again, repeated], dim=axis)
    return values


def conv1x1(in_channels: int, out_channels: int, rank: int | None = None) -> nn.Module:
    """A 1x1 convolution; with a ``rank``, low-rank factorised: its matrix is a product of two.

    Statistics of pictures are far from independent: nearly all of what they vary by lies in a
    few directions, and full matrices would be most of a small model's file.
    """
    if rank is None:
        return nn.Conv2d(in_channels, out_channels, 1)
    first = nn.Conv2d(in_channels, rank, 1, bias=False)
    return nn.Sequential(first, nn.Conv2d(rank, out_channels, 1))


def conv3x3(in_channels: int, out_channels: int) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, padding=1, padding_mode="reflect")


def conv_relu(*channels: int) -> list[nn.Module]:
    """3x3 convolutions from each number of channels to the next, each followed by ReLU."""
    return [layer for i, o in pairwise(channels) for layer in (conv3x3(i, o), nn.ReLU())]


def upsample() -> nn.Module:
    """Twice the size. Repeating values instead of interpolating them leaves stairs of 2, 4 and 8
    pixels in the picture, which the convolutions behind it do not quite smooth."""
    return nn.Upsample(scale_factor=2, mode="bilinear")


def downsample(
    in_channels: int,
    out_channels: int,
    kernel_size: int,
) -> nn.Sequential:
    """Half the size, and less what the kernel needs around it: there is no padding."""
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, kernel_size, stride=2), nn.ReLU())


class Block(nn.Module):
    """Residual block: depthwise 5x5, then 1x1 to twice the channels and back.

    A depthwise and two 1x1 convolutions see further and cost half of one full 3x3. With padding by
    zeros a row of blocks would know where the border is, and draw a frame; reflection, for which
    ``x`` has to have 3 pixels each way, leaves it nothing to know.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.spatial = nn.Conv2d(
            channels, channels, 5, padding=2, groups=channels, padding_mode="reflect"
        )
        self.expand = nn.Conv2d(channels, 2 * channels, 1)
        self.project = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, x + self.project(F.relu(self.expand(self.spatial(x)))))


class ResidualBlock(nn.Module):
    """Residual block (He et al. 2016): 3x3, ReLU, 3x3 with reflection padding, no normalisation.

    The second convolution starts at a tenth, so that the block starts near the identity.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.a = conv3x3(channels, channels)
        self.b = conv3x3(channels, channels)
        for layer, gain in ((self.a, 1.0), (self.b, 0.1)):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
            with torch.no_grad():
                layer.weight.mul_(gain)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, x + self.b(F.relu(self.a(x))))


class Modulation(nn.Module):
    """Two 1x1 layers from a style's 1920 statistics to shifts and scales of modulated layers."""

    STATISTICS = 1920

    def __init__(self, channels: Sequence[int], rank: int | None = None) -> None:
        """``channels``: those of each modulated layer. It starts at shift 0 and scale 1.

        ``rank``: that of the first layer, as `conv1x1` has it.
        """
        super().__init__()
        self.sizes = [2 * count for count in channels]
        self.hidden = conv1x1(self.STATISTICS, 256, rank)
        self.output = nn.Conv2d(256, sum(self.sizes), 1)
        assert self.output.bias is not None
        with torch.no_grad():
            self.output.weight.mul_(0.1)
            self.output.bias.copy_(
                torch.cat([torch.tensor([0.0, 1.0]).repeat_interleave(c) for c in channels])
            )

    def forward(self, style: Tensor, dtype: torch.dtype) -> tuple[Tensor, ...]:
        """Style ``[N, 1920, h, w]`` to a float32 ``[N, 2C, h, w]`` for each layer, shift first.

        Statistics differ by orders of magnitude, their logarithms do not. Mixtures with weights
        below 0 may have negative ones, which count as 0.
        """
        hidden = F.relu(self.hidden(style.clamp_min(0).log1p().to(dtype)))
        found: Tensor = self.output(hidden)
        parts: tuple[Tensor, ...] = found.float().split(self.sizes, dim=1)
        return parts


class SubPixels(nn.Conv2d):
    """A convolution whose output is for F.pixel_shuffle(_, 2) (Shi et al. 2016)."""

    @torch.no_grad()
    def equalise(self) -> None:
        """Give the four kernels of a channel equal sums and biases; call it after each change.

        Then a flat input gives four equal places, and no checkerboard can stand in a flat area
        (Sugawara et al. 2018). What the kernels make of anything else stays free.
        """
        kernels = self.weight.unflatten(0, (-1, 4))
        means = kernels.mean(dim=(3, 4), keepdim=True)
        self.weight.add_((means.mean(dim=1, keepdim=True) - means).flatten(0, 1))
        if self.bias is not None:
            self.bias.copy_(self.bias.view(-1, 4).mean(dim=1).repeat_interleave(4))


class ToPixels(SubPixels):
    """A 3x3 convolution to RGB at twice the size.

    Full size is reached after the last convolution: one more there would cost as much as all
    others at half of it.
    """

    def __init__(self, in_channels: int, padding_mode: Literal["zeros", "reflect"]) -> None:
        super().__init__(in_channels, 12, 3, padding=1, padding_mode=padding_mode)
        self.equalise()

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(super().forward(x), 2)


def initialise(layers: nn.Sequential) -> None:
    """He et al. 2015, without biases.

    PyTorch's default loses more than half of the signal at every layer, and training then begins
    with pictures of a single gray.
    """
    for layer in layers:
        if isinstance(layer, nn.Conv2d) and layer.bias is not None:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
            if isinstance(layer, SubPixels):
                layer.equalise()
