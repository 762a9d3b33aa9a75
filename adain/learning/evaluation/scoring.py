"""Evaluation of a model on pairs of images: the losses and metrics of its pictures.

What is measured is in `adain.learning.losses` and `adain.learning.evaluation.metrics`; a figure
that is to stand in the table of `adain evaluate` also becomes a field of `Scores`.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import astuple, dataclass, replace
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any, Protocol

import torch
from torch import Tensor
from tqdm import tqdm

from adain.images import load_image
from adain.learning.evaluation.metrics import psnr, ssim
from adain.learning.evaluation.pairs import Pair
from adain.learning.losses import gram_loss, gram_matrix, mean_squared_error, style_loss
from adain.learning.models.layers import adain, channel_statistics
from adain.learning.models.networks import VGG19Encoder
from adain.learning.tensors import to_tensor

SIZE = 512


@dataclass(frozen=True)
class Scores:
    """The figures of one pair, or their means over several; the table's columns in order."""

    content_loss: float
    target_loss: float
    style_loss: float
    gram_loss: float
    ssim: float
    psnr_own_style: float  # dB; the content as its own style, alpha 1
    psnr_strength_0: float  # dB; alpha 0


@dataclass(frozen=True)
class Evaluation:
    """The scores of each pair; both PSNR belong to the pair's content alone."""

    pairs: list[Pair]
    scores: list[Scores]

    def mean(self) -> Scores:
        """Means over the pairs; of the PSNR, over the contents."""
        means = Scores(*(fmean(values) for values in zip(*map(astuple, self.scores), strict=True)))
        of_content = {pair.content: s for pair, s in zip(self.pairs, self.scores, strict=True)}
        return replace(
            means,
            psnr_own_style=fmean(s.psnr_own_style for s in of_content.values()),
            psnr_strength_0=fmean(s.psnr_strength_0 for s in of_content.values()),
        )


class EvaluatedModel(Protocol):
    """What is evaluated; see `adain.learning.models.networks` for the shapes."""

    @property
    def encoder(self) -> Callable[[Tensor], tuple[Tensor, ...]]: ...
    @property
    def style(self) -> Callable[[Tensor], Tensor]: ...
    @property
    def decoder(self) -> Callable[..., Tensor]: ...


class Stylization:
    """A model at work on images, each of which it encodes once.

    ``image`` gives an image, float32 ``[1, 3, H, W]`` with sides that the model takes, by its key.
    """

    def __init__(self, model: EvaluatedModel, image: Callable[[Any], Tensor]) -> None:
        self._decode = model.decoder
        self._encode = cache(lambda key: model.encoder(image(key)))
        self._encode_style = cache(lambda key: model.style(image(key)))

    def __call__(self, content: Hashable, style: Hashable, alpha: float = 1.0) -> Tensor:
        """The stylised content, float32 ``[1, 3, H, W]`` in [0, 1]."""
        features, statistics, *skips = self._encode(content)
        strength = torch.full((1, 1, 1, 1), alpha, device=features.device)
        vector = self._encode_style(style)
        return self._decode(features, statistics, vector, strength, *skips).clamp(0, 1)


class ContentItself:
    """The model that leaves the content as it is: what the losses are before any stylisation."""

    def encoder(self, image: Tensor) -> tuple[Tensor, Tensor]:
        return image, channel_statistics(image)

    def style(self, image: Tensor) -> Tensor:
        return channel_statistics(image)

    def decoder(self, features: Tensor, statistics: Tensor, style: Tensor, alpha: Tensor) -> Tensor:
        return features


@dataclass(frozen=True)
class ImageFeatures:
    """What the losses need to know of an image.

    relu4_1: ``[1, 512, h, w]``. statistics: ``[1, 2C, 1, 1]`` and grams: ``[1, C, C]``, of
    relu1_1 to relu4_1.
    """

    relu4_1: Tensor
    statistics: list[Tensor]
    grams: list[Tensor]


class Scorer:
    """VGG-19, and what it saw in the content and style images so far."""

    def __init__(self, vgg: VGG19Encoder, size: int = SIZE) -> None:
        """``size``: the side in pixels that images are resized to, a multiple of 16."""
        self.vgg = vgg
        self.size = size
        self._images: dict[Path, Tensor] = {}
        self._descriptions: dict[Path, ImageFeatures] = {}

    def image(self, path: Path) -> Tensor:
        """An image file, float32 ``[1, 3, size, size]``, RGB in [0, 1]."""
        if path not in self._images:
            image = to_tensor(load_image(path).resized(self.size, self.size))
            self._images[path] = image.to(next(self.vgg.parameters()).device)
        return self._images[path]

    def describe(self, image: Tensor) -> ImageFeatures:
        """Describe an image ``[1, 3, H, W]``."""
        # The features themselves would be 126 MB for each image of 512x512 pixels.
        layers = self.vgg.relu_features(image)
        return ImageFeatures(
            layers[-1],
            [channel_statistics(layer) for layer in layers],
            [gram_matrix(layer) for layer in layers],
        )

    def description(self, path: Path) -> ImageFeatures:
        if path not in self._descriptions:
            self._descriptions[path] = self.describe(self.image(path))
        return self._descriptions[path]

    def losses(self, image: Tensor, pair: Pair) -> dict[str, float]:
        """The losses and the SSIM of an output ``[1, 3, size, size]`` in [0, 1] for its pair."""
        content, style = self.description(pair.content), self.description(pair.style)
        # An output that is the content itself need not be looked at again.
        same = torch.equal(image, self.image(pair.content))
        output = content if same else self.describe(image)
        alpha = torch.ones(1, 1, 1, 1, device=image.device)
        target = adain(content.relu4_1, content.statistics[-1], style.statistics[-1], alpha)
        return {
            "content_loss": mean_squared_error(output.relu4_1, content.relu4_1).item(),
            "target_loss": mean_squared_error(output.relu4_1, target).item(),
            "style_loss": style_loss(output.statistics, style.statistics).item(),
            "gram_loss": gram_loss(output.grams, style.grams).item(),
            "ssim": ssim(image, self.image(pair.content)).item(),
        }


@torch.inference_mode()
def score_pairs(
    model: EvaluatedModel, pairs: Sequence[Pair], scorer: Scorer, *, label: str = "evaluation"
) -> Evaluation:
    """Stylise every pair at alpha 1 and reconstruct every content; compare in float32.

    ``model`` is in evaluation mode, and on the device of the scorer's VGG-19. ``label`` stands
    before the progress bar on stderr.
    """
    stylize = Stylization(model, scorer.image)

    @cache
    def reconstruction_psnr(content: Path, alpha: float) -> float:
        return psnr(stylize(content, content, alpha), scorer.image(content)).item()

    scores = [
        Scores(
            **scorer.losses(stylize(pair.content, pair.style), pair),
            psnr_own_style=reconstruction_psnr(pair.content, 1.0),
            psnr_strength_0=reconstruction_psnr(pair.content, 0.0),
        )
        for pair in tqdm(pairs, label, unit="pair", leave=False)
    ]
    return Evaluation(list(pairs), scores)
