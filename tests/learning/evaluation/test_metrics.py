import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from adain.learning.evaluation import metrics
from adain.learning.evaluation.metrics import ContentItself, Evaluation, Judge, Pair, Scores
from adain.learning.models.fast import Fast
from adain.learning.models.networks import VGG19Encoder

Array = npt.NDArray[np.float64]
SIZE = 64


def random_images(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).random(shape)


@pytest.fixture(scope="module")
def vgg() -> VGG19Encoder:
    """Untrained: what the scores are made of does not depend on the weights."""
    torch.manual_seed(0)
    return VGG19Encoder().eval()


def luma_by_hand(image: Array) -> Array:
    return 0.299 * image[0] + 0.587 * image[1] + 0.114 * image[2]


def ssim_by_hand(image: Array, reference: Array) -> float:
    """Wang et al. 2004 eq. 13 to 17, window by window."""
    x, y = luma_by_hand(image), luma_by_hand(reference)
    offsets = np.arange(-5, 6)
    window = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * 1.5**2))
    window /= window.sum()
    values = []
    for top in range(x.shape[0] - 10):
        for left in range(x.shape[1] - 10):
            a, b = (plane[top : top + 11, left : left + 11] for plane in (x, y))
            mean_a, mean_b = (window * a).sum(), (window * b).sum()
            variances = (window * ((a - mean_a) ** 2 + (b - mean_b) ** 2)).sum()
            covariance = (window * (a - mean_a) * (b - mean_b)).sum()
            values.append(
                (2 * mean_a * mean_b + 1e-4)
                * (2 * covariance + 9e-4)
                / ((mean_a**2 + mean_b**2 + 1e-4) * (variances + 9e-4))
            )
    return float(np.mean(values))


def test_ssim_matches_a_direct_loop() -> None:
    reference = random_images(2, 3, 17, 21)
    image = 0.7 * reference + 0.3 * random_images(2, 3, 17, 21, seed=1)
    found = metrics.ssim(torch.from_numpy(image), torch.from_numpy(reference))
    expected = [ssim_by_hand(*pair) for pair in zip(image, reference, strict=True)]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


def test_ssim_of_float32_stays_exact_where_the_image_is_flat() -> None:
    reference = (0.9 + 1e-3 * random_images(1, 3, 16, 16)).astype(np.float32)
    image = reference[..., ::-1].copy()
    found = metrics.ssim(torch.from_numpy(image), torch.from_numpy(reference)).item()
    expected = ssim_by_hand(image[0].astype(float), reference[0].astype(float))
    assert found == pytest.approx(expected, rel=1e-9)


def test_ssim_and_psnr_of_equal_images() -> None:
    image = torch.from_numpy(random_images(1, 3, 16, 16)).float()
    assert metrics.ssim(image, image).item() == 1
    assert metrics.psnr(image, image).item() == math.inf


def test_psnr_is_the_mean_squared_error_in_decibels() -> None:
    image, reference = random_images(2, 3, 8, 9), random_images(2, 3, 8, 9, seed=1)
    found = metrics.psnr(torch.from_numpy(image), torch.from_numpy(reference))
    expected = 10 * np.log10(1 / ((image - reference) ** 2).mean(axis=(1, 2, 3)))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6)


def test_colour_distance_matches_numpy() -> None:
    image, reference = random_images(2, 3, 8, 9), random_images(2, 3, 8, 9, seed=1) ** 2
    found = metrics.sliced_wasserstein(torch.from_numpy(image), torch.from_numpy(reference))
    generator = torch.Generator().manual_seed(0)
    shape = (metrics.DIRECTIONS, 3)
    directions = torch.randn(shape, generator=generator, dtype=torch.float64).numpy()
    for number in range(2):
        squares = []
        for direction in directions / np.linalg.norm(directions, axis=1)[:, None]:
            ours, theirs = (
                np.sort(np.tensordot(direction, picture[number], 1).ravel())
                for picture in (image, reference)
            )
            squares.append(((ours - theirs) ** 2).mean())
        assert found[number].item() == pytest.approx(np.sqrt(np.mean(squares)), rel=1e-12)


