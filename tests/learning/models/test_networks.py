"""The networks against the paper's equations in float64 numpy, and the contract of both models."""

import numpy as np
import numpy.typing as npt
import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from pathlib import Path
from typing import Literal

from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from adain.learning.models.fast import Fast
from adain.learning.models.layers import (
    ToPixels,
    adain,
    as_strength,
    blended,
    channel_statistics,
)
from adain.learning.models.networks import VGG19, PaperDecoder, VGG19Encoder
from adain.learning.models.pretrained import load_paper_decoder, load_vgg19_encoder

Array = npt.NDArray[np.float64]


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def statistics_by_hand(features: Array) -> tuple[Array, Array]:
    mean = features.mean(axis=(2, 3), keepdims=True)
    return mean, np.sqrt(((features - mean) ** 2).mean(axis=(2, 3), keepdims=True) + 1e-5)


def test_channel_statistics() -> None:
    features = random(2, 3, 5, 7)
    mean, std = statistics_by_hand(features.double().numpy())
    found = channel_statistics(features).numpy()
    np.testing.assert_allclose(found, np.concatenate([mean, std], axis=1), rtol=1e-6)


def test_channel_statistics_of_half_precision_are_float32() -> None:
    features = (1000 + random(1, 2, 64, 64)).half()
    mean, std = statistics_by_hand(features.double().numpy())
    found = channel_statistics(features)
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found[:, :2], mean, rtol=1e-5)
    np.testing.assert_allclose(found[:, 2:], std, rtol=1e-3)


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_adain_is_equations_8_and_14(alpha: float) -> None:
    x, y = random(1, 4, 6, 5), 3 * random(1, 4, 8, 8, seed=1)
    mean_x, std_x = statistics_by_hand(x.double().numpy())
    mean_y, std_y = statistics_by_hand(y.double().numpy())
    normalised = std_y * (x.double().numpy() - mean_x) / std_x + mean_y
    expected = alpha * normalised + (1 - alpha) * x.double().numpy()
    strength = torch.full((1, 1, 1, 1), alpha)
    found = adain(x, channel_statistics(x), channel_statistics(y), strength)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_adain_gives_the_style_statistics() -> None:
    x, style = random(2, 4, 16, 16), channel_statistics(random(2, 4, 9, 9, seed=1))
    one = torch.ones(1, 1, 1, 1)
    found = channel_statistics(adain(x, channel_statistics(x), style, one))
    torch.testing.assert_close(found, style, atol=1e-4, rtol=1e-4)


def test_adain_of_a_constant_channel_stays_exact_in_half_precision() -> None:
    x = torch.full((1, 1, 8, 8), 900.0).half()
    style = torch.tensor([2.0, 50.0]).view(1, 2, 1, 1)
    found = adain(x, channel_statistics(x), style, torch.ones(1, 1, 1, 1))
    assert found.dtype == torch.float16
    torch.testing.assert_close(found, torch.full_like(found, 2.0))


def test_the_content_is_blended_in_where_the_strength_is_near_0() -> None:
    image, content = random(1, 3, 4, 6), random(1, 3, 4, 6, seed=1)
    strength = torch.tensor([0.0, 1e-6, 0.05, 0.1, 0.2, 1.0]).expand(1, 1, 4, 6)
    found = blended(image, content, strength)
    assert torch.equal(found[..., 0], content[..., 0])
    torch.testing.assert_close(found[..., 1], content[..., 1], atol=1e-8, rtol=0)
    torch.testing.assert_close(found[..., 2], (image + content)[..., 2] / 2)
    assert torch.equal(found[..., 3:], image[..., 3:])


def test_strengths_are_brought_into_their_range() -> None:
    given = torch.tensor([-1.0, -0.0, 0.3, 1.0, 7.0, torch.inf, -torch.inf, torch.nan])
    assert as_strength(given).tolist() == [0, 0, np.float32(0.3), 1, 1, 1, 0, 0]


