"""Training of one network per style: the objective and the trainer, whose loop is that of all."""

import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from adain.learning.losses import mean_squared_error, style_loss
from adain.learning.models.layers import adain, channel_statistics
from adain.learning.models.one_style import NAME, OneStyle
from adain.learning.training.feature_pool import VGGFeatures, vgg_features
from adain.learning.training.objective import TrainingObjective
from adain.learning.training.trainer import Trainer


class OneStyleObjective(TrainingObjective):
    """AdaIN eq. 11 at full strength for every sample, against the statistics of one painting.

    The painting is seen once and whole: crops of it would only have its statistics in the mean.
    Nothing has to give its content back, since lesser strengths are mixed from pixels.
    """

    def __init__(self, *arguments: Any, painting: Tensor, **options: Any) -> None:
        """``painting``: float32 ``[1, 3, H, W]``, RGB in [0, 1]."""
        super().__init__(*arguments, **options)
        self.estimates = False
        self.pools = self.pools[:1]
        self.painting = vgg_features(self.vgg, painting.to(self.device))

    def described(self, style: Tensor) -> VGGFeatures:
        count = len(style)
        return VGGFeatures(
            style,
            style,
            [layer.expand(count, -1, -1, -1) for layer in self.painting.statistics],
            [],
        )

    def stylize(
        self, network: nn.Module, content: VGGFeatures, style: VGGFeatures, alpha: Tensor
    ) -> tuple[Tensor, None]:
        with self._precision():
            image = network(content.image)
        return alpha * image + (1 - alpha) * content.image, None

    def losses(self, network: nn.Module, step: int) -> dict[str, Tensor]:
        count = self.options.batch_size
        slots = torch.randperm(len(self.pools[0]), generator=self._generator(step))[:count]
        content = self.pools[0].at(step).at(slots[self._own(count)].to(self.device))
        style = self.described(content.image)
        one = torch.ones(1, 1, 1, 1, device=self.device)
        image, _ = self.stylize(network, content, style, one)
        layers = self.relu_features(image.to(self.dtype))
        statistics = [channel_statistics(layer) for layer in layers]
        wanted = adain(content.features, content.statistics[-1], style.statistics[-1], one)
        target = self._mean(mean_squared_error(layers[-1], wanted), count)
        style_term = self._mean(style_loss(statistics, style.statistics), count)
        total = target + self.options.style_weight * style_term
        return {"target": target, "style": style_term, "total": total}


class OneStyleTrainer(Trainer):
    """A `Trainer` of a `OneStyle`; ``style_dir`` is the file of the painting."""

    name = NAME

    def __init__(self, *arguments: Any, network: OneStyle, painting: Tensor) -> None:
        """``network`` as it starts; ``painting`` as `OneStyleObjective` takes it."""
        self.first, self.painting = network, painting
        super().__init__(*arguments)

    def _start(self) -> nn.Module:
        return self.first

    def _styles(
        self, style_dir: str | os.PathLike[str], contents: int
    ) -> tuple[list[Path], list[Path], list[str]]:
        return [Path(style_dir)], [Path(style_dir)] * contents, []

    def _objective(self, *, compiled: bool) -> TrainingObjective:
        return OneStyleObjective(
            self.options,
            self.vgg,
            self.content,
            self.style,
            compiled=compiled,
            painting=self.painting,
        )
