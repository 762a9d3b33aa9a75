"""Projected L-BFGS on functions whose minimum is known."""

import math
from itertools import pairwise

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from torch import Tensor

from adain.learning.gatys.lbfgs import ProjectedLBFGS


def quadratic(target: Tensor, scale: Tensor) -> object:
    def evaluate(x: Tensor) -> tuple[float, Tensor]:
        return float((scale * (x - target).square()).sum()), 2 * scale * (x - target)

    return evaluate


def test_a_badly_scaled_quadratic() -> None:
    generator = torch.Generator().manual_seed(0)
    target = torch.rand(200, generator=generator)
    scale = torch.logspace(-2, 2, 200)
    search = ProjectedLBFGS(quadratic(target, scale), torch.full((200,), 0.5))
    start, steps = search.value, 0
    while steps < 150 and search.step():
        steps += 1
    # Steepest descent would need thousands of steps here.
    assert search.value < 1e-5 * start
    assert search.evaluations < 1.2 * steps


def test_bounds_hold_and_the_minimum_lies_on_them() -> None:
    """The function may only be asked within the bounds; beyond them lies its free minimum."""
    target, scale = torch.tensor([-1.0, 0.4, 3.0]), torch.tensor([1.0, 10.0, 5.0])
    asked = []
    evaluate = quadratic(target, scale)

    def recorded(x: Tensor) -> tuple[float, Tensor]:
        asked.append(x.clone())
        return evaluate(x)  # type: ignore[operator]

    search = ProjectedLBFGS(recorded, torch.tensor([0.9, 0.9, 0.1]))
    while search.step():
        pass
    torch.testing.assert_close(search.point, torch.tensor([0.0, 0.4, 1.0]), atol=1e-4, rtol=0)
    assert all(x.min() >= 0 and x.max() <= 1 for x in asked)


def test_rosenbrock_falls_all_the_way() -> None:
    def evaluate(x: Tensor) -> tuple[float, Tensor]:
        point = x.detach().requires_grad_()
        value = 100 * (point[1] - point[0] ** 2) ** 2 + (1 - point[0]) ** 2
        (gradient,) = torch.autograd.grad(value, point)
        return value.item(), gradient

    start = torch.tensor([-1.2, 1.0], dtype=torch.float64)
    search = ProjectedLBFGS(evaluate, start, low=-2, high=2)
    values = [search.value]
    while search.step() and len(values) < 200:
        values.append(search.value)
    assert all(later <= before for before, later in pairwise(values))
    torch.testing.assert_close(search.point, torch.ones(2, dtype=torch.float64), atol=1e-3, rtol=0)


def test_a_function_that_breaks_is_stepped_around() -> None:
    """Where the function is not finite the step is halved; the last good point is kept."""

    def evaluate(x: Tensor) -> tuple[float, Tensor]:
        if float(x.max()) > 0.6:
            return math.nan, torch.full_like(x, math.nan)
        return float((1 - x).square().sum()), -2 * (1 - x)

    search = ProjectedLBFGS(evaluate, torch.zeros(4), first_step=10)
    for _ in range(100):
        if not search.step():
            break
    assert 0.5 < float(search.point.min()) <= float(search.point.max()) <= 0.6


def test_a_minimum_is_the_end() -> None:
    search = ProjectedLBFGS(quadratic(torch.zeros(3), torch.ones(3)), torch.zeros(3))
    assert not search.step()
    assert search.evaluations == 1
