"""What memory a picture takes, told before the work: a crash tells it after minutes, or never."""

import math

from adain.cgroups import memory_available
from adain.errors import found_error
from adain.images.transparency import GRID
from adain.registry import Model

# Bytes a pixel beside those of the networks: content and result, each float32 RGB, one more time in
# the networks' layout, and what files are made of.
_PICTURES = 45
# Bytes of Python, its libraries and the models' weights.
_PROGRAM = 150_000_000
# Below this share of the estimate a limit certainly does not suffice.
_SURE = 0.85
# What networks take at most unasked: beyond it, tiles take a tenth of the memory.
_AT_ONCE = 4_000_000_000
# What the networks may take for a tile, where no limit is given.
_TILE = 300_000_000
# Of a limit; the arena's blocks do not fit each other to the last byte.
_USED = 0.7


def network_bytes(model: Model, width: int, height: int) -> int:
    """What the networks of a model compute at once on the CPU, for a content of this size."""
    return model.bytes_per_pixel * width * height


def memory_needed(model: Model, width: int, height: int) -> int:
    """Bytes that a process takes in all to stylize a content of this size on the CPU.

    Within a quarter of what is measured from a megapixel on: ONNX Runtime reserves in large blocks.
    """
    return network_bytes(model, width, height) + _PICTURES * width * height + _PROGRAM


def tile_side(model: Model, width: int, height: int, limit: int | None = None) -> int | None:
    """The pixels of a tile's side, with its margins, where a content is to be tiled on the CPU.

    None where it is to be done in one piece: because it fits, or since no tile would fit either,
    which `check_memory` tells. ``limit`` is that of the networks, in bytes.
    """
    free = memory_available()
    networks = network_bytes(model, width, height)
    at_once = _AT_ONCE if limit is None else limit
    fits = free is None or memory_needed(model, width, height) * _SURE <= free
    if fits and networks * _SURE <= at_once:
        return None
    side = largest_tile(model, limit)
    return side if side >= _smallest_tile(model) else None


def largest_tile(model: Model, limit: int | None = None) -> int:
    """The pixels of a tile's side, with its margins, that memory or a limit leaves room for."""
    free = memory_available()
    room = _TILE if limit is None else _USED * limit
    if free is not None:
        room = min(room, 0.5 * free)
    return math.isqrt(int(room / model.bytes_per_pixel))


def reach(model: Model) -> tuple[int, int]:
    """How far the encoder and all of the networks reach, in pixels."""
    return model.encoder_reach, model.encoder_reach + model.decoder_reach


def _smallest_tile(model: Model) -> int:
    return 2 * reach(model)[1] + int(GRID)


def check_memory(
    name: str, model: Model, width: int, height: int, limit: int | None = None
) -> None:
    """Raise AdaINError where a content is too large for the memory that is free, or for a limit.

    ``limit`` is that of the networks, in bytes. The message names the ``name`` of the content, and
    a ``max_side`` that would do.
    """
    needed, bound, what = network_bytes(model, width, height), limit, "the memory limit of"
    if bound is None or needed * _SURE <= bound:
        needed, bound, what = memory_needed(model, width, height), memory_available(), "the free"
    if bound is None or needed * _SURE <= bound:
        return
    side = math.floor(max(width, height) * math.sqrt(0.9 * bound / needed))
    found = f"{width:,} x {height:,} pixels, for which {model.name} takes {_readable(needed)}"
    allowed = f"what fits into {what} {_readable(bound)}, such as a max_side of {max(1, side)}"
    raise found_error(name, found, allowed)


def _readable(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
