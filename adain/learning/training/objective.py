"""The training objective: the losses of the batch that belongs to a step.

First a warm-up of plain reconstruction, then AdaIN eq. 11: the target loss plus the weighted style
loss, end to end. In every eight samples of the second part two must give the content back, pixel
by pixel, one at strength 0 and one with the content as its own style, and two have a random
strength: their statistics must lie between the content's and the style's, so that the whole slider
is learned.
"""

from typing import cast

import torch
from torch import Generator, Tensor, nn

from adain.learning.losses import (
    distillation_loss,
    estimate_loss,
    mean_squared_error,
    pixel_loss,
    style_loss,
)
from adain.learning.models.fast import StatisticsEstimator
from adain.learning.models.layers import adain, channel_statistics
from adain.learning.models.networks import ResidualDecoder, VGG19Encoder
from adain.learning.training import consistency
from adain.learning.training.data import ImageStore, sent
from adain.learning.training.feature_pool import FeaturePool, VGGFeatures, vgg_features
from adain.learning.training.options import TrainOptions
from adain.learning.training.processes import rank, ranks
from adain.learning.training.schedule import phase_of
from adain.registry import BUILT_IN

# Each has a weight among the options.
CHANGES = {"shift": consistency.shift, "steady": consistency.steady}
# Of the error in the style loss's own units, beside that of logarithms.
ABSOLUTE_SHARE = 0.1
# Over so many paintings the deviation of a style's statistics is taken.
DEVIATION_CROPS = 64


