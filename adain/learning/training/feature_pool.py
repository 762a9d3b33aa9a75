"""Feature cache: crops with their VGG-19 features, kept for several batches."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor

from adain.learning.models.layers import channel_statistics
from adain.learning.models.networks import VGG19Encoder
from adain.learning.training.data import ImageStore
from adain.learning.training.processes import rank, ranks


class VGGFeatures(NamedTuple):
    """Crops and their VGG-19 features; the slots of a pool, or a batch drawn from it.

    image: float32 ``[P, 3, crop, crop]``. features: relu4_1 ``[P, 512, crop/8, crop/8]`` in the
    dtype of VGG-19. statistics: those of relu1_1 to relu4_1, float32 ``[P, 2C, 1, 1]`` each.
    skips: the features of further layers that a decoder is given.
    """

    image: Tensor
    features: Tensor
    statistics: list[Tensor]
    skips: list[Tensor]

    @property
    def style(self) -> Tensor:
        """The statistics as a style, ``[P, 1920, 1, 1]``: from relu4_1 to relu1_1."""
        return torch.cat(self.statistics[::-1], dim=1)

    def each(self, change: Callable[[Tensor], Tensor]) -> "VGGFeatures":
        """These crops with a change made to every tensor."""
        return VGGFeatures(
            change(self.image),
            change(self.features),
            [change(layer) for layer in self.statistics],
            [change(layer) for layer in self.skips],
        )

    def with_each(self, others: "VGGFeatures", change: Callable[..., Tensor]) -> "VGGFeatures":
        """A tensor made of every tensor of these crops and of others."""
        return VGGFeatures(
            change(self.image, others.image),
            change(self.features, others.features),
            [change(*pair) for pair in zip(self.statistics, others.statistics, strict=True)],
            [change(*pair) for pair in zip(self.skips, others.skips, strict=True)],
        )

    def at(self, slots: Tensor) -> "VGGFeatures":
        return self.each(lambda all: all[slots].contiguous(memory_format=torch.channels_last))

    def where(self, mask: Tensor, other: "VGGFeatures") -> "VGGFeatures":
        """These crops, but the others' where the mask ``[P]`` is set."""
        mask = mask.view(-1, 1, 1, 1)
        return self.with_each(other, lambda ours, theirs: torch.where(mask, theirs, ours))


@torch.no_grad()
def vgg_features(vgg: VGG19Encoder, image: Tensor, skips: Sequence[str] = ()) -> VGGFeatures:
    """The VGG-19 features of images ``[N, 3, H, W]``, with the named layers as ``skips``."""
    features = vgg.relu_features(image.to(next(vgg.parameters()).dtype))
    layers = dict(zip(vgg.STAGES, features, strict=True))
    statistics = [channel_statistics(layer) for layer in features]
    return VGGFeatures(image, features[-1], statistics, [layers[name] for name in skips])


class FeaturePool:
    """A feature cache of one store: each step brings ``fresh`` new crops in place of the oldest.

    A batch of B pairs drawn from a content and a style pool then meets each crop B / fresh times,
    every time with another partner, for one pass of VGG-19. What a pool holds follows
    from the seed and the step alone. With several processes each makes its share.
    """

    def __init__(
        self,
        store: ImageStore,
        vgg: VGG19Encoder,
        *,
        size: int,
        fresh: int,
        crop: int,
        seed: int,
        skips: Sequence[str] = (),
    ) -> None:
        self.skips = skips
        self.store, self.vgg, self.crop, self.seed = store, vgg, crop, seed
        self.fresh, self.turns = fresh, size // fresh
        self.step: int | None = None
        self.slots: VGGFeatures | None = None

    def __len__(self) -> int:
        return self.fresh * self.turns

    def at(self, step: int) -> VGGFeatures:
        """The crops as they are in this step."""
        if self.slots is None or self.step not in (step, step - 1):
            drawn = [self._draw(step - age) for age in range(self.turns)]
            # Slots are told by the step's remainder, whatever step the pool began with.
            drawn = [drawn[(step - turn) % self.turns] for turn in range(self.turns)]
            first, *others = drawn
            self.slots = first
            for other in others:
                self.slots = self.slots.with_each(other, lambda *both: torch.cat(both))
        elif self.step == step - 1:
            start = self.fresh * (step % self.turns)
            self.slots.with_each(
                self._draw(step), lambda all, new: all[start : start + self.fresh].copy_(new)
            )
        self.step = step
        return self.slots

    def _draw(self, step: int) -> VGGFeatures:
        generator = torch.Generator().manual_seed(self.seed + 2 * step)
        count = ranks()
        if count == 1 or self.fresh % count:
            return vgg_features(self.vgg, self._crops(generator, slice(None)), self.skips)
        share = self.fresh // count
        first = share * rank()
        own = vgg_features(
            self.vgg, self._crops(generator, slice(first, first + share)), self.skips
        )
        return own.each(_gather)

    def _crops(self, generator: torch.Generator, share: slice) -> Tensor:
        crops = self.store.random_crops(self.fresh, self.crop, generator, share)
        return crops.contiguous(memory_format=torch.channels_last)


def _gather(tensor: Tensor) -> Tensor:
    """The tensors of all ranks, one after the other."""
    tensor = tensor.contiguous()
    parts = [torch.empty_like(tensor) for _ in range(ranks())]
    dist.all_gather(parts, tensor)
    return torch.cat(parts)