def test_colour_distance_sees_colours_and_not_places() -> None:
    image = torch.from_numpy(0.5 * random_images(1, 3, 16, 16)).float()
    flipped = image.flip(2).transpose(2, 3)
    assert metrics.sliced_wasserstein(image, flipped).item() == pytest.approx(0, abs=1e-7)
    moved = image + torch.tensor([0.1, 0.3, 0.2]).view(1, 3, 1, 1)
    # The root of the mean square of a component of v is |v| / sqrt(3), over all directions.
    expected = math.sqrt((0.01 + 0.09 + 0.04) / 3)
    found = metrics.sliced_wasserstein(moved, image).item()
    assert found == pytest.approx(expected, rel=0.15)
    assert metrics.sliced_wasserstein(moved, image).item() == found


def losses_by_hand(
    judge: Judge, output: torch.Tensor, pair: Pair, epsilon: float = 1e-5
) -> dict[str, float]:
    """The protocol in float64 numpy, from the features alone."""

    def layers(image: torch.Tensor) -> list[Array]:
        return [f[0].double().flatten(1).numpy() for f in judge.vgg.relu_features(image)]

    def gram(layer: Array) -> Array:
        product: Array = layer @ layer.T / layer.size
        return product

    def std(layer: Array) -> Array:
        return np.sqrt(layer.var(axis=1) + epsilon)

    ours, content, style = (
        layers(image) for image in (output, judge.image(pair.content), judge.image(pair.style))
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
    judge = Judge(vgg, SIZE)
    pair = metrics.read_pairs(folder)[1]
    output = torch.from_numpy(random_images(1, 3, SIZE, SIZE)).float()
    found = judge.losses(output, pair)
    for name, expected in losses_by_hand(judge, output, pair).items():
        assert found[name] == pytest.approx(expected, rel=1e-3), name


def test_identical_images_have_no_loss(folder: Path, vgg: VGG19Encoder) -> None:
    content = folder / "content" / "hill.png"
    scores = metrics.evaluate(ContentItself(), [Pair(content, content)], Judge(vgg, SIZE)).mean()
    assert scores.content_loss == scores.style_loss == scores.gram_loss == 0
    assert scores.target_loss == pytest.approx(0, abs=1e-9)
    assert scores.ssim == 1
    assert scores.psnr_own_style == scores.psnr_strength_0 == math.inf


def test_evaluate_scores_each_pair_at_full_strength(folder: Path, vgg: VGG19Encoder) -> None:
    torch.manual_seed(0)
    model, judge = Fast(channels=16, inner=1).eval(), Judge(vgg, SIZE)
    pairs = metrics.read_pairs(folder)
    evaluation = metrics.evaluate(model, pairs, judge)
    assert evaluation.pairs == pairs
    with torch.inference_mode():
        for pair, scores in zip(pairs, evaluation.scores, strict=True):
            content = judge.image(pair.content)

            def stylize(style: Path, alpha: float, content: torch.Tensor = content) -> torch.Tensor:
                strength = torch.full((1, 1, 1, 1), alpha)
                encoded = model.encoder(content)
                image = model.decoder(*encoded, model.style(judge.image(style)), strength)
                return image.clamp(0, 1)

            assert scores == Scores(
                **judge.losses(stylize(pair.style, 1), pair),
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
    image = Judge(vgg, 32).image(folder / "content" / "lake.jpg")
    assert image.shape == (1, 3, 32, 32)
    assert image.dtype == torch.float32


def test_pairs_are_found_with_and_without_suffix(folder: Path) -> None:
    content, style = folder / "content", folder / "style"
    assert metrics.read_pairs(folder) == [
        Pair(content / "hill.png", style / "hill.png"),
        Pair(content / "hill.png", style / "lake.jpg"),
        Pair(content / "lake.jpg", style / "hill.png"),
    ]


def test_the_list_of_pairs_may_have_another_name(folder: Path) -> None:
    (folder / "ten.csv").write_text("content,style\nlake,lake\n")
    (pair,) = metrics.read_pairs(folder, name="ten.csv")
    assert pair == Pair(folder / "content" / "lake.jpg", folder / "style" / "lake.jpg")


def test_fewer_pairs_are_spread_over_the_list(folder: Path) -> None:
    (folder / "pairs.csv").write_text("content,style\n" + 3 * "hill,hill\n" + 3 * "lake,lake\n")
    assert [pair.content.stem for pair in metrics.read_pairs(folder, 2)] == ["hill", "lake"]
