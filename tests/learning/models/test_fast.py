"""What ``fast`` has of its own: pixels without a grid, and statistics of features like VGG-19's."""

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

import torch.nn.functional as F

from adain.learning.models.fast import Fast, Pixels, StatisticsEstimator
from adain.learning.models.layers import channel_statistics
from adain.learning.models.networks import VGG19Encoder


def test_flat_pixels_give_no_grid() -> None:
    """Untrained, and trained kernels once their sums are made equal; the grid is of 4 pixels."""
    layer = Pixels()
    flat, image = torch.rand(1, 3, 1, 1).expand(-1, -1, 32, 32), torch.rand(1, 3, 32, 32)
    with torch.inference_mode():
        picture = F.pixel_shuffle(F.pixel_shuffle(layer(image), 2), 2)
        torch.testing.assert_close(picture, image)
        torch.manual_seed(0)
        layer.weight.add_(0.1 * torch.randn_like(layer.weight))
        before, response = F.pixel_shuffle(layer(flat), 2), layer(image)
        layer.equalise()
        after = F.pixel_shuffle(layer(flat), 2)
        assert before.std(dim=(2, 3)).min() > 0.01
        assert after.std(dim=(2, 3)).max() < 1e-5
        # What flat areas give on average stays, and anything but the kernels' sums as well.
        torch.testing.assert_close(after.mean(dim=(2, 3)), before.mean(dim=(2, 3)))
        assert layer(image).std() > 0.5 * response.std()
        kernels = layer.weight.clone()
        layer.equalise()
    torch.testing.assert_close(layer.weight, kernels)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (17, 40), (63, 64), (90, 35)])
def test_features_lie_where_those_of_vgg19_do(height: int, width: int) -> None:
    image = torch.rand(1, 3, height, width)
    layers = VGG19Encoder().relu_features(image)
    features = StatisticsEstimator().features(image)
    assert len(features) == len(layers) == len(StatisticsEstimator.STEPS)
    for ours, theirs, step in zip(features, layers, StatisticsEstimator.STEPS, strict=True):
        assert ours.shape == theirs[:, :, ::step, ::step].shape
        assert (ours >= 0).all()


def test_untrained_statistics_are_those_of_the_features() -> None:
    """From relu4_1 to relu1_1; what training adds to them starts at nothing."""
    network, image = StatisticsEstimator(), torch.rand(2, 3, 32, 48)
    features = network.features(image)
    expected = torch.cat([channel_statistics(layer) for layer in reversed(features)], dim=1)
    assert expected.shape == (2, 1920, 1, 1)
    torch.testing.assert_close(network(image), expected)


def test_a_style_serves_several_contents() -> None:
    network = Fast().eval()
    contents, styles = torch.rand(4, 3, 32, 40), torch.rand(2, 3, 48, 32)
    strengths = torch.tensor([1.0, 0.5, 0.8, 0.0]).view(4, 1, 1, 1)
    with torch.no_grad():
        images, estimate = network(contents, styles, strengths)
        assert estimate.shape == (2, 1920, 1, 1)
        for i in range(4):
            own = contents[i : i + 1], styles[i % 2 : i % 2 + 1], strengths[i : i + 1]
            torch.testing.assert_close(images[i : i + 1], network(*own)[0], rtol=1e-4, atol=1e-5)
