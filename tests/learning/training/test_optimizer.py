"""The optimiser on real layers: what is whose, and that both parts move and can be resumed."""

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from torch import Tensor, nn

from adain.learning.models.layers import ToPixels
from adain.learning.training.optimizer import MUON_RATE, MuonAndAdam, orthogonalised


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


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_muon_moves_kernels_by_orthogonal_matrices(dtype: torch.dtype) -> None:
    layers = network()
    before = [layer.weight.detach().clone() for layer in layers if isinstance(layer, nn.Conv2d)]
    loss(layers).backward()
    MuonAndAdam(layers, 1e-3, dtype=dtype).step(1e-3)
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


def polynomial(matrix: Tensor) -> Tensor:
    """Five steps of Newton and Schulz's iteration by the definition, float64."""
    x = matrix.double() / matrix.double().norm()
    for _ in range(5):
        gram = x @ x.T
        x = 3.4445 * x - 4.7750 * gram @ x + 2.0315 * gram @ gram @ x
    return x


@pytest.mark.parametrize("shape", [(16, 144), (32, 32), (48, 12)])
@pytest.mark.parametrize("rank", [4, 48])
def test_float32_computes_the_polynomial(shape: tuple[int, int], rank: int) -> None:
    """Of matrices of full rank, and of those of layers with dead channels."""
    rank = min(rank, *shape)
    generator = torch.Generator().manual_seed(0)
    left = torch.rand(shape[0], rank, generator=generator)
    right = torch.randn(rank, shape[1], generator=generator)
    matrix = (left @ right) * torch.logspace(0, -2, shape[1])
    found, expected = orthogonalised(matrix, torch.float32), polynomial(matrix)
    assert found.dtype == torch.float32
    # The digits of bfloat16 end at 0.004.
    assert (found.double() - expected).norm() < 0.001 * expected.norm()


def test_bfloat16_is_what_pytorch_computes() -> None:
    muon = pytest.importorskip("torch.optim._muon")
    matrix = torch.randn(16, 72, generator=torch.Generator().manual_seed(0))
    theirs = muon._zeropower_via_newtonschulz(matrix, (3.4445, -4.7750, 2.0315), 5, 1e-7)
    assert torch.equal(orthogonalised(matrix, torch.bfloat16), theirs)


def test_a_zero_gradient_moves_nothing() -> None:
    for dtype in (torch.float32, torch.bfloat16):
        assert not orthogonalised(torch.zeros(4, 8), dtype).any()


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
