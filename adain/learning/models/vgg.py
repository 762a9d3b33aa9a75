"""VGG-19 as a feature extractor up to relu5_1, layer by layer, for the path of Gatys et al.

`adain.learning.models.networks.VGG19Encoder` is the same network up to relu4_1, as AdaIN uses it.
"""

from collections.abc import Iterable
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from adain.errors import AdaINError, found_error
from adain.learning.models.networks import fold_preprocess
from adain.learning.models.pretrained import load_vgg19_tensors
from adain.learning.models.vgg_layers import CONVOLUTIONS, LAYERS, Pooling, check_layers


class VGG19Layers(nn.Module):
    """VGG-19 with reflection padding, up to the last layer that is asked for.

    ``pooling``: Gatys et al. 2016 section 2 prefer averages to the maxima the network was trained
    with. These weights are scaled for maxima, though: with averages the upper layers see little.
    """

    def __init__(self, pooling: Pooling = "max") -> None:
        super().__init__()
        if pooling not in ("average", "max"):
            raise found_error("pooling", repr(pooling), "average or max")
        self.pooling = pooling
        self.convolutions = nn.ModuleDict(
            {
                name: nn.Conv2d(i, o, 3, padding=1, padding_mode="reflect")
                for name, (i, o) in CONVOLUTIONS.items()
            }
        )
        self.requires_grad_(False)

    def forward(
        self, image: Tensor, layers: Iterable[str], *, checkpointing: bool = False
    ) -> dict[str, Tensor]:
        """The wanted layers, by name, of an image ``[N, 3, H, W]``, RGB in [0, 1].

        Stage k has sides of H / 2^(k-1), rounded down. ``checkpointing`` keeps only what goes from
        stage to stage, and computes the rest again for the gradient: a third more time, half the
        memory or less.
        """
        wanted = check_layers(layers)
        last = max(LAYERS.index(name) for name in wanted) if wanted else -1
        found: dict[str, Tensor] = {}
        for stage in range(1, 6):
            names = [n for n in list(CONVOLUTIONS)[: last + 1] if n.startswith(str(stage))]
            if not names:
                break
            if checkpointing and torch.is_grad_enabled():
                outputs = checkpoint(self._stage, image, names, use_reentrant=False)
            else:
                outputs = self._stage(image, names)
            found.update(zip((f"relu{name}" for name in names), outputs, strict=True))
            image = outputs[-1]
        return {name: found[name] for name in wanted}

    def _stage(self, x: Tensor, names: list[str]) -> tuple[Tensor, ...]:
        if names[0][0] != "1":
            x = F.avg_pool2d(x, 2) if self.pooling == "average" else F.max_pool2d(x, 2)
        outputs = []
        for name in names:
            x = F.relu(self.convolutions[name](x))
            outputs.append(x)
        return tuple(outputs)

    def activations(self, height: int, width: int, layers: Iterable[str]) -> int:
        """How many values a forward pass to the last of the layers makes, padded copies included.

        That is what a gradient needs to be kept, without checkpointing.
        """
        last = max(LAYERS.index(name) for name in check_layers(layers))
        total = 0
        for name in list(CONVOLUTIONS)[: last + 1]:
            shrink = 2 ** (int(name[0]) - 1)
            inputs, outputs = CONVOLUTIONS[name]
            total += (inputs + outputs) * (height // shrink) * (width // shrink)
        return total


def load_vgg19_layers(weights: str = "paper", pooling: Pooling = "max") -> VGG19Layers:
    """VGG-19 in evaluation mode, with ``weights`` ``"paper"`` or ``"torchvision"``.

    ``"paper"`` are the weights of AdaIN's encoder, scaled so that the mean activation of each
    filter is 1, as Gatys et al. did; they are looked for like all weights here. ``"torchvision"``
    is torchvision's own training of the network, which it downloads where it has to. Raises
    AdaINError where the weights are missing or not the published ones.
    """
    network = VGG19Layers(pooling)
    if weights == "paper":
        tensors = load_vgg19_tensors()
        first = fold_preprocess(tensors)
        for name, layer in network.convolutions.items():
            convolution = cast(nn.Conv2d, layer)
            if name == "1_1":
                weight, bias = first
            else:
                if f"conv{name}.weight" not in tensors:
                    raise AdaINError(f"VGG-19: tensor conv{name}.weight is missing from its file")
                weight, bias = tensors[f"conv{name}.weight"], tensors[f"conv{name}.bias"]
            _copy(convolution, weight, bias)
    elif weights == "torchvision":
        published = _torchvision_convolutions()
        for (name, layer), source in zip(network.convolutions.items(), published, strict=False):
            assert source.bias is not None
            weight, bias = source.weight, source.bias
            if name == "1_1":
                # Its input is normalised: (x - mean) / deviation, channel by channel.
                mean = torch.tensor([0.485, 0.456, 0.406])
                weight = weight / torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
                bias = bias - torch.einsum("oikl,i->o", weight, mean)
            _copy(cast(nn.Conv2d, layer), weight, bias)
    else:
        raise found_error("vgg", repr(weights), "paper or torchvision")
    return network.eval()


def _copy(layer: nn.Conv2d, weight: Tensor, bias: Tensor) -> None:
    assert layer.bias is not None
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)


def _torchvision_convolutions() -> list[nn.Conv2d]:
    from torchvision.models import VGG19_Weights, vgg19

    try:
        model = vgg19(weights=VGG19_Weights.IMAGENET1K_V1)
    except Exception as error:
        # URLError, HTTPError, a digest that differs, a full disk: all end this way.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise AdaINError(
            f"vgg: torchvision could not download its VGG-19 ({reason}); where there is no network"
            " use --vgg paper"
        ) from error
    return [layer for layer in model.features if isinstance(layer, nn.Conv2d)]
