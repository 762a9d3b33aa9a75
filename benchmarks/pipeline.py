"""What is timed: pictures in and out, whichever network and runtime does the work."""

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Pixels: TypeAlias = npt.NDArray[np.uint8]  # [H, W, 3]


class Pipeline(Protocol):
    """uint8 pictures [H, W, 3] in and out; what an encoded style is differs."""

    def encode_style(self, pixels: Pixels, /) -> Any: ...

    def stylize(self, content: Pixels, style: Any, alpha: float = 1.0, /) -> Pixels: ...


def random_pixels(generator: np.random.Generator) -> Callable[[int], Pixels]:
    """A source of pictures that nothing has seen before: what has been seen may be cached."""
    return lambda size: generator.integers(0, 256, (size, size, 3), np.uint8)
