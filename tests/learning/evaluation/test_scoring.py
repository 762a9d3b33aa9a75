import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from adain.learning.evaluation import metrics
from adain.learning.evaluation.pairs import Pair, read_pairs
from adain.learning.evaluation.scoring import (
    ContentItself,
    Evaluation,
    Scorer,
    Scores,
    score_pairs,
)
from adain.learning.models.fast import Fast
from adain.learning.models.networks import VGG19Encoder

Array = npt.NDArray[np.float64]
SIZE = 64


@pytest.fixture(scope="module")
def vgg() -> VGG19Encoder:
    """Untrained: what the scores are made of does not depend on the weights."""
    torch.manual_seed(0)
    return VGG19Encoder().eval()


def losses_by_hand(
    scorer: Scorer, output: torch.Tensor, pair: Pair, epsilon: float = 1e-5
) -> dict[str, float]:
    """The protocol in float64 numpy, from the features alone."""

    def layers(image: torch.Tensor) -> list[Array]:
        return [f[0].double().flatten(1).numpy() for f in scorer.vgg.relu_features(image)]

    def gram(layer: Array) -> Array:
        product: Array = layer @ layer.T / layer.size
        return product

    def std(layer: Array) -> Array:
        return np.sqrt(layer.var(axis=1) + epsilon)

    ours, content, style = (
        layers(image) for image in (output, scorer.image(pair.content), scorer.image(pair.style))
    )
    last, last_style = content[-1], style[-1]
    normalised = (last - last.mean(axis=1)[:, None]) / std(last)[:, None]
    target = normalised * std(last_style)[:, None] + last_style.mean(axis=1)[:, None]
    return {
        "content_loss": ((ours[-1] - last) ** 2).mean(),
        "target_loss": ((ours[-1] - target) ** 2).mean(),
        "style_loss": sum(
            ((a.mean(axis=1) - b.mean(axis=1)) ** 2).mean() + ((std(a) - std(b)) ** 2).mean()
            for a, b in zip(ours, style, strict=True)
        ),
        "gram_loss": sum(
            ((gram(a) - gram(b)) ** 2).mean() for a, b in zip(ours, style, strict=True)
        ),
    }


@torch.inference_mode()
def test_losses_match_the_protocol_in_numpy(folder: Path, vgg: VGG19Encoder) -> None:
    scorer = Scorer(vgg, SIZE)
    pair = read_pairs(folder)[1]
    output = torch.from_numpy(np.random.default_rng(0).random((1, 3, SIZE, SIZE))).float()
    found = scorer.losses(output, pair)
    for name, expected in losses_by_hand(scorer, output, pair).items():
        assert found[name] == pytest.approx(expected, rel=1e-3), name


def test_identical_images_have_no_loss(folder: Path, vgg: VGG19Encoder) -> None:
    content = folder / "content" / "hill.png"
    scores = score_pairs(ContentItself(), [Pair(content, content)], Scorer(vgg, SIZE)).mean()
    assert scores.content_loss == scores.style_loss == scores.gram_loss == 0
    assert scores.target_loss == pytest.approx(0, abs=1e-9)
    assert scores.ssim == 1
    assert scores.psnr_own_style == scores.psnr_strength_0 == math.inf


def test_evaluate_scores_each_pair_at_full_strength(folder: Path, vgg: VGG19Encoder) -> None:
    torch.manual_seed(0)
    model, scorer = Fast(channels=16, inner=1).eval(), Scorer(vgg, SIZE)
    pairs = read_pairs(folder)
    evaluation = score_pairs(model, pairs, scorer)
    assert evaluation.pairs == pairs
    with torch.inference_mode():
        for pair, scores in zip(pairs, evaluation.scores, strict=True):
            content = scorer.image(pair.content)

            def stylize(style: Path, alpha: float, content: torch.Tensor = content) -> torch.Tensor:
                strength = torch.full((1, 1, 1, 1), alpha)
                encoded = model.encoder(content)
                image = model.decoder(*encoded, model.style(scorer.image(style)), strength)
                return image.clamp(0, 1)

            assert scores == Scores(
                **scorer.losses(stylize(pair.style, 1), pair),
                psnr_own_style=metrics.psnr(stylize(pair.content, 1), content).item(),
                psnr_strength_0=metrics.psnr(stylize(pair.style, 0), content).item(),
            )


def test_mean_counts_each_content_once_in_the_psnr() -> None:
    a, b, style = Path("a"), Path("b"), Path("style")
    scores = [Scores(value, 0, 0, 0, 0, psnr, psnr) for value, psnr in ((1, 20), (2, 20), (6, 30))]
    mean = Evaluation([Pair(a, style), Pair(a, style), Pair(b, style)], scores).mean()
    assert mean.content_loss == 3
    assert mean.psnr_own_style == mean.psnr_strength_0 == 25


def test_images_are_squares_in_rgb(folder: Path, vgg: VGG19Encoder) -> None:
    image = Scorer(vgg, 32).image(folder / "content" / "lake.jpg")
    assert image.shape == (1, 3, 32, 32)
    assert image.dtype == torch.float32
