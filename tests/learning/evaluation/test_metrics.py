import math

import numpy as np
import numpy.typing as npt
import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from adain.learning.evaluation import metrics

Array = npt.NDArray[np.float64]


def random_images(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).random(shape)


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


def test_a_share_of_change_is_how_far_a_blend_has_gone() -> None:
    start, end = torch.from_numpy(random_images(2, 3, 8, 9)).float().split(1)
    blend = torch.lerp(start, end, torch.tensor([0.0, 0.3, 0.5, 1.0]).view(4, 1, 1, 1))
    shares = metrics.share_of_change(blend, start.expand_as(blend), end.expand_as(blend))
    torch.testing.assert_close(shares, torch.tensor([0.0, 0.3, 0.5, 1.0]))
    assert metrics.share_of_change(start, start, start).isnan().all()


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
