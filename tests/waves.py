"""Tensors of noise and pictures of waves, for the tests of the optimisation."""

import numpy as np
import torch
from torch import Tensor

from adain.images.picture import Picture


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def picture(width: int, height: int, seed: int) -> Picture:
    """Waves of a few colours."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / 16
    waves = [np.sin(a * x + b * y + c) for a, b, c in generator.uniform(-3, 3, (3, 3))]
    return Picture((0.5 + 0.4 * np.stack(waves, axis=2)).astype(np.float32))
