"""Resident memory of this process, and its peak; without PyTorch, which would be in the figure."""

import re
from pathlib import Path

STATUS = Path("/proc/self/status")


def peak_memory() -> int | None:
    """The most memory this process has held, in bytes; None where no VmHWM is told.

    getrusage would count what the parent held when it started this process.
    """
    return _field("VmHWM")


def resident_memory() -> int | None:
    """The memory that this process holds now, in bytes; None where no VmRSS is told."""
    return _field("VmRSS")


def _field(name: str) -> int | None:
    if not STATUS.exists():
        return None
    text = STATUS.read_text(encoding="utf-8")
    found = re.search(rf"^{name}:\s+(\d+) kB$", text, re.MULTILINE)
    return 1024 * int(found[1]) if found else None
