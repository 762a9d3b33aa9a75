"""What memory an optimisation takes, and how it is made to fit: checkpointing, tiles, less history.

`adain.footprint` is the same for trained networks.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from adain.amounts import memory_in_bytes
from adain.errors import AdaINError, found_error
from adain.images.transparency import GRID
from adain.learning.gatys.objective import MARGIN, WIDER
from adain.learning.gatys.options import GatysOptions
from adain.learning.memory import available_memory
from adain.learning.models.vgg import VGG19Layers
from adain.learning.models.vgg_layers import CONVOLUTIONS, SMALLEST_VGG19_SIDE, stride
from adain.learning.peak_memory import resident_memory

# Steps that L-BFGS remembers, two pictures each, and how few will do where memory is short: after
# 30 iterations at the second of two sizes, 256 px, the loss was 4 % higher with 2 than with 20.
PAIRS, FEWEST_PAIRS = 20, 2
# Pictures that an optimiser holds beside them: the point, the one that is tried, their gradients,
# and a step of the first size of all. Adam's are hardly others.
_PICTURES = 5
# What does not grow with the picture.
_OTHERS = 60_000_000
# Gram matrices of a style with a guide: what is wanted, that of the whole and its derivative, and a
# tile's. Those of a style without one are among the others.
_GRAMS = 4
# Of what is free, what an allocator keeps from one tile for others of another size: at 4096 x 4096
# in bfloat16, where 3030 MB were free, the peak was 85 MB above what had been estimated.
_KEPT = 0.1
# Sides of tiles without their margins. Beyond the largest, margins cost little more than a half.
_INNER = range(512, 0, -GRID)


@dataclass(frozen=True)
class Plan:
    """How a size is optimised: ``tile`` is a tile's side with margins, None for one piece."""

    checkpointing: bool = False
    tile: int | None = None
    pairs: int = PAIRS


def room(options: GatysOptions, device: torch.device) -> int:
    """Bytes that may still be taken: what is free, or what a memory limit leaves.

    AdaINError where that is nothing, whatever the size.
    """
    free = available_memory(device)
    if options.memory_limit is None:
        return free
    held = resident_memory() if device.type == "cpu" else torch.cuda.memory_allocated(device)
    left = memory_in_bytes(options.memory_limit) - (held or 0)
    if left <= 0:
        raise found_error(
            "memory_limit",
            f"{options.memory_limit!r}, while {(held or 0) / 1e6:.0f} MB are held before it begins",
            "more than that",
        )
    return min(free, left)


def plan(
    vgg: VGG19Layers,
    width: int,
    height: int,
    options: GatysOptions,
    free: int,
    styles: Sequence[tuple[int, int]] = (),
    guides: int = 0,
) -> Plan:
    """The fastest plan that fits into so many bytes; AdaINError where none does.

    ``styles`` are the widths and heights that the styles are looked at in, and ``guides`` is how
    many maps there are of where they go.

    That is one piece, then one with checkpointing (a third more time), then tiles (about 2.5 times
    the time), which are as large and L-BFGS remembers as much as there is room for.
    """
    chosen = options.checkpointing
    for checkpointing in (False, True) if chosen is None else (chosen,):
        if memory_needed(vgg, width, height, options, Plan(checkpointing), styles, guides) <= free:
            return Plan(checkpointing)
    # What is kept is left free, unless even the smallest tiles need it.
    for inner, kept in [(i, _KEPT) for i in _INNER] + [(i, 0) for i in _INNER]:
        least = Plan(bool(chosen), inner + 2 * MARGIN, FEWEST_PAIRS)
        left = int((1 - kept) * free) - memory_needed(
            vgg, width, height, options, least, styles, guides
        )
        if left >= 0:
            more = left // _pictures(width, height, 1, 0)
            return Plan(least.checkpointing, least.tile, min(PAIRS, FEWEST_PAIRS + more))
    constant, pictures = max(_phases(vgg, width, height, options, least, styles, guides), key=sum)
    needed = constant + pictures
    scale = math.sqrt(max(0, free - constant) / pictures)
    side = int(scale * max(width, height)) // 10 * 10
    fits = side and min(width, height) * side >= SMALLEST_VGG19_SIDE * max(width, height)
    allowed = f"a long side of about {side} pixels (--max-side)" if fits else "more, for any size"
    raise AdaINError(
        f"{width} x {height} pixels: found {max(0, free) / 1e6:.0f} MB of memory to use, but the"
        f" optimisation needs about {needed / 1e6:.0f} MB; allowed is {allowed}"
    )


