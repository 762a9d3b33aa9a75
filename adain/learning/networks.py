"""The networks of both models, cut the same way: style, encoder, decoder.

Huang and Belongie, "Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization"
(ICCV 2017), written AdaIN below. Images are float32 ``[N, 3, H, W]``, RGB in [0, 1].

A model turns a style image into a *style* ``[N, K, 1, 1]``, a content image into *features*
``[N, C, h, w]`` and their *statistics* ``[N, 2C, 1, 1]`` (channel means, then channel standard
deviations), and all of these with a strength *alpha* back into an image. Style and alpha may also
be maps of the features' size. Nothing in a decoder looks at statistics of the picture it works on,
so a tile of a picture gives the same pixels as the whole.
"""

from itertools import pairwise
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.vgg import cfgs, make_layers

EPSILON = 1e-5


def channel_statistics(features: Tensor) -> Tensor:
    """Channel means, then standard deviations, of ``[N, C, h, w]`` as float32 ``[N, 2C, 1, 1]``.

    AdaIN eq. 5 and 6; the variance is biased and has 1e-5 added under the root.
    """
    # In half precision a sum over a whole picture overflows or rounds away.
    features = features.float()
    mean = features.mean(dim=(2, 3), keepdim=True)
    centred = features - mean
    variance = (centred * centred).mean(dim=(2, 3), keepdim=True)
    return torch.cat([mean, (variance + EPSILON).sqrt()], dim=1)


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


def conv3x3(in_channels: int, out_channels: int) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, padding=1, padding_mode="reflect")


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

    def load_published(self, tensors: dict[str, Tensor]) -> None:
        """Load ``preprocess`` and ``conv1_1`` ... ``conv4_1`` (weights OIHW, biases) by name.

        ``preprocess``, a 1x1 convolution from RGB in [0, 1] to the network's own input, is folded
        into conv1_1, which is exact because reflection padding commutes with it.
        """
        convolutions = [layer for layer in self.modules() if isinstance(layer, nn.Conv2d)]
        names = ["1_1", "1_2", "2_1", "2_2", "3_1", "3_2", "3_3", "3_4", "4_1"]
        for name, layer in zip(names, convolutions, strict=True):
            weight = tensors[f"conv{name}.weight"].double()
            bias = tensors[f"conv{name}.bias"].double()
            if name == "1_1":
                bias = bias + torch.einsum("oikl,i->o", weight, tensors["preprocess.bias"].double())
                to_input = tensors["preprocess.weight"].double()[:, :, 0, 0]
                weight = torch.einsum("oikl,ij->ojkl", weight, to_input)
            layer.weight.copy_(weight)
            assert layer.bias is not None
            layer.bias.copy_(bias)


def conv_relu(*channels: int) -> list[nn.Module]:
    """3x3 convolutions from each number of channels to the next, each followed by ReLU."""
    return [layer for i, o in pairwise(channels) for layer in (conv3x3(i, o), nn.ReLU())]


def upsample() -> nn.Module:
    return nn.Upsample(scale_factor=2, mode="nearest")


def initialise(layers: nn.Sequential) -> None:
    """He et al. 2015, without biases.

    PyTorch's default loses more than half of the signal at every layer, and training then begins
    with pictures of a single gray.
    """
    for layer in layers:
        if isinstance(layer, nn.Conv2d) and layer.bias is not None:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)


class PaperDecoder(nn.Module):
    """AdaIN section 6: the encoder mirrored, nearest upsampling, reflection padding, no norms."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *conv_relu(512, 256),
            upsample(),
            *conv_relu(256, 256, 256, 256, 128),
            upsample(),
            *conv_relu(128, 128, 64),
            upsample(),
            *conv_relu(64, 64),
            conv3x3(64, 3),
        )
        initialise(self.layers)

    def forward(self, features: Tensor, statistics: Tensor, style: Tensor, alpha: Tensor) -> Tensor:
        """The stylised image ``[N, 3, 8h, 8w]``, not yet clipped to [0, 1]."""
        return cast(Tensor, self.layers(adain(features, statistics, style, alpha)))


class LightDecoder(nn.Module):
    """The paper's decoder with a third of its work: 22 instead of 63 GMAC at 512x512.

    It has fewer convolutions at each size and none at full size, where pixel shuffle (Shi et al.
    2016) takes over. The paper's whole pipeline cannot run faster than its 127 GMAC allow; with
    this decoder it is 86.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *conv_relu(512, 256, 256),
            upsample(),
            *conv_relu(256, 128, 128),
            upsample(),
            *conv_relu(128, 64, 64),
            conv3x3(64, 12),
            nn.PixelShuffle(2),
        )
        initialise(self.layers)
        # Aitken et al. 2017: the four pixels of a block begin equal, so no checkerboard is there
        # to be unlearned.
        last = cast(nn.Conv2d, self.layers[-2])
        with torch.no_grad():
            last.weight.copy_(last.weight[::4].repeat_interleave(4, dim=0))

    def forward(self, features: Tensor, statistics: Tensor, style: Tensor, alpha: Tensor) -> Tensor:
        """The stylised image ``[N, 3, 8h, 8w]``, not yet clipped to [0, 1]."""
        return cast(Tensor, self.layers(adain(features, statistics, style, alpha)))


