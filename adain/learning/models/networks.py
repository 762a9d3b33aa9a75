"""The AdaIN model of the paper: the VGG-19 encoder, and the decoders that go with it.

Huang and Belongie, "Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization"
(ICCV 2017), written AdaIN below. Images are float32 ``[N, 3, H, W]``, RGB in [0, 1].

Every model is cut the same way (`adain.learning.models.fast` is the other): a style image becomes a
*style* ``[N, K, 1, 1]``, a content image *features* ``[N, C, h, w]``, their *statistics* (channel
means, then channel standard deviations) and perhaps larger features for skip connections, and all
of these with a strength *alpha* become an image again. Style and alpha may also be maps of the
features' size. Nothing in a decoder looks at statistics of the picture it works on, so a tile of a
picture gives the same pixels as the whole.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, cast

import torch
from torch import Tensor, nn
from torchvision.models.vgg import cfgs, make_layers

from adain.learning.models.layers import (
    Modulation,
    ResidualBlock,
    ToPixels,
    adain,
    channel_statistics,
    conv3x3,
    conv_relu,
    enlarged,
    initialise,
    modulated,
    upsample,
)

# How many statistics relu4_1, relu3_1, relu2_1 and relu1_1 have, in the order of a style's vector:
# a decoder of the paper's form takes the first and no others.
STATISTICS = (1024, 512, 256, 128)


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

    # Where they begin and end in torchvision's ``features``.
    STAGES: ClassVar = {
        "relu1_1": (0, 2),
        "relu2_1": (2, 7),
        "relu3_1": (7, 12),
        "relu4_1": (12, 21),
    }

    def __init__(self, skips: Sequence[str] = (), statistics: Sequence[str] = ("relu4_1",)) -> None:
        """``skips``: the layers given out beside relu4_1; ``statistics``: those measured."""
        super().__init__()
        self.skips, self.statistics = tuple(skips), tuple(statistics)
        features = make_layers(cfgs["E"])[: self.STAGES["relu4_1"][1]]
        for layer in features:
            if isinstance(layer, nn.Conv2d):
                layer.padding_mode = "reflect"
            elif isinstance(layer, nn.ReLU):
                layer.inplace = False  # a stage's output must outlive the next stage
        self.stages = nn.ModuleList(features[start:end] for start, end in self.STAGES.values())
        self.requires_grad_(False)

    def relu_features(self, image: Tensor) -> list[Tensor]:
        """The features relu1_1, relu2_1, relu3_1 and relu4_1 of an image ``[N, 3, H, W]``."""
        outputs = []
        for stage in self.stages:
            image = stage(image)
            outputs.append(image)
        return outputs

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Image ``[N, 3, H, W]`` to relu4_1 ``[N, 512, H/8, W/8]``, statistics, and the skips."""
        layers = dict(zip(self.STAGES, self.relu_features(image), strict=True))
        statistics = [channel_statistics(layers[name]) for name in self.statistics]
        measured = torch.cat(statistics, dim=1) if len(statistics) > 1 else statistics[0]
        return layers["relu4_1"], measured, *(layers[name] for name in self.skips)

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

    SKIPS: tuple[str, ...] = ()

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
        """The stylised image ``[N, 3, 8h, 8w]``, not yet clipped to [0, 1].

        statistics ``[N, 1024, 1, 1]`` and style ``[N, 1024, 1 or h, 1 or w]``, of relu4_1.
        """
        return cast(Tensor, self.layers(adain(features, statistics, style, alpha)))


