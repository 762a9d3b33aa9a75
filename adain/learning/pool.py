"""Crops that VGG-19 has seen, kept for several batches: it would see them no differently again."""

from typing import NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor

from adain.learning.data import ImageStore
from adain.learning.layers import channel_statistics
from adain.learning.networks import VGG19Encoder
from adain.learning.processes import rank, ranks


class Seen(NamedTuple):
    """Crops and what VGG-19 sees in them; the slots of a pool, or a batch drawn from it.

    image: float32 ``[P, 3, crop, crop]``. features: relu4_1 ``[P, 512, crop/8, crop/8]`` in the
    dtype of VGG-19. statistics: those of relu1_1 to relu4_1, float32 ``[P, 2C, 1, 1]`` each.
    """

    image: Tensor
    features: Tensor
    statistics: list[Tensor]

    def at(self, slots: Tensor) -> "Seen":
        return Seen(
            self.image[slots].contiguous(memory_format=torch.channels_last),
            self.features[slots].contiguous(memory_format=torch.channels_last),
            [statistics[slots] for statistics in self.statistics],
        )

    def where(self, mask: Tensor, other: "Seen") -> "Seen":
        """These crops, but the others' where the mask ``[P]`` is set."""
        mask = mask.view(-1, 1, 1, 1)
        return Seen(
            torch.where(mask, other.image, self.image),
            torch.where(mask, other.features, self.features),
            [
                torch.where(mask, theirs, ours)
                for ours, theirs in zip(self.statistics, other.statistics, strict=True)
            ],
        )


@torch.no_grad()
def see(vgg: VGG19Encoder, image: Tensor) -> Seen:
    """What VGG-19 sees in images ``[N, 3, H, W]``."""
    layers = vgg.relu_features(image.to(next(vgg.parameters()).dtype))
    return Seen(image, layers[-1], [channel_statistics(layer) for layer in layers])


class Pool:
    """The crops of one store: each step brings ``fresh`` new ones in place of the oldest.

    A batch of B pairs drawn from a content and a style pool then meets each crop B / fresh times,
    every time with another partner, for the price of seeing it once. What a pool holds follows
    from the seed and the step alone. With several processes each crops and sees its share.
    """

    def __init__(
        self, store: ImageStore, vgg: VGG19Encoder, *, size: int, fresh: int, crop: int, seed: int
    ) -> None:
        self.store, self.vgg, self.crop, self.seed = store, vgg, crop, seed
        self.fresh, self.turns = fresh, size // fresh
        self.step: int | None = None
        self.slots: Seen | None = None

    def __len__(self) -> int:
        return self.fresh * self.turns

    def at(self, step: int) -> Seen:
        """The crops as they are in this step."""
        if self.slots is None or self.step not in (step, step - 1):
            drawn = [self._draw(step - age) for age in range(self.turns)]
            # Slots are told by the step's remainder, whatever step the pool began with.
            drawn = [drawn[(step - turn) % self.turns] for turn in range(self.turns)]
            self.slots = Seen(
                torch.cat([seen.image for seen in drawn]),
                torch.cat([seen.features for seen in drawn]),
                [torch.cat(layer) for layer in zip(*(s.statistics for s in drawn), strict=True)],
            )
        elif self.step == step - 1:
            new, start = self._draw(step), self.fresh * (step % self.turns)
            self.slots.image[start : start + self.fresh] = new.image
            self.slots.features[start : start + self.fresh] = new.features
            for all_slots, statistics in zip(self.slots.statistics, new.statistics, strict=True):
                all_slots[start : start + self.fresh] = statistics
        self.step = step
        return self.slots

    def _draw(self, step: int) -> Seen:
        generator = torch.Generator().manual_seed(self.seed + 2 * step)
        count = ranks()
        if count == 1 or self.fresh % count:
            return see(self.vgg, self._crops(generator, slice(None)))
        share = self.fresh // count
        first = share * rank()
        own = see(self.vgg, self._crops(generator, slice(first, first + share)))
        return Seen(_gather(own.image), _gather(own.features), [_gather(s) for s in own.statistics])

    def _crops(self, generator: torch.Generator, share: slice) -> Tensor:
        crops = self.store.random_crops(self.fresh, self.crop, generator, share)
        return crops.contiguous(memory_format=torch.channels_last)


def _gather(tensor: Tensor) -> Tensor:
    """The tensors of all ranks, one after the other."""
    tensor = tensor.contiguous()
    parts = [torch.empty_like(tensor) for _ in range(ranks())]
    dist.all_gather(parts, tensor)
    return torch.cat(parts)