class TrainingObjective:
    """The losses of every step, which follow from the options and the step alone.

    In a process group (torch.distributed) each process computes its share of the batch, and the
    mean of their gradients is that of the whole.
    """

    def __init__(
        self,
        options: TrainOptions,
        vgg: VGG19Encoder,
        content: ImageStore,
        style: ImageStore,
        *,
        compiled: bool = False,
    ) -> None:
        self.options = options
        self.vgg = vgg
        self.dtype = next(vgg.parameters()).dtype
        self.device = next(vgg.parameters()).device
        self.relu_features = torch.compile(vgg.relu_features) if compiled else vgg.relu_features
        self.rank, self.ranks = rank(), ranks()
        self._deviation: Tensor | None = None
        # Whether a style network is trained, to estimate the statistics of styles.
        self.estimates = BUILT_IN[options.model].has_style_network
        self.stores = content, style
        # What the decoder is given of the content beside relu4_1.
        self.skips = ResidualDecoder.SKIPS if BUILT_IN[options.model].has_vgg19 else ()
        self.pools = [
            FeaturePool(
                store,
                vgg,
                size=4 * options.batch_size,
                fresh=max(1, options.batch_size // options.reuse),
                crop=options.crop,
                seed=1_000_003 * (2 * options.seed + number),
                skips=self.skips,
            )
            for number, store in enumerate(self.stores)
        ]

    def described(self, style: Tensor) -> VGGFeatures:
        """Style images ``[N, 3, H, W]`` with what their statistics are taken to be."""
        return vgg_features(self.vgg, style)

    def stylize(
        self, network: nn.Module, content: VGGFeatures, style: VGGFeatures, alpha: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """The stylised images, and the styles as ``fast`` estimates them.

        ``network`` is what is trained, its average or a wrapper of it. While it is trained, it is
        given the exact statistics of half of the styles, if they are known.
        """
        with self._precision():
            if self.estimates:
                exact = style.style if style.statistics and network.training else None
                found = network(content.image, style.image, alpha, exact)
                return cast(tuple[Tensor, Tensor], found)
            statistics = content.style, style.style
            image = network(content.features, *statistics, alpha, *content.skips)
            return cast(Tensor, image), None

    def _precision(self) -> torch.autocast:
        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32)

    def _own(self, count: int) -> slice:
        """The part of the whole batch that this process computes."""
        share = count // self.ranks
        return slice(self.rank * share, (self.rank + 1) * share)

    def _mean(self, losses: Tensor, count: int) -> Tensor:
        """The mean over the whole batch's ``count`` samples of a kind, of which some are here.

        DistributedDataParallel averages gradients over the processes, hence their number.
        """
        return losses.sum() * self.ranks / max(1, count)

    def _reconstruction_losses(self, network: nn.Module, step: int) -> dict[str, Tensor]:
        """Pixel losses of pictures that must come back as they are; no VGG-19 in the gradient."""
        # Smaller crops teach as much here, and twice as many of them still cost only half.
        crop, count = max(64, self.options.crop // 2), 2 * self.options.batch_size
        own = self._own(count)
        generator = self._generator(step)
        content, style = (store.random_crops(count, crop, generator, own) for store in self.stores)
        # Paintings must be reconstructed as well as photos.
        flags = sent((torch.rand(2, count, generator=generator) < 0.5)[:, own], self.device)
        photo, identity = flags.view(2, -1, 1, 1, 1)
        content, style = torch.where(photo, content, style), torch.where(photo, style, content)
        content = content.contiguous(memory_format=torch.channels_last)
        if self.estimates:
            # Each half of the samples is reconstructed in one of both ways that must do so.
            features, other = (
                VGGFeatures(content, content, [], []),
                torch.where(identity, content, style),
            )
            styles = VGGFeatures(other, other, [], [])
            image, _ = self.stylize(network, features, styles, identity[:, :1].float())
        else:
            features = vgg_features(self.vgg, content, self.skips)
            none = torch.zeros(1, 1, 1, 1, device=self.device)
            image, _ = self.stylize(network, features, features, none)
        pixel = self._mean(pixel_loss(image, content), count)
        return {"pixel": pixel, "total": self.options.reconstruction_weight * pixel}

    def losses(self, network: nn.Module, step: int) -> dict[str, Tensor]:
        """The losses of the training batch that belongs to this step, ``total`` among them."""
        options = self.options
        phase = phase_of(options, step)
        if phase == "estimate":
            return self._estimate_losses(network, step)
        if phase == "reconstruction":
            return self._reconstruction_losses(network, step)
        count = options.batch_size
        generator = self._generator(step)
        content_slots, style_slots = (
            torch.randperm(len(pool), generator=generator)[:count] for pool in self.pools
        )
        strength = torch.rand(count, generator=generator)
        kind = (count * step + torch.arange(count)) % 8
        off, identity, random = kind == 0, kind == 1, kind >= 6
        stylised = ~off & ~identity
        strengths = torch.where(off, 0.0, torch.where(random, strength, 1.0))
        own = self._own(count)
        content = self.pools[0].at(step).at(sent(content_slots[own], self.device))
        style = self.pools[1].at(step).at(sent(style_slots[own], self.device))
        # Photos and paintings are their own style in turn.
        photo = torch.tensor(step % 2 == 0)
        content, style = (
            content.where(sent((identity & ~photo)[own], self.device), style),
            style.where(sent((identity & photo)[own], self.device), content),
        )
        alpha = sent(strengths[own].view(-1, 1, 1, 1), self.device)
        changes, image, estimate = self.consistency_losses(
            network, content, style, alpha, generator, consistency.Share(count, own)
        )
        # What must come back unchanged is compared as pixels, which is cheap; only the rest goes
        # through VGG-19.
        unchanged = sent((~stylised[own]).nonzero()[:, 0], self.device)
        changed = sent(stylised[own].nonzero()[:, 0], self.device)
        pixel = self._mean(
            pixel_loss(image[unchanged], content.image[unchanged]), int((~stylised).sum())
        )
        target, style_term = 0 * pixel, 0 * pixel
        if len(changed):
            layers = self.relu_features(image[changed].to(self.dtype))
            statistics = [channel_statistics(layer) for layer in layers]
            wanted = adain(
                content.features[changed],
                content.statistics[-1][changed],
                style.statistics[-1][changed],
                alpha[changed],
            )
            target = self._mean(mean_squared_error(layers[-1], wanted), int(stylised.sum()))
            between = [
                torch.lerp(mine[changed], theirs[changed], alpha[changed])
                for mine, theirs in zip(content.statistics, style.statistics, strict=True)
            ]
            style_term = self._mean(style_loss(statistics, between), int(stylised.sum()))
        total = target + options.style_weight * style_term + options.reconstruction_weight * pixel
        losses = {"pixel": pixel, "target": target, "style": style_term}
        for name, loss in changes.items():
            # What gives its content back gives its noise back.
            kept = 1 if name == "shift" else sent((strengths * stylised)[own], self.device)
            losses[name] = self._mean(loss * kept, count)
            total = total + getattr(options, f"{name}_weight") * losses[name]
        if estimate is not None:
            error = estimate_loss(estimate, style.style, self.deviation())
            losses["estimate"] = self._mean(error, count)
            total = total + options.estimate_weight * losses["estimate"]
        return losses | {"total": total}

    def estimate_crop(self, step: int) -> int:
        """The side of the crops that the style network alone is trained on in a step."""
        return self._estimate_crop(self._generator(step))

    def _estimate_crop(self, generator: Generator) -> int:
        scale = float(2 ** torch.rand(1, generator=generator, dtype=torch.float64))
        return 16 * round(scale * self.options.crop / 16)

    def _generator(self, step: int) -> Generator:
        # Everything random follows from the step alone, so a resumed run draws the same batches.
        return torch.Generator().manual_seed(self.options.seed * 1_000_003 + step)

    def _estimate_losses(self, network: nn.Module, step: int) -> dict[str, Tensor]:
        """The errors of the style network alone: distillation, no decoder, no gradient of VGG-19.

        Of features, statistics' logarithms and statistics; crops are of 1 to 2 times the size.
        """
        generator = self._generator(step)
        crop = self._estimate_crop(generator)
        count = self.options.batch_size
        own = self._own(count)
        photo = sent(torch.rand(count, generator=generator) < 0.25, self.device)
        photos, paintings = (store.random_crops(count, crop, generator) for store in self.stores)
        images = torch.where(photo.view(-1, 1, 1, 1), photos, paintings)[own]
        images = images.contiguous(memory_format=torch.channels_last)
        exact = vgg_features(self.vgg, images, tuple(self.vgg.STAGES))
        with self._precision():
            features, estimate = network(None, images, torch.ones(1, 1, 1, 1, device=self.device))
        by_layer = StatisticsEstimator.by_layer(estimate)
        errors = {
            "estimate": estimate_loss(estimate, exact.style, self.deviation()),
            "feature": distillation_loss(features, StatisticsEstimator.places(exact.skips)),
            "absolute": style_loss(by_layer, exact.statistics),
        }
        errors = {name: self._mean(error, count) for name, error in errors.items()}
        total = errors["estimate"] + errors["feature"] + ABSOLUTE_SHARE * errors["absolute"]
        return errors | {"total": self.options.estimate_weight * total}

    @torch.no_grad()
    def deviation(self) -> Tensor:
        """Standard deviations ``[1, 1920, 1, 1]`` of the logarithms of styles' statistics.

        Of crops that are the same for every run on the same paintings.
        """
        if self._deviation is None:
            generator = torch.Generator().manual_seed(0)
            crops = self.stores[1].random_crops(DEVIATION_CROPS, self.options.crop, generator)
            parts = [vgg_features(self.vgg, part).style.log1p() for part in crops.split(8)]
            self._deviation = torch.cat(parts).std(dim=0, keepdim=True) + 1e-3
        return self._deviation

    def consistency_losses(
        self,
        network: nn.Module,
        content: VGGFeatures,
        style: VGGFeatures,
        alpha: Tensor,
        generator: Generator,
        share: consistency.Share,
    ) -> tuple[dict[str, Tensor], Tensor, Tensor | None]:
        """The losses ``[N]`` of `consistency` that have a weight, by name.

        With them come the pictures and the estimates of their styles, as from `stylize`.
        """
        changes = {
            name: change(content.image, generator, share)
            for name, change in CHANGES.items()
            if getattr(self.options, f"{name}_weight")
        }
        if not changes:
            return {}, *self.stylize(network, content, style, alpha)
        count = 1 + len(changes)
        # In one batch, since a network among several processes is called once in a step.
        contents = torch.cat([content.image, *(change.content for change in changes.values())])
        contents = contents.contiguous(memory_format=torch.channels_last)
        pictures, estimate = self.stylize(
            network,
            VGGFeatures(contents, contents, [], []),
            style,
            torch.cat(count * [alpha]),
        )
        image, *changed = pictures.chunk(count)
        losses = {
            name: change.loss(image, picture)
            for (name, change), picture in zip(changes.items(), changed, strict=True)
        }
        return losses, image, estimate
