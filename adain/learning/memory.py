"""Memory: how much there is, and how a CPU keeps it that computes large tensors over and over."""

import ctypes
import os
from pathlib import Path

import torch


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


def available_memory(device: torch.device) -> int:
    """Bytes that can be had on a device without pushing others out."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        fields = dict(line.split(":") for line in lines)
        return 1024 * int(fields["MemAvailable"].split()[0])
    except (OSError, KeyError, ValueError):
        pages = "SC_AVPHYS_PAGES" if "SC_AVPHYS_PAGES" in os.sysconf_names else "SC_PHYS_PAGES"
        return os.sysconf(pages) * os.sysconf("SC_PAGE_SIZE")
