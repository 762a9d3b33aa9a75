"""Processes and the memory they hold, as Linux tells it."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def resident(process: int, field: str = "VmRSS") -> float:
    """MB that a process holds in memory; NaN where the system does not tell."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except OSError:
        return float("nan")
    found = re.search(rf"^{field}:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) * 1024 / 1e6 if found else float("nan")


def highest(process: int) -> float:
    """MB that a process has ever held."""
    return resident(process, "VmHWM")


def family(process: int) -> Iterator[int]:
    """A process and those that it has started; itself alone where the system does not tell."""
    yield process
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just ended
            text = path.read_text(encoding="utf-8", errors="replace")
            if text.rpartition(")")[2].split()[1] == str(process):
                yield int(path.parent.name)


def shared(process: int) -> float:
    """MB that are the process's own or its share of what several have."""
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0.0
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) * 1024 / 1e6 if found else 0.0
