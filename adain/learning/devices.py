"""PyTorch's devices: which one is meant, the precision that pays there, and its peak rate."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch

from adain.cores import cores
from adain.errors import AdaINError, found_error

# Less than this is noise, and no reason to give up 16 bits of every number.
WORTHWHILE = 1.2


def limit_threads() -> None:
    """Let PyTorch compute with no more threads than this process may use cores.

    It minds affinity, and not the CPU quota of a container: its threads would wait for each other
    whenever the quota is spent.
    """
    if (allowed := cores()) < torch.get_num_threads():
        torch.set_num_threads(allowed)


def torch_device(name: str) -> torch.device:
    """The device ``auto``, ``cpu``, ``cuda`` or ``cuda:N``; AdaINError for a GPU that is not there.

    ``auto`` is a GPU where PyTorch sees one.
    """
    limit_threads()
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind, colon, number = name.partition(":")
    if name != "cpu" and (kind != "cuda" or (colon and not number.isdecimal())):
        raise found_error("device", repr(name)[:80], "auto, cpu, cuda or cuda:N")
    if kind == "cuda" and not torch.cuda.is_available():
        raise AdaINError(f"device: found {name!r}, but PyTorch sees no CUDA device; allowed is cpu")
    if colon and int(number) >= (count := torch.cuda.device_count()):
        raise found_error("device", repr(name), f"cuda:N with N below {count}")
    return torch.device(name)


@contextmanager
def one_thread() -> Iterator[None]:
    """PyTorch on one thread of the CPU, whose seconds do not depend on who else computes."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def matrix_peak(device: torch.device, dtype: torch.dtype, seconds: float = 1.0) -> float:
    """Floating-point operations a second that this machine reaches in a plain matrix product.

    The best of the products that fit into ``seconds``, and of one at least.
    """
    side = 8192 if device.type == "cuda" else 2048
    if dtype == torch.bfloat16 and not bf16_pays(device):
        side = 256  # a larger one would take a minute
    return _rate(device, dtype, side, seconds)


@cache
def bf16_pays(device: torch.device) -> bool:
    """Whether a bfloat16 matrix product is faster than a float32 one there, measured in 0.2 s.

    Processors without instructions for it take hundreds of times as long, and those with AVX-512
    alone about as long, so what a processor is called says little.
    """
    side = 4096 if device.type == "cuda" else 256
    single, half = (_rate(device, dtype, side, 0.1) for dtype in (torch.float32, torch.bfloat16))
    return half > WORTHWHILE * single


def training_dtype(precision: str, device: torch.device) -> torch.dtype:
    """The dtype of ``auto``, ``bf16`` or ``fp32`` on a device."""
    if precision == "auto":
        precision = "bf16" if bf16_pays(device) else "fp32"
    return torch.bfloat16 if precision == "bf16" else torch.float32


def _rate(device: torch.device, dtype: torch.dtype, side: int, seconds: float) -> float:
    left, right = (torch.rand(side, side, device=device).to(dtype) for _ in range(2))
    left @ right  # the first one sets libraries up
    best, end = math.inf, time.monotonic() + seconds
    while time.monotonic() < end or best == math.inf:
        if device.type == "cuda":
            torch.cuda.synchronize()
        started = time.monotonic()
        left @ right
        if device.type == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.monotonic() - started)
    return 2 * side**3 / best
