"""The real-time model for plain CPUs: a thin encoder, a decoder, and a style network.

Cut like every model; see `adain.learning.models.networks`. VGG-19 is only in the training losses.
"""

from collections.abc import Sequence
from itertools import product
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adain.learning.models.layers import (
    Block,
    Modulation,
    ResidualBlock,
    SubPixels,
    ToPixels,
    adain,
    channel_statistics,
    conv_relu,
    downsample,
    enlarged,
    initialise,
    modulated,
    upsample,
)

# Of the layer that takes statistics. What it leaves out of its outputs is less than a hundredth of
# their variance over paintings.
RANK = 96


class Pixels(SubPixels):
    """The pixels themselves, as channels at 1/4 of the image's size: what strides cannot lose.

    The features alone say where an edge is to some 4 pixels, and every slanting one comes out as a
    comb. A convolution whose kernels pick single pixels, since ONNX Runtime has it faster than a
    rearrangement; it is trained like any other, but for equal sums: else flat areas get a grid of 4
    pixels. F.pixel_shuffle(_, 2) gives 12 channels at 1/2 of the size, in the order of `ToPixels`.
    """

    CHANNELS = 48

    def __init__(self) -> None:
        super().__init__(3, self.CHANNELS, 4, stride=4, bias=False)
        with torch.no_grad():
            kernels = self.weight.zero_().view(3, 2, 2, 2, 2, 3, 4, 4)
            # (i, j) is the pixel of 1/2 of the size, and (y, x) the pixel of the image in it.
            for colour, y, x, i, j in product(range(3), *[range(2)] * 4):
                kernels[colour, y, x, i, j, colour, 2 * i + y, 2 * j + x] = 1


