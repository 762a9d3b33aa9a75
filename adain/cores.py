"""The processor cores that this process may use: affinity, cgroup quotas, hyper-threads."""

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")
PROCESSORS = Path("/sys/devices/system/cpu")


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
    physical = {_read(PROCESSORS / f"cpu{n}/topology/thread_siblings_list") or n for n in allowed}
    return min(len(physical), cores())


def _allowed() -> set[int]:
    given = getattr(os, "sched_getaffinity", None)
    return given(0) if given else set()


def _quota() -> float:
    """Processors' worth of time that the control groups grant, infinite where none says."""
    return min((share for share in _shares() if share > 0), default=math.inf)


def _shares() -> Iterator[float]:
    """Of each group above this process, in version 1 and 2: none has more than its parent's."""
    for line in (_read(OWN_CGROUP) or "").splitlines():
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if controllers and "cpu" not in controllers.split(","):
            continue
        mount = CGROUPS / controllers if controllers else CGROUPS
        # In a container the path may be the host's, and the mount is then the group itself.
        for folder in (mount / path.strip("/"), *(mount / path.strip("/")).parents):
            if controllers:
                words = [_read(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period")]
            else:
                words = [*(_read(folder / "cpu.max") or "").split(), None, None][:2]
            with suppress(ValueError, ZeroDivisionError):  # "max", or no such file
                yield float(words[0] or "") / float(words[1] or "")
            if folder == mount:
                break


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
