"""The objective of style transfer by optimisation (Gatys, Ecker and Bethge, CVPR 2016).

    content_weight * sum over content layers of  w_l / 2 * sum (F_l(x) - F_l(content))^2
    + style_weight * sum over style layers of    w_l / (4 N_l^2 M_l^2) * sum (G_l(x) - A_l)^2
    + tv_weight * sum of squared differences of neighbouring pixels,

for a picture x, where F_l are the features of VGG-19 at layer l (N_l channels, M_l places),
G_l = F_l F_l^T their Gram matrix and A_l that of the style: equations 1 to 7 of the paper.

**Tiles.** A Gram matrix is a sum over places, so where memory is too small for the features of the
whole, a first pass over tiles, without gradients, sums it. With it the derivatives dL/dG_l of the
style loss are known, and a second pass adds up the gradients of

    content_weight * content loss + tv_weight * tv + sum over style layers of <dL/dG_l, G_l>

of each tile. By the chain rule that is the gradient of the whole, and no approximation of it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from adain.learning.gatys.options import GatysOptions
from adain.learning.losses import (
    gatys_content_loss,
    gatys_style_loss,
    gram_of,
    gram_sum,
    squared_differences,
    total_variation,
)
from adain.learning.memory import give_back_freed_memory
from adain.learning.models.vgg import VGG19Layers
from adain.learning.models.vgg_layers import stride
from adain.maps import shares
from adain.resampling import Box
from adain.tiling import grid

# The side of the pictures that the balance of content and style is given for: the content term is
# a sum over places and grows with the picture, the style term is not and does not.
BALANCED_SIDE = 512
# How far relu5_1 sees beyond a cut, in whole strides of 16 pixels: the 2 convolutions of the first
# stage spoil 2 places there, which are 1 of the second and become 1 + 2, then 2 + 4, 3 + 4, 4 + 1.
MARGIN = 5 * 16
# A pass without gradients holds less than half as much a pixel: larger tiles have less margin.
WIDER = 1.5

Features: TypeAlias = Mapping[str, Tensor]
# What `gram_sum` gives, for each target or style and in it for each style layer.
_Sums: TypeAlias = list[tuple[Tensor, Tensor]]


class EvaluationInterruptedError(Exception):
    """The evaluation was broken off, as `GatysObjective`'s ``interrupted`` told it to."""


