"""Memory of a CPU that computes the same large tensors over and over."""

import ctypes
import os


def keep_freed_memory() -> None:
    """Let glibc keep what is freed, for the next tensor of that size.

    By default it returns the pages of every large tensor to the system and faults them in again,
    which takes up to half of the time of a training step. Elsewhere than on glibc, do nothing.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if mallopt is not None:
        m_trim_threshold, m_mmap_max = -1, -4
        mallopt(m_trim_threshold, -1)
        mallopt(m_mmap_max, 0)
