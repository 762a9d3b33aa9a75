"""One network per style (Johnson et al. 2016): ``fast`` with one painting folded into its weights.

With a single style the statistics that AdaIN gives and every modulation are constants. All of them
go into the convolutions beside them; what is left is the normalisation of the content, which
follows from each picture.
"""

import copy
from collections.abc import Container, Sequence

import torch
from torch import Tensor, nn

from adain.learning.models.fast import Fast
from adain.learning.models.layers import ResidualBlock

# What weights of such a network say that they are of.
NAME = "fast of one style"
# A channel that a style scales by less is scaled by so much: folding divides by the scales.
LEAST_SCALE = 0.005
# So many of the blocks at 1/8 of the image's size are kept, the last ones: what all styles need
# them for, one does not. The others are a seventh of the work, and the first steps of training
# make up for what goes with them.
INNER_BLOCKS = 2


class OneStyle(nn.Module):
    """The encoder and decoder of ``fast`` for one style: an image to its stylised image."""

    stride, feature_stride, margin, skips = (
        Fast.stride,
        Fast.feature_stride,
        Fast.margin,
        Fast.skips,
    )

    def __init__(self, fast: Fast) -> None:
        """Of the shape of ``fast`` and with its weights; `folded` brings the style."""
        super().__init__()
        self.encoder = copy.deepcopy(fast.encoder)
        self.decoder = copy.deepcopy(fast.decoder)
        del self.decoder.modulation
        channels = self.decoder.widths[0]
        self.mean = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.std = nn.Parameter(torch.ones(1, channels, 1, 1))

    @classmethod
    def shaped_like(cls, tensors: Container[str]) -> "OneStyle":
        """A network of the shape that these weights, by name, are of."""
        network = cls(Fast())
        names = (f"decoder.inner.{n}.a.weight" for n in range(len(network.decoder.inner)))
        return network.keep_inner(sum(name in tensors for name in names))

    def keep_inner(self, count: int) -> "OneStyle":
        """Leave out all but the last ``count`` of the decoder's inner blocks."""
        inner = self.decoder.inner
        self.decoder.inner = inner[max(0, len(inner) - count) :]
        return self

    @classmethod
    @torch.no_grad()
    def folded(cls, fast: Fast, style: Tensor) -> "OneStyle":
        """The network that gives what ``fast`` gives of a style ``[1, K, 1, 1]`` at full strength.

        But for rounding, and for channels that the style scales by less than `LEAST_SCALE`.
        """
        network = cls(fast).double()
        given, *modulations = fast.decoder.modulations(style, style.dtype)
        pairs = [_shift_and_scale(modulation) for modulation in modulations]
        decoder = network.decoder
        outer, inner = len(decoder.before), len(decoder.inner)
        before, middle, after = pairs[:outer], pairs[outer : outer + inner], pairs[outer + inner :]
        # The first modulation of a row of blocks goes into what comes before the row.
        shift, scale = before[0]
        mean, std = given.double().chunk(2, dim=1)
        network.mean.copy_(mean * scale + shift)
        network.std.copy_(std * scale)
        scale, shift = _fold(decoder.before, before, scale, shift)
        _take(decoder.down, scale, shift)
        inner_shift, inner_scale = middle[0]
        _give(decoder.down, inner_scale)
        assert decoder.down.bias is not None
        decoder.down.bias.add_(inner_shift.flatten())
        back, first = decoder.up[0], decoder.to_half[0]
        assert isinstance(back, nn.Conv2d) and isinstance(first, nn.Conv2d)
        _take(back, *_fold(decoder.inner, middle, inner_scale, inner_shift))
        _give(back, scale)  # is added to the outer blocks' values
        _take(first, *_fold(decoder.after, after, scale, shift))
        return network.float()

    def forward(self, image: Tensor) -> Tensor:
        """The stylised image ``[N, 3, H, W]`` of one, not yet clipped to [0, 1]."""
        features, pixels = self.encoder.features_and_pixels(image)
        mean, std = self.encoder.statistics(features).chunk(2, dim=1)
        dtype = features.dtype
        # Centred before it is scaled, as in `adain`; the scale is float32 until it is small.
        x = (features - mean.to(dtype)) * (self.std / std).to(dtype) + self.mean.to(dtype)
        decoder = self.decoder
        for block in decoder.before:
            x = block(x)
        y = decoder.down(x)
        for block in decoder.inner:
            y = block(y)
        x = x + decoder.up(y)
        for block in decoder.after:
            x = block(x)
        return decoder.picture(x, pixels)


def _shift_and_scale(modulation: Tensor) -> tuple[Tensor, Tensor]:
    shift, scale = modulation.double().chunk(2, dim=1)
    least = torch.where(scale < 0, -LEAST_SCALE, LEAST_SCALE).to(scale)
    return shift, torch.where(scale.abs() < LEAST_SCALE, least, scale)


def _fold(
    blocks: nn.ModuleList,
    modulations: Sequence[tuple[Tensor, Tensor]],
    scale: Tensor,
    shift: Tensor,
) -> tuple[Tensor, Tensor]:
    """Fold the modulations of a row of residual blocks into the blocks' convolutions.

    In the place of the values u between blocks the row then has ``scale * u + shift``, and what a
    modulation makes of u is never computed: the skip connections would carry it on, and so each
    block's first convolution takes it from u, and its last one gives it back. Returns the scale and
    shift of what comes out of the row.
    """
    for block, (given_shift, given_scale) in zip(blocks, modulations, strict=True):
        scale = scale / given_scale
        shift = shift - scale * given_shift
        assert isinstance(block, ResidualBlock)
        _take(block.a, scale, shift)
        _give(block.b, scale)
    return scale, shift


def _take(convolution: nn.Conv2d, scale: Tensor, shift: Tensor) -> None:
    """Let a convolution take ``scale * x + shift`` for x; padded by reflection, or not at all."""
    weight, bias = convolution.weight, convolution.bias
    assert bias is not None
    weight.div_(scale)
    bias.sub_((weight * shift).sum(dim=(1, 2, 3)))


def _give(convolution: nn.Conv2d, scale: Tensor) -> None:
    """Let a convolution give ``scale`` times what it gave."""
    assert convolution.bias is not None
    convolution.weight.mul_(scale.view(-1, 1, 1, 1))
    convolution.bias.mul_(scale.flatten())