class ResidualDecoder(nn.Module):
    """A residual decoder with skip connections, modulated by the style's statistics.

    It departs from the paper's in three ways, each of which was measured (weights/MODEL_CARD.md).
    Residual blocks, fewer at full size, take a third less work. Shift and scale before each block
    (Perez et al. 2018, FiLM) come from the style's statistics of all four layers that the style
    loss compares, and not of relu4_1 alone: what the decoder would have to guess, it is told. And
    relu3_1 and relu2_1 of the content, given the style's statistics, bring back what pooling lost.
    """

    SKIPS = ("relu3_1", "relu2_1")

    def __init__(self) -> None:
        super().__init__()
        self.relu4 = nn.Sequential(*conv_relu(512, 256))
        self.blocks4 = nn.ModuleList(ResidualBlock(256) for _ in range(3))
        self.relu3 = nn.Sequential(upsample(), *conv_relu(256, 128))
        self.skip3 = nn.Conv2d(256, 128, 1, bias=False)
        self.blocks3 = nn.ModuleList(ResidualBlock(128) for _ in range(2))
        self.relu2 = nn.Sequential(upsample(), *conv_relu(128, 64))
        self.skip2 = nn.Conv2d(128, 64, 1, bias=False)
        self.blocks2 = nn.ModuleList([ResidualBlock(64)])
        self.to_image = ToPixels(64, padding_mode="reflect")
        for layers in (self.relu4, self.relu3, self.relu2):
            initialise(layers)
        nn.init.zeros_(self.skip3.weight)
        nn.init.zeros_(self.skip2.weight)
        self.modulation = Modulation([256] * 3 + [128] * 2 + [64])

    def forward(
        self,
        features: Tensor,
        statistics: Tensor,
        style: Tensor,
        alpha: Tensor,
        relu3_1: Tensor,
        relu2_1: Tensor,
    ) -> Tensor:
        """The stylised image ``[N, 3, 8h, 8w]``, not yet clipped to [0, 1].

        features ``[N, 512, h, w]``, relu3_1 ``[N, 256, 2h, 2w]`` and relu2_1 ``[N, 128, 4h, 4w]``
        of the content; statistics ``[N, 1920, 1, 1]`` of it; style ``[N, 1920, 1 or h, 1 or w]``.
        """
        content4, content3, content2, _ = statistics.split(STATISTICS, dim=1)
        style4, style3, style2, _ = style.split(STATISTICS, dim=1)
        modulations = self.modulation(style, features.dtype)
        x = self.relu4(adain(features, content4, style4, alpha))
        for block, modulation in zip(self.blocks4, modulations[:3], strict=True):
            x = block(modulated(x, modulation, alpha))
        alpha, style3, *inner = (enlarged(m) for m in (alpha, style3, *modulations[3:5]))
        x = self.relu3(x) + self.skip3(adain(relu3_1, content3, style3, alpha))
        for block, modulation in zip(self.blocks3, inner, strict=True):
            x = block(modulated(x, modulation, alpha))
        alpha = enlarged(alpha)
        style2, modulation = (enlarged(enlarged(m)) for m in (style2, modulations[5]))
        x = self.relu2(x) + self.skip2(adain(relu2_1, content2, style2, alpha))
        x = self.blocks2[0](modulated(x, modulation, alpha))
        return cast(Tensor, self.to_image(x))


class VGG19(nn.Module):
    """The paper's encoder, and a decoder.

    Statistics are those of relu4_1, relu3_1, relu2_1 and relu1_1, in this order; of each layer
    first the means. A style is the statistics of its picture. With a decoder of the paper's form
    both are those of relu4_1 alone.
    """

    stride = 8
    feature_stride = 8
    margin = 0
    channels = 512

    def __init__(self, decoder: PaperDecoder | ResidualDecoder | None = None) -> None:
        super().__init__()
        self.decoder = ResidualDecoder() if decoder is None else decoder
        self.skips = self.decoder.SKIPS
        layers = ("relu4_1", *self.skips, "relu1_1") if self.skips else ("relu4_1",)
        self.encoder = VGG19Encoder(self.skips, layers)
        self.style_channels = sum(STATISTICS[: len(layers)])

    def style(self, image: Tensor) -> Tensor:
        return cast(Tensor, self.encoder(image)[1])
