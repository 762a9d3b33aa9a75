"""Projected L-BFGS for pixels: box constraints, and a line search that never lets the loss rise."""

import math
from collections import deque
from collections.abc import Callable

import torch
from torch import Tensor


class ProjectedLBFGS:
    """Minimise a function of a tensor whose values are kept in [low, high].

    Nocedal and Wright, "Numerical Optimization", algorithms 7.4 and 7.5, with the projection of
    Bertsekas, "Projected Newton methods" (1982): values at a bound that the gradient pushes outward
    stay out of the direction, and every trial point is projected before the function looks at it.
    A step that does not decrease the function enough (Armijo's rule) is halved, and where halving
    does not help, the memory is dropped and steepest descent takes over. As a rule one iteration is
    one evaluation.
    """

    ARMIJO = 1e-4
    HALVINGS = 12

    def __init__(
        self,
        evaluate: Callable[[Tensor], tuple[float, Tensor]],
        start: Tensor,
        *,
        low: float = 0.0,
        high: float = 1.0,
        memory: int = 20,
        first_step: float = 0.02,
    ) -> None:
        """``evaluate`` gives value and gradient at a point; ``first_step`` is how far the first
        step, for which no curvature is known yet, moves a value on average."""
        self._evaluate = evaluate
        self.low, self.high = low, high
        self.first_step = first_step
        self.point = start.clamp(low, high)
        self.value, self._gradient = evaluate(self.point)
        self.evaluations = 1
        self._pairs: deque[tuple[Tensor, Tensor, float]] = deque(maxlen=memory)

    def step(self) -> bool:
        """One iteration; False, and nothing changed, where no step makes the value smaller."""
        if self._advance():
            return True
        if self._pairs:
            self._pairs.clear()
            return self._advance()
        return False

    def _free(self) -> Tensor:
        """Where a value may follow the gradient: not outward from its bound."""
        outward_low = (self.point <= self.low) & (self._gradient > 0)
        outward_high = (self.point >= self.high) & (self._gradient < 0)
        return ~(outward_low | outward_high)

    def _direction(self) -> Tensor:
        free = self._free()
        q = self._gradient * free
        if not self._pairs:
            size = q.abs().mean().item()
            return q * (-self.first_step / size if size > 0 else 0.0)
        coefficients = []
        for s, y, rho in reversed(self._pairs):
            a = rho * _dot(s, q)
            q.sub_(y, alpha=a)
            coefficients.append(a)
        s, y, rho = self._pairs[-1]
        q.mul_(1 / (rho * _dot(y, y)))
        for (s, y, rho), a in zip(self._pairs, reversed(coefficients), strict=True):
            q.add_(s, alpha=a - rho * _dot(y, q))
        return q.neg_().mul_(free)

    def _advance(self) -> bool:
        length = 1.0
        for _ in range(self.HALVINGS):
            point = self._trial(length)
            if point is None:
                return False
            expected = _dot(self._gradient, point - self.point)
            value, gradient = self._evaluate(point)
            self.evaluations += 1
            if math.isfinite(value) and value <= self.value + self.ARMIJO * min(expected, 0.0):
                if value == self.value and expected >= 0:
                    return False
                self._remember(point - self.point, gradient - self._gradient)
                self.point, self.value, self._gradient = point, value, gradient
                return True
            length *= 0.5
        return False

    def _trial(self, length: float) -> Tensor | None:
        """The point that far along the direction; None where it does not lead down.

        What it takes is given back before the function is evaluated, and where a length is halved,
        which is rare, the direction is computed again: a large picture's would be in the way.
        """
        direction = self._direction()
        if not _dot(direction, self._gradient) < 0:
            return None
        return torch.add(self.point, direction, alpha=length).clamp_(self.low, self.high)

    def _remember(self, moved: Tensor, change: Tensor) -> None:
        curvature = _dot(moved, change)
        # Where the function curves downwards, or rounding says so, the pair would spoil the rest.
        if curvature > 1e-10 * _dot(change, change):
            self._pairs.append((moved, change, 1 / curvature))


def _dot(a: Tensor, b: Tensor) -> float:
    # float32 sums of millions of products are exact enough where torch adds them pairwise.
    return float(torch.dot(a.flatten(), b.flatten()))
