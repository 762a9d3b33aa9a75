"""The processor cores that this process may use: affinity, cgroup quotas, hyper-threads."""

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from adain.cgroups import control_groups

# The folder that holds ``proc``, ``sys`` and the mounted control groups.
ROOT = Path("/")
PROCESSORS = "sys/devices/system/cpu"


def cores() -> int:
    """How many of the machine's logical processors this process may use, at least 1.

    Those that it may run on (`taskset`, `--cpuset-cpus`), and no more than its share of time
    (`--cpus`, a Kubernetes limit), rounded up.
    """
    allowed = _allowed()
    count = len(allowed) if allowed else os.cpu_count() or 1
    return max(1, math.ceil(min(count, _quota())))


def threads() -> int:
    """How many threads compute fastest: one on each core, hyper-threads not counted.

    0, ONNX Runtime's word for its own choice, where the system does not say what is allowed. Its
    choice pins a thread to each core of the machine, which fails, with red lines on stderr, for
    those that are not this process's.
    """
    allowed = _allowed()
    if not allowed:
        return 0
    # Siblings share the core they list, and a processor whose list is not to be had is its own.
    physical = {
        _read(ROOT / PROCESSORS / f"cpu{n}/topology/thread_siblings_list") or n for n in allowed
    }
    return min(len(physical), cores())


def _allowed() -> set[int]:
    given = getattr(os, "sched_getaffinity", None)
    return given(0) if given else set()


def _quota() -> float:
    """Processors' worth of time that the control groups grant, infinite where none says."""
    return min((share for share in _shares() if share > 0), default=math.inf)


def _shares() -> Iterator[float]:
    for folder, version in control_groups("cpu", ROOT):
        if version == 1:
            words = [_read(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period")]
        else:
            words = [*(_read(folder / "cpu.max") or "").split(), None, None][:2]
        with suppress(ValueError, ZeroDivisionError):  # "max", or no such file
            yield float(words[0] or "") / float(words[1] or "")


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None
