"""Each loss against a few lines of float64 numpy."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from torch import Tensor

from adain.learning import losses
from adain.learning.models.layers import channel_statistics


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def test_mean_squared_error_is_one_value_per_picture() -> None:
    x, y = random(2, 3, 4, 5), random(2, 3, 4, 5, seed=1)
    expected = ((x - y).double().numpy() ** 2).reshape(2, -1).mean(axis=1)
    np.testing.assert_allclose(losses.mean_squared_error(x, y), expected, rtol=1e-6)


def test_style_loss_sums_means_and_deviations_over_layers() -> None:
    ours = [random(2, 3, 8, 8), random(2, 5, 4, 4, seed=1)]
    theirs = [random(2, 3, 6, 9, seed=2), random(2, 5, 3, 3, seed=3)]
    expected = np.zeros(2)
    for x, y in zip(ours, theirs, strict=True):
        a, b = x.double().numpy(), y.double().numpy()
        deviations = [np.sqrt(z.var(axis=(2, 3)) + 1e-5) for z in (a, b)]
        expected += ((a.mean(axis=(2, 3)) - b.mean(axis=(2, 3))) ** 2).mean(axis=1)
        expected += ((deviations[0] - deviations[1]) ** 2).mean(axis=1)
    found = losses.style_loss(
        [channel_statistics(x) for x in ours], [channel_statistics(y) for y in theirs]
    )
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_distillation_loss_is_what_estimates_leave_unexplained() -> None:
    exact = [random(2, 3, 8, 8), 100 * random(2, 5, 4, 4, seed=1)]
    expected = np.zeros(2)
    for features in (layer.double().numpy() for layer in exact):
        variance = features.var(axis=(0, 2, 3)).mean()
        expected += ((features - 0.5) ** 2).mean(axis=(1, 2, 3)) / variance
    found = losses.distillation_loss([torch.full_like(layer, 0.5) for layer in exact], exact)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    means = [layer.mean(dim=(0, 2, 3), keepdim=True).expand_as(layer) for layer in exact]
    assert losses.distillation_loss(means, exact).mean() == pytest.approx(len(exact), rel=1e-5)
    assert losses.distillation_loss(exact, exact).tolist() == [0, 0]


def test_gram_loss_of_pictures_of_different_sizes() -> None:
    ours, theirs = random(2, 3, 4, 5), random(2, 3, 7, 6, seed=1)

    def gram(picture: Tensor) -> np.ndarray:
        flat = picture.double().numpy().reshape(3, -1)
        return flat @ flat.T / flat.size

    grams = [losses.gram_matrix(ours)], [losses.gram_matrix(theirs)]
    expected = [((gram(x) - gram(y)) ** 2).mean() for x, y in zip(ours, theirs, strict=True)]
    np.testing.assert_allclose(losses.gram_loss(*grams), expected, rtol=1e-5)
    np.testing.assert_allclose(
        losses.gram_loss(3 * grams[0], 3 * grams[1]), 3 * np.array(expected), rtol=1e-5
    )


def test_pixel_loss() -> None:
    x, y = random(2, 3, 4, 5), random(2, 3, 4, 5, seed=1)
    expected = np.abs((x - y).double().numpy()).reshape(2, -1).mean(axis=1)
    np.testing.assert_allclose(losses.pixel_loss(x, y), expected, rtol=1e-6)


def test_losses_of_half_precision_features_are_float32() -> None:
    x = (300 * random(1, 2, 64, 64)).bfloat16()
    assert losses.mean_squared_error(x, 0 * x).dtype == torch.float32
    assert losses.gram_matrix(x).dtype == torch.float32


@pytest.mark.parametrize("shape", [(2, 3, 5, 7), (1, 64, 20, 30), (1, 37, 16, 33), (1, 6, 1, 1)])
@pytest.mark.parametrize(("dtype", "error"), [(torch.float32, 1e-6), (torch.bfloat16, 2**-9)])
def test_gatys_gram_and_its_gradient(
    shape: tuple[int, ...], dtype: torch.dtype, error: float
) -> None:
    x = random(*shape).to(dtype).requires_grad_()
    flat = x.detach().double().flatten(2)
    places = flat.shape[2]
    found = losses.gatys_gram(x)
    expected = flat @ flat.transpose(1, 2) / places
    assert found.dtype == torch.float32
    assert (found - expected).norm() <= error * expected.norm()
    weights = random(*found.shape, seed=1)
    (gradient,) = torch.autograd.grad(found, x, weights)
    assert gradient.dtype == dtype
    expected = ((weights + weights.transpose(1, 2)).double() @ flat / places).view(shape)
    rounding = {torch.float32: 1e-6, torch.bfloat16: 2**-7}[dtype]
    assert (gradient - expected).norm() <= rounding * expected.norm()
