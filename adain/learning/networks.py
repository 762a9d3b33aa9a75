"""The networks of both models, cut the same way: style, encoder, decoder.

Huang and Belongie, "Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization"
(ICCV 2017), written AdaIN below. Images are float32 ``[N, 3, H, W]``, RGB in [0, 1].

A model turns a style image into a *style* ``[N, K, 1, 1]``, a content image into *features*
``[N, C, h, w]`` and their *statistics* ``[N, 2C, 1, 1]`` (channel means, then channel standard
deviations), and all of these with a strength *alpha* back into an image. Style and alpha may also
be maps of the features' size. Nothing in a decoder looks at statistics of the picture it works on,
so a tile of a picture gives the same pixels as the whole.
"""

from collections.abc import Mapping
from itertools import pairwise, product
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.vgg import cfgs, make_layers

from adain.learning.layers import (
    Block,
    ToPixels,
    adain,
    channel_statistics,
    conv3x3,
    conv_relu,
    downsample,
    initialise,
    modulated,
    upsample,
)


def fold_preprocess(tensors: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Weight and bias of ``conv1_1`` with ``preprocess`` folded into it, float64.

    That is a 1x1 convolution from RGB in [0, 1] to the network's own input. Folding is exact
    because reflection padding commutes with it.
    """
    weight, bias = tensors["conv1_1.weight"].double(), tensors["conv1_1.bias"].double()
    bias = bias + torch.einsum("oikl,i->o", weight, tensors["preprocess.bias"].double())
    to_input = tensors["preprocess.weight"].double()[:, :, 0, 0]
    return torch.einsum("oikl,ij->ojkl", weight, to_input), bias


class VGG19Encoder(nn.Module):
    """VGG-19 up to relu4_1 with reflection padding: 512 channels at 1/8 of the image's size."""

    # Where relu1_1, relu2_1, relu3_1 and relu4_1 end in torchvision's ``features``.
    STAGES = ((0, 2), (2, 7), (7, 12), (12, 21))

    def __init__(self) -> None:
        super().__init__()
        features = make_layers(cfgs["E"])[: self.STAGES[-1][1]]
        for layer in features:
            if isinstance(layer, nn.Conv2d):
                layer.padding_mode = "reflect"
            elif isinstance(layer, nn.ReLU):
                layer.inplace = False  # a stage's output must outlive the next stage
        self.stages = nn.ModuleList(features[start:end] for start, end in self.STAGES)
        self.requires_grad_(False)

    def relu_features(self, image: Tensor) -> list[Tensor]:
        """The features relu1_1, relu2_1, relu3_1 and relu4_1 of an image ``[N, 3, H, W]``."""
        outputs = []
        for stage in self.stages:
            image = stage(image)
            outputs.append(image)
        return outputs

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Image ``[N, 3, H, W]`` to features ``[N, 512, H/8, W/8]`` and their statistics."""
        features = self.relu_features(image)[-1]
        return features, channel_statistics(features)

    def load_published(self, tensors: Mapping[str, Tensor]) -> None:
        """Load ``preprocess`` and ``conv1_1`` ... ``conv4_1`` (weights OIHW, biases) by name."""
        convolutions = [layer for layer in self.modules() if isinstance(layer, nn.Conv2d)]
        names = ["1_1", "1_2", "2_1", "2_2", "3_1", "3_2", "3_3", "3_4", "4_1"]
        for name, layer in zip(names, convolutions, strict=True):
            if name == "1_1":
                weight, bias = fold_preprocess(tensors)
            else:
                weight, bias = tensors[f"conv{name}.weight"], tensors[f"conv{name}.bias"]
            layer.weight.copy_(weight)
            assert layer.bias is not None
            layer.bias.copy_(bias)


class PaperDecoder(nn.Module):
    """AdaIN section 6: the encoder mirrored, nearest upsampling, reflection padding, no norms."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *conv_relu(512, 256),
            nn.Upsample(scale_factor=2),
            *conv_relu(256, 256, 256, 256, 128),
            nn.Upsample(scale_factor=2),
            *conv_relu(128, 128, 64),
            nn.Upsample(scale_factor=2),
            *conv_relu(64, 64),
            conv3x3(64, 3),
        )
        initialise(self.layers)

    def forward(self, features: Tensor, statistics: Tensor, style: Tensor, alpha: Tensor) -> Tensor:
        """The stylised image ``[N, 3, 8h, 8w]``, not yet clipped to [0, 1]."""
        return cast(Tensor, self.layers(adain(features, statistics, style, alpha)))


