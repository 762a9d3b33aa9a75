"""The receptive field of a model's networks: how far away a pixel still changes another.

Tiles of a picture overlap by it (`adain.tiling`), which is why a row of `adain.registry` says it.
"""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from adain.learning.models.fast import Fast
from adain.learning.models.networks import VGG19


def reaches(model: Fast | VGG19, side: int = 320) -> tuple[int, int]:
    """Pixels that the encoder's outputs reach beyond their own, and that the picture reaches in
    what the decoder takes; of the worse of all positions, each rounded up to the stride.

    Measured by gradients in a copy whose weights are all positive, where nothing cancels out: every
    ReLU is open, and pooling takes the mean, so that each input of a kernel counts.
    """
    network = _open(copy.deepcopy(model).double().eval())
    stride = model.stride
    middle = side // 2 // stride * stride
    # Kernels are square, so what holds from above to below holds across.
    image = torch.rand(1, 3, side, 32, dtype=torch.float64, requires_grad=True)
    features, statistics, *skips = network.encoder(image)
    given = [each.detach().requires_grad_() for each in (features, *skips)]
    style = torch.ones(1, model.style_channels, 1, 1, dtype=torch.float64)
    alpha = torch.ones(1, 1, 1, 1, dtype=torch.float64)
    told = torch.ones_like(statistics.detach())
    picture = network.decoder(given[0], told, style, alpha, *given[1:])
    margins = [model.margin, *(0 for _ in skips)]
    scales = [
        side // (each.shape[2] - 2 * margin) for each, margin in zip(given, margins, strict=True)
    ]
    window = slice(middle, middle + stride)
    of_encoder, of_decoder = [], []
    for output, margin, scale in zip((features, *skips), margins, scales, strict=True):
        start = middle // scale + margin
        part = output[:, :, start : start + max(1, stride // scale), :]
        (gradient,) = torch.autograd.grad(part.sum(), image, retain_graph=True)
        of_encoder.append(_beyond(gradient, window, 1, 0))
    gradients = torch.autograd.grad(picture[:, :, window].sum(), given)
    for gradient, margin, scale in zip(gradients, margins, scales, strict=True):
        of_decoder.append(_beyond(gradient, window, scale, margin))
    return _rounded(of_encoder, stride), _rounded(of_decoder, stride)


def _open(network: Fast | VGG19) -> Fast | VGG19:
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                # Means of what they take: products of many layers stay finite.
                module.weight.fill_(1 / module.weight[0].numel())
                if module.bias is not None:
                    module.bias.zero_()
        for parent in network.modules():
            for name, child in parent.named_children():
                if isinstance(child, nn.MaxPool2d):
                    setattr(parent, name, nn.AvgPool2d(2))
    return network


def _beyond(gradient: Tensor, window: slice, scale: int, margin: int) -> int:
    """Pixels above or below the window, of the rows that have a gradient."""
    rows = gradient.abs().sum(dim=(0, 1, 3)).nonzero().flatten() - margin
    first, last = int(rows[0]) * scale, (int(rows[-1]) + 1) * scale
    return max(int(window.start) - first, last - int(window.stop), 0)


def _rounded(found: Sequence[int], stride: int) -> int:
    return -(-max(found) // stride) * stride
