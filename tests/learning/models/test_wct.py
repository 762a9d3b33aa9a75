"""The whitening and colouring transform against eigendecompositions in float64."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from torch import Tensor

from adain.errors import AdaINError
from adain.learning.models.layers import channel_statistics
from adain.learning.models.networks import VGG19, PaperDecoder, ResidualDecoder
from adain.learning.models.pretrained import load_models
from adain.learning.models.wct import WCT, covariance, matrix_roots, wct, with_ridge

CHANNELS = 24
ONE = torch.ones(1, 1, 1, 1)


def correlated(*shape: int, seed: int = 0) -> Tensor:
    """Features ``[N, C, h, w]`` whose channels go together, of different means and variances."""
    generator = torch.Generator().manual_seed(seed)
    channels = shape[1]
    mixing = 0.3 * torch.randn(channels, channels, generator=generator) / channels**0.5
    mixing += torch.diag(torch.linspace(0.7, 3, channels))
    noise = torch.randn(shape, generator=generator) + torch.rand(1, channels, 1, 1)
    return torch.einsum("oc,nchw->nohw", mixing, noise)


def transformed(features: Tensor, style: Tensor, alpha: Tensor = ONE) -> Tensor:
    mean = style.mean(dim=(2, 3), keepdim=True)
    return wct(features, covariance(features), mean, covariance(style), alpha)


def test_covariance_is_numpys() -> None:
    features = correlated(2, 5, 7, 9)
    for found, picture in zip(covariance(features), features, strict=True):
        expected = np.cov(picture.flatten(1).double().numpy(), bias=True)
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("smallest", [1.0, 1e-2, 2e-6])
def test_newton_schulz_gives_the_roots_of_the_eigendecomposition(smallest: float) -> None:
    """2e-6 of the norm is the least that an eigenvalue can be with the ridge."""
    generator = torch.Generator().manual_seed(0)
    basis = torch.linalg.qr(torch.randn(2, 64, 64, generator=generator, dtype=torch.float64))[0]
    values = torch.logspace(0, np.log10(smallest), 64, dtype=torch.float64)
    values = values / values.square().sum().sqrt()
    for scale in (1e-3, 1.0, 1e4):

        def power(exponent: float, scale: float = scale) -> Tensor:
            return basis @ torch.diag((scale * values) ** exponent) @ basis.transpose(1, 2)

        root, inverse = matrix_roots(power(1).float())
        for found, expected in ((root, power(0.5)), (inverse, power(-0.5))):
            torch.testing.assert_close(
                found.double(), expected, rtol=0, atol=5e-3 * float(expected.abs().max())
            )


def test_whitened_features_have_the_identity_for_covariance() -> None:
    features = correlated(2, CHANNELS, 30, 20)
    _, whitening = matrix_roots(with_ridge(covariance(features)))
    whitened = (whitening @ features.flatten(2)).view_as(features)
    identity = torch.eye(CHANNELS).expand(2, -1, -1)
    # The ridge takes 1 % away in the directions of least variance.
    torch.testing.assert_close(covariance(whitened), identity, rtol=0, atol=0.02)


def test_coloured_features_have_the_styles_mean_and_covariance() -> None:
    features, style = correlated(2, CHANNELS, 30, 20), correlated(2, CHANNELS, 17, 23, seed=1)
    found = transformed(features, style)
    torch.testing.assert_close(found.mean(dim=(2, 3)), style.mean(dim=(2, 3)), rtol=1e-3, atol=1e-3)
    difference = covariance(found) - covariance(style)
    assert difference.norm() < 0.01 * covariance(style).norm()
    # AdaIN's would be far off.
    before = covariance(features) - covariance(style)
    assert before.norm() > 0.3 * covariance(style).norm()


def test_strengths_blend_and_one_style_serves_a_batch() -> None:
    features, style = correlated(3, CHANNELS, 9, 8), correlated(1, CHANNELS, 10, 10, seed=1)
    full = transformed(features, style)
    for picture, alone in zip(features, full, strict=True):
        torch.testing.assert_close(transformed(picture[None], style)[0], alone)
    assert torch.equal(transformed(features, style, 0 * ONE), features)
    ramp = torch.linspace(0, 1, 8).expand(3, 1, 9, 8)
    torch.testing.assert_close(
        transformed(features, style, ramp), ramp * full + (1 - ramp) * features
    )


@pytest.mark.parametrize("size", [(3, 3), (1, 2)])
def test_fewer_places_than_channels(size: tuple[int, int]) -> None:
    """Of covariances without full rank nothing is blown up, and the own style changes nothing."""
    features, style = correlated(1, 64, *size), correlated(1, 64, 2, 2, seed=1)
    found = transformed(features, style)
    assert found.isfinite().all()
    deviation = covariance(style).diagonal(dim1=1, dim2=2).sum().sqrt()
    away = (found - style.mean(dim=(2, 3), keepdim=True)).square().sum(dim=1).sqrt().max()
    assert away < deviation * (size[0] * size[1]) ** 0.5
    own = transformed(features, features)
    torch.testing.assert_close(own, features, rtol=0, atol=1e-2 * float(features.abs().max()))


@pytest.mark.parametrize("picture", [torch.rand(1, 8, 1, 1), torch.full((1, 8, 5, 4), 0.7)])
def test_what_has_no_variance_becomes_the_styles_mean(picture: Tensor) -> None:
    style = correlated(1, 8, 6, 6)
    found = transformed(picture, style)
    mean = style.mean(dim=(2, 3), keepdim=True).expand_as(picture)
    torch.testing.assert_close(found, mean, rtol=1e-3, atol=1e-3)
    # And a style of one place is its one value everywhere, but for the ridge.
    flat = transformed(correlated(1, 8, 5, 5), picture)
    torch.testing.assert_close(
        flat, picture.mean(dim=(2, 3), keepdim=True).expand_as(flat), rtol=0, atol=0.03
    )


def encoded(seed: int) -> tuple[list[Tensor], Tensor]:
    """Features as relu4_1 to relu1_1 of 32x40 pixels have them, and their statistics."""
    shapes = ((512, 4, 5), (256, 8, 10), (128, 16, 20), (64, 32, 40))
    layers = [correlated(1, *shape, seed=seed).relu() for shape in shapes]
    return layers, torch.cat([channel_statistics(layer) for layer in layers], dim=1)


def told(statistics: Tensor, features: Tensor) -> Tensor:
    return torch.cat((statistics, covariance(features).flatten(1)[:, :, None, None]), dim=1)


@torch.inference_mode()
def test_a_decoder_gets_the_transformed_features() -> None:
    (content, *_), statistics = encoded(0)
    (style, *_), style_statistics = encoded(1)
    model = WCT(VGG19(PaperDecoder()))
    assert model.style_channels == 1024 + 512 * 512
    own, vector = told(statistics[:, :1024], content), told(style_statistics[:, :1024], style)
    decoder = model.decoder.decoder
    assert isinstance(decoder, PaperDecoder)
    alpha = 0.4 * ONE
    expected = decoder.layers(transformed(content, style, alpha))
    found = model.decoder(content, own, vector, alpha)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-3 * float(expected.abs().max()))


@torch.inference_mode()
def test_skips_and_modulation_are_those_of_the_model_itself() -> None:
    """At strength 0 there is no difference, at any other there is."""
    torch.manual_seed(0)
    (content, *skips), statistics = encoded(0)
    (style, *_), style_statistics = encoded(1)
    plain = VGG19(ResidualDecoder())
    model = WCT(plain)
    own, vector = told(statistics, content), told(style_statistics, style)
    for alpha, same in ((0 * ONE, True), (ONE, False)):
        expected = plain.decoder(content, statistics, style_statistics, alpha, *skips[:2])
        found = model.decoder(content, own, vector, alpha, *skips[:2])
        away = (found - expected).abs().max() / expected.abs().max()
        assert (away < 1e-3) == same


@torch.inference_mode()
def test_the_encoder_gives_the_covariance_after_the_statistics() -> None:
    plain = VGG19(PaperDecoder())
    image = torch.rand(2, 3, 16, 24)
    features, statistics = WCT(plain).encoder(image)
    expected, of_adain = plain.encoder(image)
    assert torch.equal(features, expected) and torch.equal(statistics[:, :1024], of_adain)
    assert torch.equal(statistics[:, 1024:].view(2, 512, 512), covariance(features))


@pytest.mark.usefixtures("vgg19_weights")
def test_it_stands_beside_adain_in_what_compares_models() -> None:
    models = load_models(["fast", "vgg19"], [], None, "wct")
    assert list(models) == ["fast", "vgg19", "vgg19 wct"]
    assert isinstance(models["vgg19 wct"], WCT)


def test_it_needs_a_model_on_vgg19() -> None:
    with pytest.raises(AdaINError, match="--transform: found wct for fast; allowed: wct"):
        load_models(["fast"], [], None, "wct")