class LightDecoder(nn.Module):
    """The paper's decoder with a third of its work: 22 instead of 63 GMAC at 512x512.

    It has fewer convolutions at each size and none at full size. The paper's whole pipeline cannot
    run faster than its 127 GMAC allow; with this decoder it is 86.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *conv_relu(512, 256, 256),
            upsample(),
            *conv_relu(256, 128, 128),
            upsample(),
            *conv_relu(128, 64, 64),
            ToPixels(64, padding_mode="reflect"),
        )
        initialise(self.layers)

    def forward(self, features: Tensor, statistics: Tensor, style: Tensor, alpha: Tensor) -> Tensor:
        """The stylised image ``[N, 3, 8h, 8w]``, not yet clipped to [0, 1]."""
        return cast(Tensor, self.layers(adain(features, statistics, style, alpha)))


class VGG19(nn.Module):
    """The paper's model: what a style is, is the statistics of its relu4_1 (K = 1024).

    ``decoder`` is a LightDecoder unless another is given.
    """

    stride = 8
    feature_stride = 8
    margin = 0
    channels = 512
    style_channels = 1024

    def __init__(self, decoder: PaperDecoder | LightDecoder | None = None) -> None:
        super().__init__()
        self.encoder = VGG19Encoder()
        self.decoder = LightDecoder() if decoder is None else decoder

    def style(self, image: Tensor) -> Tensor:
        return cast(Tensor, self.encoder(image)[1])


class Pixels(nn.Conv2d):
    """The pixels themselves, as channels at 1/4 of the image's size: what strides cannot lose.

    The features alone say where an edge is to some 4 pixels, and every slanting one comes out as a
    comb. A convolution whose kernels pick single pixels, since ONNX Runtime has it faster than a
    rearrangement; it is trained like any other. F.pixel_shuffle(_, 2) gives 12 channels at 1/2 of
    the size, in the order of `ToPixels`.
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
            downsample(3, channels // 2, 5, padding=0),
            downsample(channels // 2, channels, 3, padding=0),
            *(Block(channels, "reflect") for _ in range(blocks)),
        )
        self.pixels = Pixels()

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Image ``[N, 3, H, W]`` to features ``[N, C, H/4 + 4, W/4 + 4]`` and their statistics.

        The statistics are those of the image, without the margin.
        """
        margin = self.MARGIN
        around = (self.BEFORE, self.AFTER, self.BEFORE, self.AFTER)
        reflected = F.pad(image, around, mode="reflect")
        # The margin's pixels and no more.
        start, end = self.BEFORE - 4 * margin, 4 * margin - self.AFTER
        pixels = self.pixels(reflected[:, :, start:end, start:end])
        features = torch.cat([self.layers(reflected), pixels], dim=1)
        inside = features[:, :, margin:-margin, margin:-margin]
        return features, channel_statistics(inside)


class FastStyle(nn.Module):
    """A network of its own for the style, deeper than the encoder since it runs once per style.

    The statistics of its features at 1/2, 1/4, 1/8 and 1/16 of the image's size are projected to a
    mean-like and a std-like value per channel for each of the decoder's modulated layers.
    """

    WIDTHS = (32, 64, 128, 256)

    def __init__(self, modulated: list[int]) -> None:
        """``modulated``: the channels of each modulated layer."""
        super().__init__()
        widths = self.WIDTHS
        style_channels = 2 * sum(modulated)
        self.scales = nn.ModuleList(
            [
                downsample(3, widths[0], kernel_size=5),
                *(nn.Sequential(downsample(i, o), Block(o, "zeros")) for i, o in pairwise(widths)),
            ]
        )
        self.project = nn.Sequential(
            nn.Conv2d(2 * sum(widths), 256, 1), nn.ReLU(), nn.Conv2d(256, style_channels, 1)
        )
        # Start from "mean 0, std 1" for every layer, so that training begins near the identity.
        last = cast(nn.Conv2d, self.project[-1])
        assert last.bias is not None
        with torch.no_grad():
            last.weight.mul_(0.1)
            last.bias.copy_(
                torch.cat([torch.tensor([0.0, 1.0]).repeat_interleave(c) for c in modulated])
            )

    def forward(self, image: Tensor) -> Tensor:
        """Style image ``[N, 3, H, W]`` to style ``[N, K, 1, 1]``."""
        statistics = []
        for scale in self.scales:
            image = scale(image)
            statistics.append(channel_statistics(image))
        dtype = image.dtype
        return cast(Tensor, self.project(torch.cat(statistics, dim=1).to(dtype))).float()


class FastDecoder(nn.Module):
    """AdaIN at the bottleneck, then blocks scaled and shifted by the style, then upsampling.

    Most blocks work at half the size of the features with twice their channels: strokes are larger
    than edges, and a block there knows four times as much at the same price. What they find is
    added to the features, which carry the content's edges past them. The pixels come in at the end.
    """

    def __init__(self, channels: int, outer: int, inner: int) -> None:
        super().__init__()
        self.widths = [channels] * outer + [2 * channels] * inner + [channels] * outer
        self.before = nn.ModuleList(Block(channels, "reflect") for _ in range(outer))
        self.down = nn.Conv2d(channels, 2 * channels, 2, stride=2)
        self.inner = nn.ModuleList(Block(2 * channels, "reflect") for _ in range(inner))
        self.up = nn.Sequential(nn.Conv2d(2 * channels, channels, 1), upsample())
        self.after = nn.ModuleList(Block(channels, "reflect") for _ in range(outer))
        self.to_half = nn.Sequential(
            nn.Conv2d(channels, channels // 2, 1),
            upsample(),
            nn.Conv2d(channels // 2, channels // 2, 3, padding=1),
        )
        self.from_pixels = nn.Conv2d(Pixels.CHANNELS // 4, channels // 2, 3, padding=1)
        self.to_image = ToPixels(channels // 2, padding_mode="zeros")

    def forward(self, features: Tensor, statistics: Tensor, style: Tensor, alpha: Tensor) -> Tensor:
        """The stylised image ``[N, 3, 4h - 16, 4w - 16]``, not yet clipped to [0, 1]."""
        channels = features.shape[1] - Pixels.CHANNELS
        mean, std = (values[:, :channels] for values in statistics.chunk(2, dim=1))
        statistics = torch.cat([mean, std], dim=1)
        x = adain(features[:, :channels], statistics, style[:, : 2 * channels], alpha)
        modulations = iter(style[:, 2 * channels :].split([2 * w for w in self.widths], dim=1))
        for block in self.before:
            x = block(modulated(x, next(modulations), alpha))
        y = self.down(x)
        # Where style and strength are maps, every second of their values; 1x1 stays 1x1.
        inner_alpha = alpha[:, :, ::2, ::2]
        for block in self.inner:
            y = block(modulated(y, next(modulations)[:, :, ::2, ::2], inner_alpha))
        x = x + self.up(y)
        for block in self.after:
            x = block(modulated(x, next(modulations), alpha))
        margin = 4 * FastEncoder.MARGIN
        pixels = self.from_pixels(F.pixel_shuffle(features[:, channels:], 2))
        image = self.to_image(F.relu(self.to_half(x) + pixels))
        return cast(Tensor, image[:, :, margin:-margin, margin:-margin])


class Fast(nn.Module):
    """The model for plain CPUs: everything learned here, VGG-19 only in the training losses."""

    stride = 8
    feature_stride = 4
    margin = FastEncoder.MARGIN

    def __init__(
        self, channels: int = 64, encoder_blocks: int = 1, outer: int = 1, inner: int = 4
    ) -> None:
        super().__init__()
        self.channels = channels + Pixels.CHANNELS
        self.encoder = FastEncoder(channels, encoder_blocks)
        self.decoder = FastDecoder(channels, outer, inner)
        widths = [channels, *self.decoder.widths]
        self.style_channels = 2 * sum(widths)
        self.style = FastStyle(widths)

    def forward(self, content: Tensor, style: Tensor, alpha: Tensor) -> Tensor:
        """Content and style images to the stylised image, not yet clipped to [0, 1]."""
        return cast(Tensor, self.decoder(*self.encoder(content), self.style(style), alpha))


MODELS: dict[str, type[VGG19] | type[Fast]] = {"fast": Fast, "vgg19": VGG19}
