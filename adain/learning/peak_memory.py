"""Peak resident memory of this process; without PyTorch, which would be in the figure."""

import re
from pathlib import Path

STATUS = Path("/proc/self/status")


def peak_memory() -> int | None:
    """The most memory this process has held, in bytes; None where no VmHWM is told.

    getrusage would count what the parent held when it started this process.
    """
    if not STATUS.exists():
        return None
    found = re.search(r"^VmHWM:\s+(\d+) kB$", STATUS.read_text(encoding="ascii"), re.MULTILINE)
    return 1024 * int(found[1]) if found else None
