"""The optimizer of training: Muon for the convolutions, Adam for everything else."""

from typing import Any

import torch
from torch import Tensor, nn

from adain.learning.models.layers import ToPixels
from adain.learning.training.schedule import MUON_RATE

# The quintic of Jordan et al. 2024, and how often it is applied.
QUINTIC = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5


class MuonAndAdam:
    """Muon (Jordan et al. 2024) on the kernels of convolutions as matrices, Adam on the rest.

    A matrix is ``[out, in * height * width]``. The rest: biases, depthwise kernels, and the kernels
    that touch pixels, whose few channels leave nothing to orthogonalise. ``muon=False`` leaves
    everything to Adam. ``dtype``: what Muon orthogonalises in, bfloat16 as its authors do or
    float32 where that is faster.
    """

    def __init__(
        self,
        network: nn.Module,
        learning_rate: float,
        *,
        muon: bool = True,
        dtype: torch.dtype = torch.bfloat16,
    ) -> None:
        self._kernels = [
            layer.weight
            for layer in network.modules()
            if muon
            and isinstance(layer, nn.Conv2d)
            and layer.groups == 1
            and layer.in_channels > 3
            and not isinstance(layer, ToPixels)
        ]
        # Muon takes matrices only: these share the kernels' memory.
        self._matrices = [nn.Parameter(_matrix(kernel.detach())) for kernel in self._kernels]
        chosen = set(map(id, self._kernels))
        rest = [parameter for parameter in network.parameters() if id(parameter) not in chosen]
        self._parameters = [*self._kernels, *rest]
        self._optimizers: dict[str, torch.optim.Optimizer] = {
            "adam": torch.optim.Adam(rest, lr=learning_rate, betas=(0.9, 0.99))
        }
        if self._matrices:
            self._optimizers["muon"] = Muon(self._matrices, MUON_RATE * learning_rate, dtype)

    def step(self, learning_rate: float) -> None:
        """Move the parameters by their gradients, and forget these."""
        for kernel, matrix in zip(self._kernels, self._matrices, strict=True):
            matrix.grad = None if kernel.grad is None else _matrix(kernel.grad)
        for name, optimizer in self._optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = learning_rate * (MUON_RATE if name == "muon" else 1)
            optimizer.step()
        for parameter in (*self._parameters, *self._matrices):
            parameter.grad = None

    def state_dict(self) -> dict[str, Any]:
        return {name: optimizer.state_dict() for name, optimizer in self._optimizers.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, optimizer in self._optimizers.items():
            optimizer.load_state_dict(state[name])


class Muon(torch.optim.Optimizer):
    """Muon for matrices: Nesterov momentum 0.95, orthogonalised (Jordan et al. 2024).

    As ``torch.optim.Muon`` without weight decay, whose state it takes, but for the dtype of the
    orthogonalisation, which that does not let one choose.
    """

    MOMENTUM = 0.95

    def __init__(self, matrices: list[nn.Parameter], lr: float, dtype: torch.dtype) -> None:
        super().__init__(matrices, {"lr": lr})
        self.dtype = dtype

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is None:
                    continue
                state = self.state[matrix]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(matrix.grad)
                momentum = state["momentum_buffer"].lerp_(matrix.grad, 1 - self.MOMENTUM)
                update = orthogonalised(matrix.grad.lerp(momentum, self.MOMENTUM), self.dtype)
                rows, columns = matrix.shape
                matrix.add_(update, alpha=-group["lr"] * max(1.0, rows / columns) ** 0.5)


def orthogonalised(matrix: Tensor, dtype: torch.dtype) -> Tensor:
    """Newton and Schulz's iteration: ``[m, n]`` with its singular values brought near 1.

    Returns ``dtype``, bfloat16 or float32. The values come to lie between some 0.7 and 1.2, which
    is as good as 1 to Muon, but those below some 1e-3 of the matrix's norm stay smaller.
    """
    x = matrix.to(dtype)
    if len(x) > x.shape[1]:
        return orthogonalised(x.T, dtype).T
    x = x / x.norm().clamp(min=1e-7)
    return _iterated(x) if dtype == torch.bfloat16 else _iterated_by_gram_matrix(x)


def _iterated(x: Tensor) -> Tensor:
    a, b, c = QUINTIC
    for _ in range(ITERATIONS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x


def _iterated_by_gram_matrix(x: Tensor) -> Tensor:
    """The same polynomial of ``x`` from ``x x^T``: all but two products are of ``[m, m]``.

    A third of the time for kernels of 3x3, whose matrices are nine times as wide as high. It needs
    the digits of float32: in the Gram matrix small singular values are squared.
    """
    a, b, c = QUINTIC
    gram = x @ x.T
    product = None
    for last in [False] * (ITERATIONS - 1) + [True]:
        factor = torch.addmm(gram, gram, gram, beta=b, alpha=c)
        factor.diagonal().add_(a)
        product = factor if product is None else factor @ product
        if not last:
            gram = factor @ gram @ factor
    assert product is not None
    return product @ x


def _matrix(kernel: Tensor) -> Tensor:
    # In channels_last memory this order is a view, which the optimiser then changes in place.
    return kernel.permute(0, 2, 3, 1).reshape(len(kernel), -1)
