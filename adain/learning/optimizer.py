"""The optimiser of training: Muon for the convolutions, Adam for everything else."""

from typing import Any

import torch
from torch import Tensor, nn

from adain.learning.layers import ToPixels

# A step of Muon has this spectral norm for a learning rate of 1, whatever the width of the layer;
# scaled to the size of Adam's steps instead (Liu et al. 2025) it was too much for wide layers and
# too little for narrow ones.
MUON_RATE = 5.0


class MuonAndAdam:
    """Muon (Jordan et al. 2024) on the kernels of convolutions as matrices, Adam on the rest.

    A matrix is ``[out, in * height * width]``. The rest: biases, depthwise kernels, and the kernels
    that touch pixels, whose few channels leave nothing to orthogonalise. ``muon=False`` leaves
    everything to Adam.
    """

    def __init__(self, network: nn.Module, learning_rate: float, *, muon: bool = True) -> None:
        self._kernels = [
            layer.weight
            for layer in network.modules()
            if muon
            and isinstance(layer, nn.Conv2d)
            and layer.groups == 1
            and layer.in_channels > 3
            and not isinstance(layer, ToPixels)
        ]
        # torch.optim.Muon takes matrices only: these share the kernels' memory.
        self._matrices = [nn.Parameter(_matrix(kernel.detach())) for kernel in self._kernels]
        chosen = set(map(id, self._kernels))
        rest = [parameter for parameter in network.parameters() if id(parameter) not in chosen]
        self._parameters = [*self._kernels, *rest]
        self._optimizers: dict[str, torch.optim.Optimizer] = {
            "adam": torch.optim.Adam(rest, lr=learning_rate, betas=(0.9, 0.99))
        }
        if self._matrices:
            self._optimizers["muon"] = torch.optim.Muon(
                self._matrices,
                lr=MUON_RATE * learning_rate,
                weight_decay=0.0,
                adjust_lr_fn="original",
            )

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


def _matrix(kernel: Tensor) -> Tensor:
    # In channels_last memory this order is a view, which the optimiser then changes in place.
    return kernel.permute(0, 2, 3, 1).reshape(len(kernel), -1)