def test_encoder_is_vgg19_to_relu4_1() -> None:
    encoder = VGG19Encoder()
    convolutions = [layer for layer in encoder.modules() if isinstance(layer, nn.Conv2d)]
    assert [layer.out_channels for layer in convolutions] == [64, 64, 128, 128, *4 * [256], 512]
    assert {layer.padding_mode for layer in convolutions} == {"reflect"}
    shapes = [tuple(layer.shape[1:]) for layer in encoder.relu_features(random(1, 3, 32, 48))]
    assert shapes == [(64, 32, 48), (128, 16, 24), (256, 8, 12), (512, 4, 6)]
    assert not any(parameter.requires_grad for parameter in encoder.parameters())


def test_published_weights_see_natural_activations(vgg19_weights: Path) -> None:
    """The normalised VGG-19 has mean activations near 1 over natural pictures."""
    del vgg19_weights
    coarse = random(8, 3, 6, 6)
    pictures = torch.nn.functional.interpolate(coarse, (96, 96), mode="bicubic").clamp(0, 1)
    means = [layer.mean().item() for layer in load_vgg19_encoder().relu_features(pictures)]
    assert all(0.3 < mean < 3 for mean in means), means


def test_preprocess_is_folded_exactly(vgg19_weights: Path) -> None:
    if vgg19_weights.suffix != ".safetensors":
        pytest.skip("the preprocessing layer is named in the safetensors file only")
    tensors = load_file(vgg19_weights)
    image = random(1, 3, 20, 17)
    prepared = torch.nn.functional.conv2d(
        image.double(), tensors["preprocess.weight"].double(), tensors["preprocess.bias"].double()
    )
    padded = torch.nn.functional.pad(prepared, (1, 1, 1, 1), mode="reflect")
    weight, bias = tensors["conv1_1.weight"].double(), tensors["conv1_1.bias"].double()
    expected = torch.nn.functional.conv2d(padded, weight, bias).relu()
    found = load_vgg19_encoder().relu_features(image)[0]
    torch.testing.assert_close(found, expected.float(), atol=1e-4, rtol=1e-4)


def test_the_paper_decoder_mirrors_the_encoder() -> None:
    layers = list(PaperDecoder().layers)
    convolutions = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    channels = [layer.out_channels for layer in convolutions]
    assert channels == [256, 256, 256, 256, 128, 128, 64, 64, 3]
    assert {layer.padding_mode for layer in convolutions} == {"reflect"}
    assert sum(isinstance(layer, nn.Upsample) for layer in layers) == 3
    assert not any("Norm" in type(layer).__name__ for layer in layers)


