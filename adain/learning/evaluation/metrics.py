"""What a comparison reports: losses as VGG-19 sees them, SSIM, colours and reconstruction PSNR."""

import csv
from collections.abc import Callable, Hashable, Sequence
from dataclasses import astuple, dataclass, replace
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from adain.errors import AdaINError
from adain.images import load_image
from adain.learning.losses import gram_loss, gram_matrix, mean_squared_error, style_loss
from adain.learning.models.layers import adain, channel_statistics
from adain.learning.models.networks import VGG19Encoder
from adain.learning.tensors import luma, to_tensor
from adain.learning.training.data import SUFFIXES

SIZE = 512
DIRECTIONS = 64  # of `sliced_wasserstein`


@dataclass(frozen=True)
class Pair:
    """The files of a content and a style image."""

    content: Path
    style: Path


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


class Model(Protocol):
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

    def __init__(self, model: Model, image: Callable[[Any], Tensor]) -> None:
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
class Description:
    """What the losses need to know of an image.

    relu4_1: ``[1, 512, h, w]``. statistics: ``[1, 2C, 1, 1]`` and grams: ``[1, C, C]``, of
    relu1_1 to relu4_1.
    """

    relu4_1: Tensor
    statistics: list[Tensor]
    grams: list[Tensor]


class Judge:
    """VGG-19, and what it saw in the content and style images so far."""

    def __init__(self, vgg: VGG19Encoder, size: int = SIZE) -> None:
        """``size``: the side in pixels that images are resized to, a multiple of 16."""
        self.vgg = vgg
        self.size = size
        self._images: dict[Path, Tensor] = {}
        self._descriptions: dict[Path, Description] = {}

    def image(self, path: Path) -> Tensor:
        """An image file, float32 ``[1, 3, size, size]``, RGB in [0, 1]."""
        if path not in self._images:
            image = to_tensor(load_image(path).resized(self.size, self.size))
            self._images[path] = image.to(next(self.vgg.parameters()).device)
        return self._images[path]

    def describe(self, image: Tensor) -> Description:
        """Describe an image ``[1, 3, H, W]``."""
        # The features themselves would be 126 MB for each image of 512x512 pixels.
        layers = self.vgg.relu_features(image)
        return Description(
            layers[-1],
            [channel_statistics(layer) for layer in layers],
            [gram_matrix(layer) for layer in layers],
        )

    def description(self, path: Path) -> Description:
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


def ssim(image: Tensor, reference: Tensor) -> Tensor:
    """Mean structural similarity of the luma of ``[N, 3, H, W]`` in [0, 1], as float64 ``[N]``.

    Wang et al. 2004: an 11x11 Gaussian window, sigma 1.5, K1 = 0.01, K2 = 0.03, and only windows
    that lie wholly inside the image. H and W are at least 11.
    """
    # A variance as the difference of two means loses half of float32's digits where it is small.
    x, y = luma(image.double()), luma(reference.double())
    offsets = torch.arange(-5, 6, dtype=x.dtype, device=x.device)
    kernel = torch.softmax(-offsets.square() / (2 * 1.5**2), dim=0)

    def local_mean(values: Tensor) -> Tensor:
        return F.conv2d(F.conv2d(values, kernel.view(1, 1, 1, 11)), kernel.view(1, 1, 11, 1))

    mean_x, mean_y = local_mean(x), local_mean(y)
    variance_x = local_mean(x * x) - mean_x.square()
    variance_y = local_mean(y * y) - mean_y.square()
    covariance = local_mean(x * y) - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x.square() + mean_y.square() + c1)
    structure = (2 * covariance + c2) / (variance_x + variance_y + c2)
    return (luminance * structure).mean(dim=(1, 2, 3))


