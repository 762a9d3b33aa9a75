"""Folding a style into plain convolutions: the same pictures, without the style."""

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from torch import Tensor

from adain.learning.models.fast import Fast
from adain.learning.models.one_style import INNER_BLOCKS, OneStyle
from adain.learning.models.pretrained import load_model


def waves(height: int, width: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 5, 6, generator=generator)
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)


@torch.no_grad()
def test_the_folded_network_gives_what_fast_gives() -> None:
    fast = load_model("fast")
    assert isinstance(fast, Fast)
    one = torch.ones(1, 1, 1, 1)
    for seed in range(3):
        style = fast.style(waves(64, 80, seed))
        folded = OneStyle.folded(fast, style)
        for content in (waves(48, 64, 10 + seed), torch.full((2, 3, 16, 24), 0.7)):
            ours = folded(content).clamp(0, 1)
            theirs = fast.decoder(*fast.encoder(content), style, one).clamp(0, 1)
            assert ours.shape == content.shape
            assert 255 * (ours - theirs).abs().max() < 1
    # Fast itself is as it was.
    before = load_model("fast").parameters()
    assert all(torch.equal(a, b) for a, b in zip(fast.parameters(), before, strict=True))


@torch.no_grad()
def test_weights_say_of_what_shape_a_network_is() -> None:
    fast = load_model("fast")
    assert isinstance(fast, Fast)
    folded = OneStyle.folded(fast, fast.style(waves(64, 64, 0)))
    few = sum(p.numel() for p in OneStyle(fast).keep_inner(INNER_BLOCKS).parameters())
    assert (
        few
        < sum(p.numel() for p in folded.parameters())
        < sum(p.numel() for p in fast.parameters())
    )
    for count in (INNER_BLOCKS, 100):
        tensors = (
            folded.keep_inner(count).state_dict() if count < 100 else OneStyle(fast).state_dict()
        )
        again = OneStyle.shaped_like(tensors)
        again.load_state_dict(tensors)
        assert len(again.decoder.inner) == min(count, len(fast.decoder.inner))
