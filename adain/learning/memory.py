"""Memory: how much is free, and an allocator that keeps what is freed for the next tensor."""

import contextlib
import ctypes
import os
from collections.abc import Callable, Iterator, Mapping

import torch

from adain.cgroups import memory_available

# Parameters of glibc's mallopt, and what they are by default.
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
_DEFAULTS = {_TRIM_THRESHOLD: 128 * 1024, _MMAP_MAX: 65_536}


def keep_freed_memory() -> None:
    """Let glibc keep what is freed, for the next tensor of that size.

    By default it returns the pages of every large tensor to the system and faults them in again,
    which takes up to half of the time of a training step. Elsewhere than on glibc, do nothing.
    """
    _set({_TRIM_THRESHOLD: -1, _MMAP_MAX: 0})


@contextlib.contextmanager
def freed_memory_kept() -> Iterator[None]:
    """`keep_freed_memory` within; afterwards the system gets back what was kept."""
    keep_freed_memory()
    try:
        yield
    finally:
        _set(_DEFAULTS)
        give_back_freed_memory()


def give_back_freed_memory() -> None:
    """Let the system have what is freed, wherever it lies; elsewhere than on glibc, do nothing."""
    trim = _from_libc("malloc_trim")
    if trim is not None:
        trim(0)


def _set(parameters: Mapping[int, int]) -> None:
    mallopt = _from_libc("mallopt")
    if mallopt is not None:
        for parameter, value in parameters.items():
            mallopt(parameter, value)


def _from_libc(name: str) -> Callable[..., object] | None:
    return getattr(ctypes.CDLL(None), name, None) if os.name == "posix" else None


def available_memory(device: torch.device) -> int:
    """Bytes that can be had on a device without pushing others out."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    found = memory_available()
    if found is not None:
        return found
    pages = "SC_AVPHYS_PAGES" if "SC_AVPHYS_PAGES" in os.sysconf_names else "SC_PHYS_PAGES"
    return os.sysconf(pages) * os.sysconf("SC_PAGE_SIZE")
