"""The limits of a process that reads files of strangers: memory, CPU time, sizes of files.

They are those of `setrlimit`, which Windows does not have, and for memory only Linux keeps: there
the server's own clock alone ends a process.
"""

from __future__ import annotations

import contextlib
import time

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]


def stand_back() -> None:
    """Where memory ends, have the system end this process before the server; leave no dump."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("500")
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_seconds(seconds: float) -> None:
    """CPU time from now on."""
    if resource is None:
        return
    until = int(time.process_time() + seconds) + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (until, hard))


def limit_memory(size: int) -> None:
    """Bytes of addresses beyond those that this process has."""
    if resource is not None:
        _limit_beyond(resource.RLIMIT_AS, 0, size)


def limit_data(size: int) -> None:
    """Bytes of memory that is this process's alone, beyond what it has: of many threads, each
    reserves more addresses than it uses."""
    if resource is not None:
        _limit_beyond(resource.RLIMIT_DATA, 5, size)


def _limit_beyond(limit: int, column: int, size: int) -> None:
    """Let a limit be ``size`` bytes above what a column of ``/proc/self/statm`` tells."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        with open("/proc/self/statm", encoding="utf-8") as told:
            held = int(told.read().split()[column]) * resource.getpagesize()
        _, hard = resource.getrlimit(limit)
        soft = held + size
        resource.setrlimit(limit, (soft if hard < 0 else min(soft, hard), hard))


def limit_file(size: int) -> None:
    """Bytes of a file that is written: beyond them writing fails."""
    if resource is None:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    soft = size if hard < 0 else min(size, hard)
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