class _Target(NamedTuple):
    """Gram matrices that are wanted, where (everywhere without guides), and how much."""

    weight: float
    guides: Features | None
    grams: Sequence[Tensor]


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
        tile: int | None = None,
        interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        """``content`` ``[1, 3, H, W]`` and ``styles`` ``[1, 3, h, w]``, RGB in [0, 1]; ``guides``
        ``[1, 1, H, W]`` in [0, 1], one for each style, say where it goes. ``tile`` is the side, in
        pixels and with margins, of the tiles whose features are held at a time; None holds all.
        Before each tile ``interrupted`` is asked, and ends it by EvaluationInterruptedError."""
        self.vgg, self.options = vgg, options
        self.dtype = next(vgg.parameters()).dtype
        self.layers = [*options.content_layers, *options.style_layers]
        self.checkpointing, self.tile = checkpointing, tile
        self._interrupted = interrupted
        height, width = content.shape[2:]
        self.style_weight = options.style_weight * height * width / BALANCED_SIDE**2
        mixture = shares(options.style_shares, len(styles))
        self._content, self._kept = content, None
        if tile is None:
            # By tiles they are computed each time: of a large picture they are as much as three.
            self._kept = self._wanted(*next(self._boxes(content, None)))
        with torch.no_grad():
            grams = [
                [gram_of(*sums) for sums in self._gram_sums(style, [None])] for style in styles
            ]
        if guides is None:
            # The Gram matrices of several styles are mixed.
            mixed = [
                torch.stack([share * gram for share, gram in zip(mixture, layer, strict=True)]).sum(
                    dim=0
                )
                for layer in zip(*grams, strict=True)
            ]
            self.targets = [_Target(1.0, None, mixed)]
        else:
            self.targets = [
                _Target(len(styles) * share, self._guides(guide), gram)
                for share, guide, gram in zip(mixture, guides, grams, strict=True)
            ]
        self._all_guides = [target.guides for target in self.targets]

    def losses(self, image: Tensor) -> dict[str, Tensor]:
        """content, style, tv and total of an image ``[1, 3, H, W]``, each a scalar."""
        content, sums = image.new_zeros(()), None
        for box, outer in self._boxes(image, self.tile):
            found = self._features(_cut(image, outer), box, outer, self.layers)
            content = content + self._content_loss(found, box, outer)
            sums = _added(sums, self._gram_sums_of(found, box, self._all_guides))
        style = self._style_loss(sums or [])
        tv = total_variation(image).sum() if self.options.tv_weight else image.new_zeros(())
        return {
            "content": content,
            "style": style,
            "tv": tv,
            "total": self._total(content, self.style_weight * style, tv),
        }

    def evaluate(self, image: Tensor) -> tuple[float, Tensor]:
        """The total and its gradient; `latest` then holds all losses."""
        image = image.detach()
        if self.tile is None:
            image = image.requires_grad_()
            losses = self.losses(image)
            (gradient,) = torch.autograd.grad(losses["total"], image)
            self.latest = {name: loss.item() for name, loss in losses.items()}
        else:
            gradient = self._tiled(image)
        return self.latest["total"], gradient

    def _tiled(self, image: Tensor) -> Tensor:
        """The gradient, by the two passes over tiles that this module's docstring tells of."""
        with torch.no_grad():
            sums = self._gram_sums(image, self._all_guides)
        products = [product.requires_grad_() for product, _ in sums]
        style = self._style_loss(sums)
        slopes = torch.autograd.grad(self.style_weight * style, products)
        content, tv, gradient = 0.0, 0.0, torch.zeros_like(image)
        for box, outer in self._boxes(image, self.tile):
            losses = self._add_tile(image, box, outer, slopes, gradient)
            content, tv = content + losses[0], tv + losses[1]
        found_style = style.item()
        self.latest = {
            "content": content,
            "style": found_style,
            "tv": tv,
            "total": self._total(content, self.style_weight * found_style, tv),
        }
        return gradient

    def _add_tile(
        self, image: Tensor, box: Box, outer: Box, slopes: Sequence[Tensor], gradient: Tensor
    ) -> tuple[float, float]:
        """Add what a tile has to the gradient; its content and tv."""
        # In a function of its own, so that no features are left while the next tile's are made.
        part = _cut(image, outer).clone().requires_grad_()
        found = self._features(part, box, outer, self.layers)
        content, tv = self._content_loss(found, box, outer), self._variation(part, box, outer)
        grams = self._gram_sums_of(found, box, self._all_guides)
        by_grams = sum((s * g).sum() for s, (g, _) in zip(slopes, grams, strict=True))
        total = self._total(content, by_grams, tv)
        _cut(gradient, outer).add_(torch.autograd.grad(total, part)[0])
        return content.item(), tv.item()

    def _boxes(self, image: Tensor, side: int | None) -> Iterator[tuple[Box, Box]]:
        """Boxes of an image, each with what is looked at for it: a margin where it goes on."""
        height, width = image.shape[2:]
        if side is None:
            whole = Box(0, 0, height, width)
            yield whole, whole
            return
        for boxes in grid(width, height, side, MARGIN):
            if self._interrupted():
                raise EvaluationInterruptedError
            yield boxes
            # Tiles at the border are of other sizes, and what one leaves does not fit the next.
            give_back_freed_memory()

    def _features(
        self, part: Tensor, box: Box, outer: Box, layers: Iterable[str]
    ) -> dict[str, Tensor]:
        """The features of a box, of the part of an image that is ``outer``."""
        part = part.to(self.dtype).contiguous(memory_format=torch.channels_last)
        found = self.vgg(part, layers, checkpointing=self.checkpointing)
        return {name: _at(box.within(outer), name, seen) for name, seen in found.items()}

    @torch.no_grad()
    def _wanted(self, box: Box, outer: Box) -> dict[str, Tensor]:
        """The features of the content."""
        if self._kept is not None:
            return self._kept
        part = _cut(self._content, outer)
        return self._features(part, box, outer, self.options.content_layers)

    def _gram_sums(self, image: Tensor, all_guides: Sequence[Features | None]) -> _Sums:
        """`gram_sum` of an image under each of the guides, layer by layer."""
        sums, layers = None, self.options.style_layers
        side = None if self.tile is None else round(WIDER * self.tile)
        for box, outer in self._boxes(image, side):
            part = _cut(image, outer)
            more = self._gram_sums_of(self._features(part, box, outer, layers), box, all_guides)
            sums = _added(sums, more)
        return sums or []

    def _gram_sums_of(
        self, found: Features, box: Box, all_guides: Sequence[Features | None]
    ) -> _Sums:
        """The same of the features of a box."""
        return [
            gram_sum(found[name], None if guides is None else _at(box, name, guides[name]))
            for guides in all_guides
            for name in self.options.style_layers
        ]

    def _content_loss(self, found: Features, box: Box, outer: Box) -> Tensor:
        wanted = self._wanted(box, outer)
        losses = [
            weight * gatys_content_loss(found[name], wanted[name]).sum()
            for name, weight in self.options.content_layers.items()
        ]
        return torch.stack(losses).sum() if losses else torch.zeros(())

    def _style_loss(self, sums: _Sums) -> Tensor:
        weights, grams = self.options.style_layers.values(), iter(sums)
        losses = [
            target.weight * weight * gatys_style_loss(gram_of(*next(grams)), wanted).sum()
            for target in self.targets
            for weight, wanted in zip(weights, target.grams, strict=True)
        ]
        return torch.stack(losses).sum() if losses else torch.zeros(())

    def _variation(self, part: Tensor, box: Box, outer: Box) -> Tensor:
        """The differences of the pixels of a box from those after them."""
        top, left, bottom, right = box.within(outer)
        if not self.options.tv_weight:
            return part.new_zeros(())
        down = squared_differences(part[:, :, top : bottom + 1, left:right], 2)
        along = squared_differences(part[:, :, top:bottom, left : right + 1], 3)
        return (down + along).sum()

    def _total(self, content: Any, style: Any, tv: Any) -> Any:
        """The sum by weight of losses, of which the style's has its own already."""
        return self.options.content_weight * content + style + self.options.tv_weight * tv

    def _guides(self, guide: Tensor) -> dict[str, Tensor]:
        """A mask at the sizes of the style layers."""
        height, width = guide.shape[2:]
        return {
            name: F.adaptive_avg_pool2d(guide, (height // stride(name), width // stride(name)))
            for name in self.options.style_layers
        }


def _cut(image: Tensor, box: Box) -> Tensor:
    """The part of an image, in its memory."""
    return image[:, :, *box.slices]


def _added(sums: _Sums | None, more: _Sums) -> _Sums:
    if sums is None:
        return more
    return [(a + c, b + d) for (a, b), (c, d) in zip(sums, more, strict=True)]


def _at(box: Box, layer: str, features: Tensor) -> Tensor:
    """The places of a layer's features that are over a box.

    Its corners are multiples of the stride, or the image's own.
    """
    step = stride(layer)
    rows, columns = (
        slice(start // step, end // step)
        for start, end in ((box.top, box.bottom), (box.left, box.right))
    )
    return features[:, :, rows, columns]
