"""Consistency losses: what changes with its content costs nothing, what flickers does."""

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

import torch.nn.functional as F
from torch import Tensor

from adain.learning.training import consistency

ALL = consistency.Share(4, slice(None))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def image() -> Tensor:
    """Smooth, so that it can be interpolated."""
    points = torch.rand(4, 3, 12, 12, generator=generator())
    return F.interpolate(points, (96, 96), mode="bicubic", align_corners=False).clamp(0, 1)


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consistency, "_NOISE", 0.0)


def test_the_content_is_warped_and_noisy(image: Tensor) -> None:
    change = consistency.steady(image, generator(1), ALL)
    assert change.content.shape == image.shape
    assert 0.01 < (change.content - image).abs().mean() < 0.3
    # Each sample by a motion of its own.
    same = consistency.steady(image[:1].expand(4, -1, -1, -1), generator(1), ALL).content
    assert not torch.allclose(same[0], same[1], atol=0.02)
    again = consistency.steady(image, generator(1), ALL).content
    assert torch.equal(again, change.content)


def test_a_share_is_changed_as_in_the_whole_batch(image: Tensor) -> None:
    whole = consistency.steady(image, generator(1), ALL)
    part = consistency.steady(image[2:], generator(1), consistency.Share(4, slice(2, 4)))
    torch.testing.assert_close(part.content, whole.content[2:])
    torch.testing.assert_close(part.loss(image[2:], image[2:]), whole.loss(image, image)[2:])


@pytest.mark.usefixtures("quiet")
def test_what_moves_with_its_content_costs_nothing(image: Tensor) -> None:
    change = consistency.steady(image, generator(1), ALL)
    made = change.loss(0.5 * image, 0.5 * change.content)
    assert made.shape == (4,) and made.max() < 0.02
    # What stays where it is does.
    assert change.loss(image, image).min() > 0.1


def test_noise_that_comes_through_costs(image: Tensor) -> None:
    change = consistency.steady(image, generator(1), ALL)
    grid = consistency._warp(tuple(image.shape), generator(1))
    through = change.loss(image, change.content)
    without = change.loss(image, consistency._warped(image, grid))
    assert (through > without).all()


def test_paler_pictures_do_not_pay(image: Tensor) -> None:
    """The plain difference would fall with the contrast; this one hardly does."""
    change = consistency.steady(image, generator(1), ALL)
    noise = 0.1 * torch.randn(image.shape, generator=generator(2))
    first, later = image, change.content + noise
    full = change.loss(first, later).mean()
    pale = change.loss(0.5 + 0.25 * (first - 0.5), 0.5 + 0.25 * (later - 0.5)).mean()
    assert 0.75 * full < pale <= 1.01 * full


def test_both_pictures_learn(image: Tensor) -> None:
    change = consistency.steady(image, generator(1), ALL)
    first = (1 - image).requires_grad_()
    later = (1 - change.content + 0.05 * image).detach().requires_grad_()
    change.loss(first, later).sum().backward()
    for picture in (first, later):
        assert picture.grad is not None and picture.grad.abs().mean() > 0


def test_the_border_does_not_count(image: Tensor) -> None:
    """What lies near to it may be seen reflected."""
    change = consistency.steady(image, generator(1), ALL)
    other = change.content.clone()
    other[..., :6] = 0.5
    plain, framed = (change.loss(image, later) for later in (change.content, other))
    # But for the contrast that both are taken relative to.
    torch.testing.assert_close(plain, framed, rtol=0.06, atol=0)


def test_shift_moves_by_whole_pixels(image: Tensor) -> None:
    change = consistency.shift(image, generator(3), ALL)
    assert change.loss(image, change.content).max() == 0
    assert change.loss(image, image).min() > 0