def memory_needed(
    vgg: VGG19Layers,
    width: int,
    height: int,
    options: GatysOptions,
    plan: Plan,
    styles: Sequence[tuple[int, int]] = (),
    guides: int = 0,
) -> int:
    """About how many bytes an optimisation of this size takes at its peak.

    Measured on a CPU: 341 MB at 256 x 256, 1209 at 512 x 512, 890 there with checkpointing, and 601
    in bfloat16, of which this says 353, 1231, 897 and 716; 643 at 640 x 640 by tiles of 352, with
    a step remembered, of which it says 703. ``styles`` and ``guides`` as `plan` takes them: with
    Adam each of 6 guides added 152 MB at 512 x 512, 171 in bfloat16, 125 with checkpointing, and
    each of 4 by tiles of 288 at 640 x 640 19 MB, of which this says 139, 171, 139 and 20.
    """
    return max(map(sum, _phases(vgg, width, height, options, plan, styles, guides)))


def _phases(
    vgg: VGG19Layers,
    width: int,
    height: int,
    options: GatysOptions,
    plan: Plan,
    styles: Sequence[tuple[int, int]],
    guides: int,
) -> list[tuple[int, int]]:
    """Bytes of what comes one after the other: what a tile takes, and pictures, which grow.

    First the styles are described, without gradients, and then there is the optimisation.
    """

    def features(size: tuple[int, int], side: int | None, plan: Plan) -> float:
        w, h = size if side is None else (min(side, size[0]), min(side, size[1]))
        return _features(vgg, w, h, options, plan)

    inner = (width, height)
    if plan.tile is not None:
        inner = min(plan.tile - 2 * MARGIN, width), min(plan.tile - 2 * MARGIN, height)
    guided = guides * _guided(*inner, options)
    pictures = _pictures(width, height, plan.pairs) + guides * _maps(width, height, options)
    phases = [(features((width, height), plan.tile, plan) + guided, pictures)]
    if styles:
        side = None if plan.tile is None else round(WIDER * plan.tile)
        whole = replace(plan, checkpointing=False)  # which is for gradients
        largest = max(features(size, side, whole) for size in styles) / WIDER**2
        held = sum(_pictures(*size, 0, 1) for size in styles) + _pictures(width, height, 0, 2)
        held += guides * 4 * width * height
        phases.append((largest, held))
    if plan.tile is None:
        return [(_OTHERS, int(found) + held) for found, held in phases]
    return [(int(found) + _OTHERS, held) for found, held in phases]


def _features(
    vgg: VGG19Layers, width: int, height: int, options: GatysOptions, plan: Plan
) -> float:
    """The features, and the gradients, of what is looked at at once."""
    layers = [*options.content_layers, *options.style_layers]
    # Beside a tile's features lie those of its content, and a copy of the weights as kernels want
    # them, which in one piece are little.
    copies = 2.0 if plan.tile is None else 2.5
    if plan.checkpointing:
        # The largest stage is the first; what goes into the others is kept, and what they compute
        # comes and goes.
        layers, copies = ["relu1_2"], 3.4
    return copies * _itemsize(options) * vgg.activations(height, width, layers)


def _guided(width: int, height: int, options: GatysOptions) -> int:
    """Bytes of the features under one guide, which a gradient needs, and of their Gram matrices.

    They are in float32, and cost a quarter more on the way there from bfloat16.
    """
    values = products = 0
    for name in options.style_layers:
        _, channels = CONVOLUTIONS[name.removeprefix("relu")]
        values += channels * (width // stride(name)) * (height // stride(name))
        products += _GRAMS * channels**2
    return (5 if options.precision == "bf16" else 4) * values + 4 * products


def _maps(width: int, height: int, options: GatysOptions) -> int:
    """Bytes of one guide, in float32 at the sizes of the style layers."""
    return 4 * sum((width // stride(n)) * (height // stride(n)) for n in options.style_layers)


def _pictures(width: int, height: int, pairs: int, others: int = _PICTURES) -> int:
    """Bytes of the float32 RGB pictures that an optimiser holds."""
    return 4 * 3 * width * height * (2 * pairs + others)


def _itemsize(options: GatysOptions) -> int:
    return 2 if options.precision == "bf16" else 4