def test_the_paper_decoder_file_is_loaded_by_position(vgg19_weights: Path, tmp_path: Path) -> None:
    del vgg19_weights
    torch.manual_seed(0)
    decoder = PaperDecoder().eval()
    convolutions = [layer for layer in decoder.layers if isinstance(layer, nn.Conv2d)]
    tensors = {}
    for index, layer in zip((1, 5, 8, 11, 14, 18, 21, 25, 28), convolutions, strict=True):
        tensors |= {f"{index}.weight": layer.weight.detach(), f"{index}.bias": layer.bias.detach()}
    save_file(tensors, tmp_path / "decoder.safetensors")
    model = load_paper_decoder(tmp_path / "decoder.safetensors")
    for ours, theirs in zip(model.decoder.parameters(), decoder.parameters(), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("padding", ["zeros", "reflect"])
def test_flat_features_give_no_checkerboard(padding: Literal["zeros", "reflect"]) -> None:
    layer = ToPixels(8, padding)
    flat = random(1, 8, 1, 1).expand(-1, -1, 6, 6)
    with torch.inference_mode():
        layer.weight.add_(random(*layer.weight.shape, seed=1))
        before = layer(flat)[:, :, 2:-2, 2:-2]
        response = layer(random(1, 8, 6, 6))
        layer.equalise()
        after = layer(flat)[:, :, 2:-2, 2:-2]
        assert before.std(dim=(2, 3)).min() > 0.01
        assert after.std(dim=(2, 3)).max() < 1e-5
        # The colour stays, and anything but the kernels' sums stays as well.
        torch.testing.assert_close(after.mean(dim=(2, 3)), before.mean(dim=(2, 3)))
        assert layer(random(1, 8, 6, 6)).std() > 0.5 * response.std()
        kernels = layer.weight.clone()
        layer.equalise()
    torch.testing.assert_close(layer.weight, kernels)


MODELS = {"fast": Fast, "vgg19": VGG19, "paper": lambda: VGG19(PaperDecoder())}


@pytest.fixture(scope="module", params=list(MODELS))
def model(request: pytest.FixtureRequest) -> VGG19 | Fast:
    torch.manual_seed(0)
    made = MODELS[request.param]()
    for name, parameter in made.named_parameters():
        # Skips begin at 0, where mistakes in them could not be seen.
        if "skip" in name:
            torch.nn.init.normal_(parameter, std=0.05)
    return made.eval()


@torch.inference_mode()
def test_contract_shapes(model: VGG19 | Fast) -> None:
    image, style_image = random(2, 3, 5 * model.stride, 7 * model.stride), random(2, 3, 64, 48)
    features, statistics, *skips = model.encoder(image)
    style = model.style(style_image)
    height, width = (size // model.feature_stride for size in image.shape[2:])
    around = 2 * model.margin
    assert features.shape == (2, model.channels, height + around, width + around)
    # `vgg19` measures what a style is measured by, relu4_1 first.
    measured = model.style_channels if isinstance(model, VGG19) else 2 * model.channels
    assert statistics.shape == (2, measured, 1, 1)
    assert [skip.shape[2] // height for skip in skips] == ([2, 4] if skips else [])
    assert style.shape == (2, model.style_channels, 1, 1)
    inside = features[
        :, :, model.margin : height + model.margin, model.margin : width + model.margin
    ]
    # Those of further layers follow.
    own = channel_statistics(inside)
    torch.testing.assert_close(statistics[:, : 2 * model.channels], own)
    for name, skip in zip(model.skips, skips, strict=True):
        layer = list(model.encoder.STAGES).index(name)
        torch.testing.assert_close(skip, model.encoder.relu_features(image)[layer])
    picture = model.decoder(features, statistics, style, random(2, 1, 1, 1), *skips)
    assert picture.shape == image.shape


@torch.inference_mode()
def test_maps_of_one_value_are_the_value(model: VGG19 | Fast) -> None:
    features, statistics, *skips = model.encoder(random(1, 3, 48, 64))
    style, alpha = model.style(random(1, 3, 48, 48, seed=1)), torch.full((1, 1, 1, 1), 0.4)
    size = features.shape[2:]
    plain = model.decoder(features, statistics, style, alpha, *skips)
    mapped = model.decoder(
        features, statistics, style.expand(-1, -1, *size), alpha.expand(-1, -1, *size), *skips
    )
    torch.testing.assert_close(mapped, plain, atol=1e-5, rtol=1e-4)


@torch.inference_mode()
def test_strength_0_does_not_depend_on_the_style(model: VGG19 | Fast) -> None:
    features, statistics, *skips = model.encoder(random(1, 3, 48, 64))
    zero = torch.zeros(1, 1, 1, 1)
    first, second = (
        model.decoder(features, statistics, style, zero, *skips)
        for style in (model.style(random(1, 3, 32, 32, seed=seed)) for seed in (1, 2))
    )
    torch.testing.assert_close(first, second, atol=1e-5, rtol=1e-4)


@torch.inference_mode()
def test_a_tile_of_the_features_gives_a_tile_of_the_picture(model: VGG19 | Fast) -> None:
    """Nothing after the statistics looks at the whole picture: far from the cut all is equal."""
    features, statistics, *skips = model.encoder(random(1, 3, 320, 128))
    style, one = model.style(random(1, 3, 64, 64, seed=1)), torch.ones(1, 1, 1, 1)
    whole = model.decoder(features, statistics, style, one, *skips)
    # Cut at whole strides, and looked at 112 pixels from there: as far as a decoder sees.
    upper = model.decoder(
        features[:, :, : 256 // model.feature_stride + 2 * model.margin],
        statistics,
        style,
        one,
        *(skip[:, :, : skip.shape[2] * 256 // 320] for skip in skips),
    )
    torch.testing.assert_close(upper[:, :, :144], whole[:, :, :144], atol=1e-5, rtol=1e-4)