class FastEncoder(nn.Module):
    """A thin encoder: features, and the pixels, at 1/4 of the size of the image and a margin.

    Everything is padded by reflection: zeros tell a network where the border is, and it draws a
    frame there. Only the last convolutions of the decoder, which work at half the image's size, are
    padded with zeros. So the features keep a margin of 8 pixels, which the decoder cuts off, and
    the image is reflected once for it and for both convolutions that follow: every reflection takes
    the features out of the blocked layout that ONNX Runtime's convolutions work in.
    """

    # In features. With what the convolutions need, the image is reflected by 12 pixels; the
    # smallest one, 16 pixels, allows 15 and no more.
    MARGIN = 2
    BEFORE = 4 * MARGIN + 2 + 2
    AFTER = BEFORE - 3  # steps of two from the left need three pixels fewer on the right

    def __init__(self, channels: int, blocks: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            downsample(3, channels // 2, 5),
            downsample(channels // 2, channels, 3),
            *(Block(channels) for _ in range(blocks)),
        )
        self.pixels = Pixels()

    def features_and_pixels(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Image ``[N, 3, H, W]`` to features and pixels, each ``[N, C, H/4 + 4, W/4 + 4]``."""
        margin = self.MARGIN
        around = (self.BEFORE, self.AFTER, self.BEFORE, self.AFTER)
        reflected = F.pad(image, around, mode="reflect")
        # The margin's pixels and no more.
        start, end = self.BEFORE - 4 * margin, 4 * margin - self.AFTER
        pixels = self.pixels(reflected[:, :, start:end, start:end])
        return self.layers(reflected), pixels

    def statistics(self, features: Tensor) -> Tensor:
        """Means, then standard deviations, of the image: without the margin."""
        margin = self.MARGIN
        return channel_statistics(features[:, :, margin:-margin, margin:-margin])

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Image to features and pixels together, ``[N, C, H/4 + 4, W/4 + 4]``, and statistics."""
        features = torch.cat(self.features_and_pixels(image), dim=1)
        return features, self.statistics(features)


class StatisticsEstimator(nn.Module):
    """The style network: VGG-19 distilled into a thin network, whose statistics are the style.

    The style loss compares VGG-19's statistics, so they are what a decoder has to be told; and a
    style is then the same numbers for ``fast`` as for ``vgg19``, whoever measured it. What is
    estimated is the features, place by place (knowledge distillation by features, Romero et al.
    2015): statistics of these hold for paintings unlike all that were trained on, where a network
    that guesses the statistics themselves knows only whole pictures that it saw.
    """

    # Of the thin network at 1/2, 1/4 and 1/8 of the image's size, and of VGG-19's four layers.
    WIDTHS = (64, 96, 192)
    CHANNELS = (64, 128, 256, 512)
    # How far apart, in places of VGG-19's layers, those are that are estimated.
    STEPS = (4, 2, 2, 1)
    HIDDEN = 64
    # VGG-19's first kernels are tens of times as large as any others here. Seen at a gain, they are
    # as near as those to an optimiser whose steps have one size.
    GAIN = 64.0

    def __init__(self) -> None:
        super().__init__()
        half, quarter, eighth = self.WIDTHS
        # As far as relu1_1 goes, a convolution is all there is.
        self.relu1_1 = nn.Conv2d(
            3, self.CHANNELS[0], 3, stride=self.STEPS[0], padding=1, padding_mode="reflect"
        )
        self.stages = nn.ModuleList(
            [
                # A kernel of 6 sees what pooling and the two convolutions around it see.
                nn.Sequential(*downsample(3, half, 6), nn.Conv2d(half, half, 3), nn.ReLU()),
                nn.Sequential(nn.MaxPool2d(2), *conv_relu(half, quarter), ResidualBlock(quarter)),
                nn.Sequential(nn.MaxPool2d(2), *conv_relu(quarter, eighth), ResidualBlock(eighth)),
            ]
        )
        self.heads = nn.ModuleList(
            nn.Conv2d(width, count, 1, stride=stride)
            for width, count, stride in zip(
                self.WIDTHS, self.CHANNELS[1:], self.STEPS[1:], strict=True
            )
        )
        for stage in self.stages:
            initialise(cast(nn.Sequential, stage))
        # Estimated features vary less than what they estimate, which the statistics tell.
        last = nn.Conv2d(self.HIDDEN, Modulation.STATISTICS, 1)
        self.correction = nn.Sequential(
            nn.Conv2d(Modulation.STATISTICS, self.HIDDEN, 1), nn.ReLU(), last
        )
        assert last.bias is not None
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def features(self, image: Tensor) -> list[Tensor]:
        """Image ``[N, 3, H, W]`` to estimates of relu1_1 to relu4_1, `STEPS` apart."""
        found = [F.relu(self.relu1_1(self.GAIN * (image - 0.5)))]
        # Reflected once for both convolutions at 1/2, whose features are large to copy.
        x = F.pad(image, (4, 4, 4, 4), mode="reflect")
        for stage, head in zip(self.stages, self.heads, strict=True):
            x = stage(x)
            found.append(F.relu(head(x)))
        return found

    @classmethod
    def places(cls, layers: Sequence[Tensor]) -> list[Tensor]:
        """Of relu1_1 to relu4_1 as VGG-19 has them, the places that `features` estimates."""
        return [layer[:, :, ::step, ::step] for layer, step in zip(layers, cls.STEPS, strict=True)]

    @classmethod
    def by_layer(cls, style: Tensor) -> list[Tensor]:
        """A style's statistics ``[N, 1920, 1, 1]`` by layer, from relu1_1 to relu4_1."""
        sizes = [2 * channels for channels in cls.CHANNELS[::-1]]
        return list(style.split(sizes, dim=1)[::-1])

    def statistics(self, features: list[Tensor]) -> Tensor:
        """`features` to VGG-19's float32 statistics ``[N, 1920, 1, 1]`` in `VGG19`'s order."""
        found = torch.cat([channel_statistics(layer) for layer in features[::-1]], dim=1)
        # Logarithms, whose errors weigh alike.
        found = found.log1p()
        corrected: Tensor = found + self.correction(found.to(features[0].dtype)).float()
        return corrected.clamp_min(0).expm1()

    def forward(self, image: Tensor) -> Tensor:
        """Style image ``[N, 3, H, W]`` to statistics ``[N, 1920, 1, 1]`` in `VGG19`'s order."""
        return self.statistics(self.features(image))


class FastDecoder(nn.Module):
    """AdaIN at the bottleneck, then blocks scaled and shifted by the style, then upsampling.

    Most blocks work at half the size of the features with twice their channels: strokes are larger
    than edges, and a block there knows four times as much at the same price. What they find is
    added to the features, which carry the content's edges past them: a skip connection, as is that
    of the full-resolution pixels at the end.
    """

    def __init__(self, channels: int, outer: int, inner: int) -> None:
        super().__init__()
        self.widths = [channels] * outer + [2 * channels] * inner + [channels] * outer
        self.before = nn.ModuleList(ResidualBlock(channels) for _ in range(outer))
        self.down = nn.Conv2d(channels, 2 * channels, 2, stride=2)
        self.inner = nn.ModuleList(ResidualBlock(2 * channels) for _ in range(inner))
        self.up = nn.Sequential(nn.Conv2d(2 * channels, channels, 1), upsample())
        self.after = nn.ModuleList(ResidualBlock(channels) for _ in range(outer))
        self.to_half = nn.Sequential(
            nn.Conv2d(channels, channels // 2, 1),
            upsample(),
            nn.Conv2d(channels // 2, channels // 2, 3, padding=1),
        )
        self.from_pixels = nn.Conv2d(Pixels.CHANNELS // 4, channels // 2, 3, padding=1)
        self.to_image = ToPixels(channels // 2, padding_mode="zeros")
        self.modulation = Modulation([channels, *self.widths], RANK)

    def modulations(self, style: Tensor, dtype: torch.dtype) -> list[Tensor]:
        """AdaIN's means and deviations, then a modulation for each block.

        Where style is a map: those of outer layers as large as the features, of inner ones half.
        """
        inner = range(1 + len(self.before), 1 + len(self.before) + len(self.inner))
        # Projected at half the size, which costs a fourth; 1x1 stays 1x1.
        found = self.modulation(style[:, :, ::2, ::2], dtype)
        return [m if i in inner else enlarged(m) for i, m in enumerate(found)]

    def forward(self, features: Tensor, statistics: Tensor, style: Tensor, alpha: Tensor) -> Tensor:
        """The stylised image ``[N, 3, 4h - 16, 4w - 16]``, not yet clipped to [0, 1]."""
        channels = features.shape[1] - Pixels.CHANNELS
        mean, std = (values[:, :channels] for values in statistics.chunk(2, dim=1))
        statistics = torch.cat([mean, std], dim=1)
        modulations = iter(self.modulations(style, features.dtype))
        x = adain(features[:, :channels], statistics, next(modulations), alpha)
        for block in self.before:
            x = block(modulated(x, next(modulations), alpha))
        y = self.down(x)
        inner_alpha = alpha[:, :, ::2, ::2]
        for block in self.inner:
            y = block(modulated(y, next(modulations), inner_alpha))
        x = x + self.up(y)
        for block in self.after:
            x = block(modulated(x, next(modulations), alpha))
        return self.picture(x, features[:, channels:])

    def picture(self, x: Tensor, pixels: Tensor) -> Tensor:
        """What the last block gave, and the pixels, as an image without the margin."""
        margin = 4 * FastEncoder.MARGIN
        pixels = self.from_pixels(F.pixel_shuffle(pixels, 2))
        image = self.to_image(F.relu(self.to_half(x) + pixels))
        return cast(Tensor, image[:, :, margin:-margin, margin:-margin])


class Fast(nn.Module):
    """Everything learned here, and small enough for real time."""

    stride = 8
    feature_stride = 4
    margin = FastEncoder.MARGIN
    skips: tuple[str, ...] = ()
    style_channels = Modulation.STATISTICS

    def __init__(
        self, channels: int = 48, encoder_blocks: int = 1, outer: int = 1, inner: int = 3
    ) -> None:
        super().__init__()
        self.channels = channels + Pixels.CHANNELS
        self.encoder = FastEncoder(channels, encoder_blocks)
        self.decoder = FastDecoder(channels, outer, inner)
        self.style = StatisticsEstimator()

    def forward(
        self, content: Tensor | None, style: Tensor, alpha: Tensor, exact: Tensor | None = None
    ) -> tuple[Tensor | list[Tensor], Tensor]:
        """Content and style images to the stylised image, not yet clipped, and the style.

        Of more contents, a multiple of the styles, content i is given style i modulo their number.
        ``exact``: the true statistics ``[N, 1920, 1, 1]`` of the style images, which the decoder
        takes in the place of the estimate for every second one. Without a content there is no
        picture but the features that the style is estimated by.
        """
        features = self.style.features(style)
        estimate = self.style.statistics(features)
        if content is None:
            return features, estimate
        given = estimate
        if exact is not None:
            even = torch.arange(len(given), device=given.device).view(-1, 1, 1, 1) % 2 == 0
            given = torch.where(even, exact, estimate)
        given = given.repeat(len(content) // len(style), 1, 1, 1)
        return self.decoder(*self.encoder(content), given, alpha), estimate
