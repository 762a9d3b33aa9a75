"""The optimiser on real layers: what is whose, and that both parts move and can be resumed."""

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from torch import Tensor, nn  # noqa: E402

from adain.learning.layers import ToPixels  # noqa: E402
from adain.learning.optimizer import MUON_RATE, MuonAndAdam  # noqa: E402


def network() -> nn.Sequential:
    torch.manual_seed(0)
    layers = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.Conv2d(8, 8, 5, padding=2, groups=8),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 8, 1),
        ToPixels(8, "zeros"),
    )
    return layers.to(memory_format=torch.channels_last)


def loss(layers: nn.Module) -> Tensor:
    image = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    doubled = nn.functional.interpolate(image, scale_factor=2.0)
    return (layers(image) - doubled).square().mean()


@pytest.mark.parametrize("muon", [True, False])
def test_it_learns(muon: bool) -> None:
    layers = network()
    optimizer = MuonAndAdam(layers, 1e-3, muon=muon)
    first = loss(layers).item()
    for _ in range(40):
        loss(layers).backward()
        optimizer.step(3e-3)
        assert all(parameter.grad is None for parameter in layers.parameters())
    assert loss(layers).item() < 0.5 * first


def test_muon_moves_kernels_by_orthogonal_matrices() -> None:
    layers = network()
    before = [layer.weight.detach().clone() for layer in layers if isinstance(layer, nn.Conv2d)]
    loss(layers).backward()
    MuonAndAdam(layers, 1e-3).step(1e-3)
    after = [layer.weight.detach() for layer in layers if isinstance(layer, nn.Conv2d)]
    first, depthwise, middle, pointwise, pixels = (
        (b - a).flatten(1) for a, b in zip(after, before, strict=True)
    )
    for step in (middle, pointwise):
        values = torch.linalg.svdvals(step) / (MUON_RATE * 1e-3)
        # Newton and Schulz's iteration brings the singular values near 1, not exactly there; a
        # channel that ReLU keeps at 0 has none.
        assert values[values > 1e-3].min() > 0.5 and values.max() < 1.3
        assert (values > 1e-3).sum() >= len(values) - 2
    # Adam's first step has the size of the learning rate everywhere.
    for step in (first, depthwise, pixels):
        torch.testing.assert_close(step.abs(), torch.full_like(step, 1e-3), atol=1e-5, rtol=0.05)


def test_a_resumed_optimiser_goes_on_exactly() -> None:
    whole, stopped = network(), network()
    optimizer, other = MuonAndAdam(whole, 1e-3), MuonAndAdam(stopped, 1e-3)
    for _ in range(4):
        loss(whole).backward()
        optimizer.step(1e-3)
    for _ in range(2):
        loss(stopped).backward()
        other.step(1e-3)
    resumed = network()
    resumed.load_state_dict(stopped.state_dict())
    third = MuonAndAdam(resumed, 1e-3)
    third.load_state_dict(other.state_dict())
    for _ in range(2):
        loss(resumed).backward()
        third.step(1e-3)
    for ours, theirs in zip(resumed.parameters(), whole.parameters(), strict=True):
        assert torch.equal(ours, theirs)