def psnr(image: Tensor, reference: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB of ``[N, 3, H, W]`` in [0, 1], ``[N]``; inf where equal."""
    return -10 * mean_squared_error(image, reference).log10()


def sliced_wasserstein(image: Tensor, reference: Tensor) -> Tensor:
    """How far the colours of two pictures ``[N, 3, H, W]`` in [0, 1] are apart, ``[N]``.

    The sliced Wasserstein distance of order 2 of their RGB values (Bonneel et al. 2015, eq. 2): of
    the values along a direction, in order, the mean squared difference; of that, the root of the
    mean over DIRECTIONS directions, which are always the same. 0 says that both have the same
    colours, wherever they stand; all colours moved by a vector v, about ``|v| / sqrt(3)``. The
    pictures have equally many pixels.
    """
    generator = torch.Generator().manual_seed(0)
    directions = torch.randn(DIRECTIONS, 3, generator=generator, dtype=torch.float64)
    directions = F.normalize(directions).to(image.device, image.dtype)

    def in_order(pixels: Tensor) -> Tensor:
        return (directions @ pixels.flatten(2)).sort(dim=2).values

    return (in_order(image) - in_order(reference)).square().mean(dim=(1, 2)).sqrt()


@torch.inference_mode()
def evaluate(
    model: Model, pairs: Sequence[Pair], judge: Judge, *, label: str = "evaluation"
) -> Evaluation:
    """Stylise every pair at alpha 1 and reconstruct every content; compare in float32.

    ``model`` is in evaluation mode, and on the device of the judge's VGG-19. ``label`` stands
    before the progress bar on stderr.
    """
    stylize = Stylization(model, judge.image)

    @cache
    def reconstruction_psnr(content: Path, alpha: float) -> float:
        return psnr(stylize(content, content, alpha), judge.image(content)).item()

    scores = [
        Scores(
            **judge.losses(stylize(pair.content, pair.style), pair),
            psnr_own_style=reconstruction_psnr(pair.content, 1.0),
            psnr_strength_0=reconstruction_psnr(pair.content, 0.0),
        )
        for pair in tqdm(pairs, label, unit="pair", leave=False)
    ]
    return Evaluation(list(pairs), scores)


def read_pairs(folder: Path, count: int | None = None, name: str = "pairs.csv") -> list[Pair]:
    """The pairs of ``folder/pairs.csv``; ``count`` of them, spread evenly over the list.

    ``name`` is that of the list where it is another.

    Raises AdaINError for a list that is missing, malformed or names a missing image.
    """
    if not folder.is_dir():
        raise AdaINError(f"{folder}: not a folder; give one with {name}, content/ and style/")
    contents, styles = _images(folder / "content"), _images(folder / "style")
    path = folder / name
    try:
        with path.open(newline="", encoding="utf-8") as file:
            header, *rows = list(csv.reader(file)) or [[]]
    except (OSError, ValueError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise AdaINError(f"{path}: not a readable CSV file: {reason}") from error
    if header != ["content", "style"]:
        raise AdaINError(f"{path}: line 1: found {','.join(header)!r}; allowed is 'content,style'")
    pairs = []
    for line, row in enumerate(rows, 2):
        if len(row) != 2:
            raise AdaINError(f"{path}: line {line}: found {row}; allowed is a content and a style")
        for name, images, side in zip(row, (contents, styles), ("content", "style"), strict=True):
            if name not in images:
                raise AdaINError(f"{path}: line {line}: no image {name!r} in {folder / side}")
        pairs.append(Pair(contents[row[0]], styles[row[1]]))
    if not pairs:
        raise AdaINError(f"{path}: found no pair; allowed is one pair in each line")
    if count is None:
        return pairs
    if not 1 <= count <= len(pairs):
        raise AdaINError(f"pairs: found {count}; allowed is 1 to {len(pairs)}")
    return [pairs[i * len(pairs) // count] for i in range(count)]


def _images(folder: Path) -> dict[str, Path]:
    """The images of a folder by name, with and without suffix."""
    if not folder.is_dir():
        raise AdaINError(f"{folder}: not a folder; give a folder of images")
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    return {path.stem: path for path in paths} | {path.name: path for path in paths}
