"""The layers of VGG-19 by name; without PyTorch, so that options can be checked without it."""

from collections.abc import Iterable
from typing import Literal

from adain.errors import found_error

# The convolutions to conv5_1 in order; the number before the underscore is the stage, and stages
# are parted by pooling. The layer reluX_Y is convX_Y followed by ReLU.
CONVOLUTIONS = {
    "1_1": (3, 64), "1_2": (64, 64), "2_1": (64, 128), "2_2": (128, 128), "3_1": (128, 256),
    "3_2": (256, 256), "3_3": (256, 256), "3_4": (256, 256), "4_1": (256, 512),
    "4_2": (512, 512), "4_3": (512, 512), "4_4": (512, 512), "5_1": (512, 512),
}  # fmt: skip
LAYERS = tuple(f"relu{name}" for name in CONVOLUTIONS)
# An image must be this large for the reflections at 1/16 of its size.
SMALLEST_VGG19_SIDE = 32

Pooling = Literal["average", "max"]


def check_layers(layers: Iterable[str]) -> list[str]:
    """The names as a list; AdaINError for one that is no layer of VGG-19 up to relu5_1."""
    names = list(layers)
    for name in names:
        if name not in LAYERS:
            raise found_error("layer", repr(name), ", ".join(LAYERS))
    return names


def stride(layer: str) -> int:
    """How many pixels a place of a layer stands for, along either side."""
    return int(2 ** (int(layer.removeprefix("relu")[0]) - 1))
