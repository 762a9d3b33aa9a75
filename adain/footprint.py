"""What memory a picture takes, told before the work: a crash tells it after minutes, or never."""

import math

from adain import weights
from adain.cgroups import memory_available
from adain.errors import found_error

# Bytes a pixel beside those of the networks: content and result, each float32 RGB, one more time in
# the networks' layout, and what files are made of.
_PICTURES = 45
# Bytes of Python, its libraries and the models' weights.
_PROGRAM = 150_000_000
# Below this share of the estimate a limit certainly does not suffice.
_SURE = 0.85


def network_bytes(model: str, width: int, height: int) -> int:
    """What the networks of a model compute at once on the CPU, for a content of this size."""
    return weights.about(model).bytes_per_pixel * width * height


def memory_needed(model: str, width: int, height: int) -> int:
    """Bytes that a process takes in all to stylize a content of this size on the CPU.

    Within a quarter of what is measured from a megapixel on: ONNX Runtime reserves in large blocks.
    """
    return network_bytes(model, width, height) + _PICTURES * width * height + _PROGRAM


def check_memory(name: str, model: str, width: int, height: int, limit: int | None = None) -> None:
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
    found = f"{width:,} x {height:,} pixels, for which {model} takes {_readable(needed)}"
    allowed = f"what fits into {what} {_readable(bound)}, such as a max_side of {max(1, side)}"
    raise found_error(name, found, allowed)


def _readable(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
