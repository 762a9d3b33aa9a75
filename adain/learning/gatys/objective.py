"""The objective of style transfer by optimisation (Gatys, Ecker and Bethge, CVPR 2016).

    content_weight * sum over content layers of  w_l / 2 * sum (F_l(x) - F_l(content))^2
    + style_weight * sum over style layers of    w_l / (4 N_l^2 M_l^2) * sum (G_l(x) - A_l)^2
    + tv_weight * sum of squared differences of neighbouring pixels,

for a picture x, where F_l are the features of VGG-19 at layer l (N_l channels, M_l places),
G_l = F_l F_l^T their Gram matrix and A_l that of the style: equations 1 to 7 of the paper.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from adain.learning.gatys.options import GatysOptions
from adain.learning.losses import (
    gatys_content_loss,
    gatys_gram,
    gatys_style_loss,
    total_variation,
)
from adain.learning.models.vgg import VGG19Layers
from adain.maps import shares

# The side of the pictures that the balance of content and style is given for: the content term is
# a sum over places and grows with the picture, the style term is not and does not.
BALANCED_SIDE = 512


class _Target(NamedTuple):
    """Gram matrices that are wanted, where (everywhere without guides), and how much."""

    weight: float
    guides: Mapping[str, Tensor] | None
    grams: Mapping[str, Tensor]


class GatysObjective:
    """The paper's loss of pictures of one size, and its gradient."""

    def __init__(
        self,
        vgg: VGG19Layers,
        content: Tensor,
        styles: Sequence[Tensor],
        options: GatysOptions,
        guides: Sequence[Tensor] | None = None,
        *,
        checkpointing: bool = False,
    ) -> None:
        """``content`` ``[1, 3, H, W]`` and ``styles`` ``[1, 3, h, w]``, RGB in [0, 1]; ``guides``
        ``[1, 1, H, W]`` in [0, 1], one for each style, say where it goes."""
        self.vgg, self.options = vgg, options
        self.dtype = next(vgg.parameters()).dtype
        self.layers = [*options.content_layers, *options.style_layers]
        self.checkpointing = checkpointing
        height, width = content.shape[2:]
        self.style_weight = options.style_weight * height * width / BALANCED_SIDE**2
        mixture = shares(options.style_shares, len(styles))
        with torch.no_grad():
            found = self._features(content, options.content_layers)
            self.content = {name: features.detach() for name, features in found.items()}
            grams = [
                {
                    name: gatys_gram(features)
                    for name, features in self._features(style, options.style_layers).items()
                }
                for style in styles
            ]
            if guides is None:
                # The Gram matrices of several styles are mixed.
                mixed = {
                    name: torch.stack(
                        [share * gram[name] for share, gram in zip(mixture, grams, strict=True)]
                    ).sum(dim=0)
                    for name in options.style_layers
                }
                self.targets: list[_Target] = [_Target(1.0, None, mixed)]
            else:
                self.targets = [
                    _Target(len(styles) * share, self._guides(guide, content), gram)
                    for share, guide, gram in zip(mixture, guides, grams, strict=True)
                ]

    def _features(
        self, image: Tensor, layers: Mapping[str, float] | list[str]
    ) -> dict[str, Tensor]:
        image = image.to(self.dtype).contiguous(memory_format=torch.channels_last)
        found = self.vgg(image, layers, checkpointing=self.checkpointing)
        return cast(dict[str, Tensor], found)

    def _guides(self, guide: Tensor, content: Tensor) -> dict[str, Tensor]:
        """A mask at the sizes of the style layers."""
        found = self._features(content, self.options.style_layers)
        return {
            name: F.adaptive_avg_pool2d(guide, (features.shape[2], features.shape[3]))
            for name, features in found.items()
        }

    def losses(self, image: Tensor) -> dict[str, Tensor]:
        """content, style, tv and total of an image ``[1, 3, H, W]``, each a scalar."""
        options = self.options
        found = self._features(image, self.layers)
        zero = image.new_zeros(())
        content = sum(
            (
                weight * gatys_content_loss(found[name], self.content[name]).sum()
                for name, weight in options.content_layers.items()
            ),
            zero,
        )
        style = zero
        for target in self.targets:
            for name, weight in options.style_layers.items():
                guide = None if target.guides is None else target.guides[name]
                loss = gatys_style_loss(gatys_gram(found[name], guide), target.grams[name]).sum()
                style = style + target.weight * weight * loss
        tv = total_variation(image).sum() if options.tv_weight else zero
        total = (
            options.content_weight * content + self.style_weight * style + options.tv_weight * tv
        )
        return {"content": content, "style": style, "tv": tv, "total": total}

    def evaluate(self, image: Tensor) -> tuple[float, Tensor]:
        """The total and its gradient; `latest` then holds all losses."""
        image = image.detach().requires_grad_()
        losses = self.losses(image)
        (gradient,) = torch.autograd.grad(losses["total"], image)
        self.latest = {name: loss.item() for name, loss in losses.items()}
        return self.latest["total"], gradient
