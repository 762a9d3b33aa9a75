"""The options of style transfer by optimisation; without PyTorch, as the CLI reads them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from adain.amounts import memory_in_bytes
from adain.choices import check_choices
from adain.colours import Colours
from adain.errors import found_error
from adain.learning.models.vgg_layers import Pooling, check_layers
from adain.maps import check_shares
from adain.registry import DEFAULT_MODEL

CONTENT_LAYERS = {"relu4_2": 1.0}
STYLE_LAYERS = dict.fromkeys(("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"), 0.2)


@dataclass(frozen=True)
class GatysOptions:
    """How to optimise; weights and layers are those of `adain.learning.gatys.objective`'s equation.

    ``style_weight`` is that at 512 x 512; elsewhere it is scaled by the number of pixels, so that
    content and style keep their balance at all sizes. ``iterations`` are those of the first size;
    each further one, twice as large up to the picture's own, has half as many as the one before.
    ``style_shares`` mix several styles, evenly by default; they need not sum to 1.
    ``style_scale`` is the style's long side over the content's. ``checkpointing`` None: where the
    memory would not suffice without it. ``memory_limit`` is what the process may hold at its peak,
    in bytes or as "4GB", about: beyond it a size is optimised by tiles, whose gradient is the same.
    """

    iterations: int = 300
    init: Literal["content", "noise", "adain"] = "content"
    content_weight: float = 1.0
    style_weight: float = 5e7
    tv_weight: float = 0.0
    content_layers: Mapping[str, float] = field(default_factory=lambda: dict(CONTENT_LAYERS))
    style_layers: Mapping[str, float] = field(default_factory=lambda: dict(STYLE_LAYERS))
    optimizer: Literal["lbfgs", "adam"] = "lbfgs"
    learning_rate: float = 0.02
    style_shares: Sequence[float] | None = None
    style_scale: float = 1.0
    colours: Colours = "style"
    coarse_to_fine: bool = True
    pooling: Pooling = "max"
    vgg: Literal["paper", "torchvision"] = "paper"
    model: str = DEFAULT_MODEL
    precision: Literal["fp32", "bf16"] = "fp32"
    checkpointing: bool | None = None
    memory_limit: int | str | None = None
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        def check(good: bool, name: str, allowed: str) -> None:
            if not good:
                raise found_error(name, repr(getattr(self, name)), allowed)

        check_choices(self)
        check(self.iterations >= 0, "iterations", "0 or more")
        for name in ("content_weight", "style_weight", "tv_weight"):
            check(0 <= getattr(self, name) < float("inf"), name, "0 or more")
        check(0 < self.learning_rate < float("inf"), "learning_rate", "more than 0")
        check(0.1 <= self.style_scale <= 10, "style_scale", "0.1 to 10")
        # What torch takes of all its generators.
        check(-(2**63) <= self.seed < 2**64, "seed", "-2**63 to 2**64 - 1")
        if self.memory_limit is not None:
            memory_in_bytes(self.memory_limit)
        for layers in (self.content_layers, self.style_layers):
            check_layers(layers)
        if self.style_shares is not None:
            check_shares(self.style_shares)