class VGG19(nn.Module):
    """The paper's model: what a style is, is the statistics of its relu4_1 (K = 1024).

    ``decoder`` is a LightDecoder unless another is given.
    """

    stride = 8
    margin = 0
    channels = 512
    style_channels = 1024

    def __init__(self, decoder: PaperDecoder | LightDecoder | None = None) -> None:
        super().__init__()
        self.encoder = VGG19Encoder()
        self.decoder = LightDecoder() if decoder is None else decoder

    def style(self, image: Tensor) -> Tensor:
        return cast(Tensor, self.encoder(image)[1])


class Block(nn.Module):
    """Residual block: depthwise 5x5, then 1x1 to twice the channels and back.

    A depthwise and two 1x1 convolutions see further and cost half of one full 3x3. Padding is with
    zeros: it is part of the convolution, while a separate reflection pad would break the blocked
    layout that makes ONNX Runtime's CPU convolutions fast.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.spatial = nn.Conv2d(channels, channels, 5, padding=2, groups=channels)
        self.expand = nn.Conv2d(channels, 2 * channels, 1)
        self.project = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, x + self.project(F.relu(self.expand(self.spatial(x)))))


def downsample(in_channels: int, out_channels: int, kernel_size: int = 3) -> nn.Sequential:
    convolution = nn.Conv2d(
        in_channels, out_channels, kernel_size, stride=2, padding=kernel_size // 2
    )
    return nn.Sequential(convolution, nn.ReLU())


class FastEncoder(nn.Module):
    """A thin encoder: ``C`` channels at 1/4 of the size of the image and a margin around it.

    The convolutions' zero padding shows as lines along the border. So the image is reflected by 12
    pixels on every side first, the features keep that margin, and the decoder cuts it off.
    """

    # In features; the smallest image, 16 pixels, can be reflected by 15 and no more.
    MARGIN = 3

    def __init__(self, channels: int, blocks: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            downsample(3, channels // 2, kernel_size=5),
            downsample(channels // 2, channels),
            *(Block(channels) for _ in range(blocks)),
        )

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Image ``[N, 3, H, W]`` to features ``[N, C, H/4 + 6, W/4 + 6]`` and their statistics.

        The statistics are those of the image, without the margin.
        """
        margin = self.MARGIN
        features = self.layers(F.pad(image, (4 * margin,) * 4, mode="reflect"))
        inside = features[:, :, margin:-margin, margin:-margin]
        return features, channel_statistics(inside)


class FastStyle(nn.Module):
    """A network of its own for the style, deeper than the encoder since it runs once per style.

    The statistics of its features at 1/2, 1/4, 1/8 and 1/16 of the image's size are projected to a
    mean-like and a std-like value per channel for each of the decoder's modulated layers.
    """

    WIDTHS = (32, 64, 128, 256)

    def __init__(self, style_channels: int, channels: int) -> None:
        super().__init__()
        widths = self.WIDTHS
        self.scales = nn.ModuleList(
            [
                downsample(3, widths[0], kernel_size=5),
                *(nn.Sequential(downsample(i, o), Block(o)) for i, o in pairwise(widths)),
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
                torch.tensor([0.0, 1.0])
                .repeat(style_channels // 2 // channels)
                .repeat_interleave(channels)
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
    """AdaIN at the bottleneck, then blocks scaled and shifted by the style, then upsampling."""

    def __init__(self, channels: int, blocks: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(channels) for _ in range(blocks))
        self.upsample = nn.Sequential(
            nn.Conv2d(channels, channels // 2, 1),
            nn.Upsample(scale_factor=2, mode="nearest"),
            nn.Conv2d(channels // 2, channels // 2, 3, padding=1),
            nn.ReLU(),
            # The last doubling happens after the last convolution: at full size it would cost
            # as much as the whole rest of the decoder.
            nn.Conv2d(channels // 2, 12, 3, padding=1),
            nn.PixelShuffle(2),
        )

    def forward(self, features: Tensor, statistics: Tensor, style: Tensor, alpha: Tensor) -> Tensor:
        """The stylised image ``[N, 3, 4h - 24, 4w - 24]``, not yet clipped to [0, 1]."""
        first, *later = style.chunk(len(self.blocks) + 1, dim=1)
        x = adain(features, statistics, first, alpha)
        for block, modulation in zip(self.blocks, later, strict=True):
            shift, scale = modulation.chunk(2, dim=1)
            # alpha 0 leaves the block's input as it is, so the decoder then only reconstructs.
            x = x * (1 + alpha * (scale - 1)).to(x.dtype) + (alpha * shift).to(x.dtype)
            x = block(x)
        margin = 4 * FastEncoder.MARGIN
        return cast(Tensor, self.upsample(x)[:, :, margin:-margin, margin:-margin])


class Fast(nn.Module):
    """The model for plain CPUs: everything learned here, VGG-19 only in the training losses."""

    stride = 4
    margin = FastEncoder.MARGIN

    def __init__(
        self, channels: int = 64, encoder_blocks: int = 2, decoder_blocks: int = 6
    ) -> None:
        super().__init__()
        self.channels = channels
        self.style_channels = 2 * channels * (1 + decoder_blocks)
        self.encoder = FastEncoder(channels, encoder_blocks)
        self.style = FastStyle(self.style_channels, channels)
        self.decoder = FastDecoder(channels, decoder_blocks)


MODELS: dict[str, type[VGG19] | type[Fast]] = {"fast": Fast, "vgg19": VGG19}
