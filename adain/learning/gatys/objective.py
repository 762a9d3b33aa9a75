"""What style transfer by optimisation minimises (Gatys, Ecker and Bethge, CVPR 2016).

    content_weight * sum over content layers of  w_l / 2 * sum (F_l(x) - F_l(content))^2
    + style_weight * sum over style layers of    w_l / (4 N_l^2 M_l^2) * sum (G_l(x) - A_l)^2
    + tv_weight * sum of squared differences of neighbouring pixels,

for a picture x, where F_l are the features of VGG-19 at layer l (N_l channels, M_l places),
G_l = F_l F_l^T their Gram matrix and A_l that of the style: equations 1 to 7 of the paper.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from adain.errors import found_error
from adain.learning.losses import (
    gatys_content_loss,
    gatys_gram,
    gatys_style_loss,
    total_variation,
)
from adain.learning.models.vgg import Pooling, VGG19Layers, check_layers

CONTENT_LAYERS = {"relu4_2": 1.0}
STYLE_LAYERS = dict.fromkeys(("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"), 0.2)
# The side of the pictures that the balance of content and style is given for: the content term is
# a sum over places and grows with the picture, the style term is not and does not.
BALANCED_SIDE = 512


@dataclass(frozen=True)
class GatysOptions:
    """How to optimise; the weights and layers are those of the equation above.

    ``style_weight`` is that at 512 x 512; elsewhere it is scaled by the number of pixels, so that
    content and style keep their balance at all sizes. ``iterations`` are those of the first size;
    each further one, twice as large up to the picture's own, has half as many as the one before.
    ``style_scale`` is the style's long side over the content's. ``checkpointing`` None: where the
    memory would not suffice without it.
    """

    iterations: int = 300
    init: Literal["content", "noise", "adain"] = "content"
    content_weight: float = 1.0
    style_weight: float = 5e7
    tv_weight: float = 0.0
    content_layers: Mapping[str, float] = field(default_factory=lambda: dict(CONTENT_LAYERS))
    style_layers: Mapping[str, float] = field(default_factory=lambda: dict(STYLE_LAYERS))
    optimizer: Literal["lbfgs", "adam"] = "lbfgs"
    learning_rate: float = 0.02
    style_weights: Sequence[float] | None = None
    style_scale: float = 1.0
    colours: Literal["style", "matched", "luminance"] = "style"
    coarse_to_fine: bool = True
    pooling: Pooling = "max"
    vgg: Literal["paper", "torchvision"] = "paper"
    model: str = "fast"
    precision: Literal["fp32", "bf16"] = "fp32"
    checkpointing: bool | None = None
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        def check(good: bool, name: str, allowed: str) -> None:
            if not good:
                raise found_error(name, repr(getattr(self, name)), allowed)

        check(self.iterations >= 0, "iterations", "0 or more")
        check(self.init in ("content", "noise", "adain"), "init", "content, noise or adain")
        for name in ("content_weight", "style_weight", "tv_weight"):
            check(0 <= getattr(self, name) < float("inf"), name, "0 or more")
        check(self.optimizer in ("lbfgs", "adam"), "optimizer", "lbfgs or adam")
        check(0 < self.learning_rate < float("inf"), "learning_rate", "more than 0")
        check(0.1 <= self.style_scale <= 10, "style_scale", "0.1 to 10")
        check(
            self.colours in ("style", "matched", "luminance"),
            "colours",
            "style, matched or luminance",
        )
        check(self.precision in ("fp32", "bf16"), "precision", "fp32 or bf16")
        for layers in (self.content_layers, self.style_layers):
            check_layers(layers)
        if self.style_weights is not None and not sum(self.style_weights) > 0:
            found = f"{list(self.style_weights)}, which sum to {sum(self.style_weights):g}"
            raise found_error("style weights", found, "weights of 0 and more, not all 0")
        if any(weight < 0 for weight in self.style_weights or ()):
            raise found_error("style weights", str(list(self.style_weights or ())), "0 or more")


class _Target(NamedTuple):
    """Gram matrices that are wanted, where (everywhere without guides), and how much."""

    weight: float
    guides: Mapping[str, Tensor] | None
    grams: Mapping[str, Tensor]


class Objective:
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
        given = options.style_weights or [1.0] * len(styles)
        shares = [weight / sum(given) for weight in given]
        with torch.no_grad():
            seen = self._look(content, options.content_layers)
            self.content = {name: features.detach() for name, features in seen.items()}
            grams = [
                {
                    name: gatys_gram(features)
                    for name, features in self._look(style, options.style_layers).items()
                }
                for style in styles
            ]
            if guides is None:
                # The Gram matrices of several styles are mixed.
                mixed = {
                    name: torch.stack(
                        [share * gram[name] for share, gram in zip(shares, grams, strict=True)]
                    ).sum(dim=0)
                    for name in options.style_layers
                }
                self.targets: list[_Target] = [_Target(1.0, None, mixed)]
            else:
                self.targets = [
                    _Target(len(styles) * share, self._guides(guide, content), gram)
                    for share, guide, gram in zip(shares, guides, grams, strict=True)
                ]

    def _look(self, image: Tensor, layers: Mapping[str, float] | list[str]) -> dict[str, Tensor]:
        image = image.to(self.dtype).contiguous(memory_format=torch.channels_last)
        seen = self.vgg(image, layers, checkpointing=self.checkpointing)
        return cast(dict[str, Tensor], seen)

    def _guides(self, guide: Tensor, content: Tensor) -> dict[str, Tensor]:
        """A mask at the sizes of the style layers."""
        seen = self._look(content, self.options.style_layers)
        return {
            name: F.adaptive_avg_pool2d(guide, (features.shape[2], features.shape[3]))
            for name, features in seen.items()
        }

    def losses(self, image: Tensor) -> dict[str, Tensor]:
        """content, style, tv and total of an image ``[1, 3, H, W]``, each a scalar."""
        options = self.options
        seen = self._look(image, self.layers)
        zero = image.new_zeros(())
        content = sum(
            (
                weight * gatys_content_loss(seen[name], self.content[name]).sum()
                for name, weight in options.content_layers.items()
            ),
            zero,
        )
        style = zero
        for target in self.targets:
            for name, weight in options.style_layers.items():
                guide = None if target.guides is None else target.guides[name]
                loss = gatys_style_loss(gatys_gram(seen[name], guide), target.grams[name]).sum()
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
