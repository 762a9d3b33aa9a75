"""Validation: a network's losses on pairs of pictures that no training has seen."""

from typing import cast

import torch
from torch import Tensor, nn
from torchvision.utils import make_grid

from adain.learning.losses import estimate_loss, mean_squared_error, pixel_loss, style_loss
from adain.learning.models.layers import adain
from adain.learning.training.consistency import Share
from adain.learning.training.data import ImageStore
from adain.learning.training.feature_pool import vgg_features
from adain.learning.training.objective import TrainingObjective
from adain.learning.training.options import TrainOptions

# The side of the pictures that runs are compared by, whatever the crops they train on.
HELD_OUT_SIZE = 256


class HeldOut:
    """Pairs of held-out contents and styles, centred squares of 256 px, on a device."""

    def __init__(self, content: ImageStore, style: ImageStore, device: torch.device) -> None:
        stores = (content, style)
        pairs = min(map(len, stores))
        self.content, self.style = (
            torch.stack([store.centre_crop(i, HELD_OUT_SIZE) for i in range(pairs)])
            .to(device)
            .contiguous(memory_format=torch.channels_last)
            for store in stores
        )

    @torch.no_grad()
    def evaluate(
        self, network: nn.Module, objective: TrainingObjective
    ) -> tuple[dict[str, float], Tensor]:
        """Mean losses of a network on the pairs, and their pictures.

        ``network`` is what is trained of a model, in evaluation mode. The losses are ``target``,
        ``style``, ``pixel`` (at strength 0), ``total`` (weighted as in training), and where there
        are such, ``shift``, ``steady`` and ``estimate``. The pictures are float32
        ``[N, 5, 3, 256, 256]`` in [0, 1] on the CPU: of each pair content, style, and the pictures
        at strengths 1, 0.5 and 0.
        """
        sums: dict[str, float] = {}
        pictures = []
        for content, style in zip(self.content.split(4), self.style.split(4), strict=True):
            one = torch.ones(len(content), 1, 1, 1, device=content.device)
            features = vgg_features(objective.vgg, content, objective.skips)
            style_features = objective.described(style)
            generator = torch.Generator().manual_seed(0)
            changes, image, estimate = objective.consistency_losses(
                network, features, style_features, one, generator, Share(len(content), slice(None))
            )
            half, same = (
                objective.stylize(network, features, style_features, strength * one)[0]
                for strength in (0.5, 0.0)
            )
            image, half, same = (pixels.float().clamp(0, 1) for pixels in (image, half, same))
            output = vgg_features(objective.vgg, image)
            target = adain(
                features.features, features.statistics[-1], style_features.statistics[-1], one
            )
            losses = {
                "target": mean_squared_error(output.features, target),
                "style": style_loss(output.statistics, style_features.statistics),
                "pixel": pixel_loss(same, content),
                **changes,
            }
            if estimate is not None:
                exact = style_features.style
                losses["estimate"] = estimate_loss(estimate, exact, objective.deviation())
            for name, loss in losses.items():
                sums[name] = sums.get(name, 0.0) + loss.sum().item() / len(self.content)
            pictures.append(torch.stack([content, style, image, half, same], dim=1))
        sums["total"] = total(sums, objective.options)
        return sums, torch.cat(pictures).float().cpu()


def sheet(pictures: Tensor) -> Tensor:
    """One picture, float32 ``[3, H, W]``, of eight pairs' ``[N, 5, 3, h, w]``: a row for a kind."""
    grid = pictures[:8].transpose(0, 1)
    return cast(Tensor, make_grid(grid.flatten(0, 1), nrow=grid.shape[1], padding=4))


def total(losses: dict[str, float], options: TrainOptions) -> float:
    """The weighted sum of held-out losses, by which weights are chosen."""
    return (
        losses["target"]
        + options.style_weight * losses["style"]
        + options.reconstruction_weight * losses["pixel"]
        + options.shift_weight * losses.get("shift", 0.0)
        + options.steady_weight * losses.get("steady", 0.0)
    )
