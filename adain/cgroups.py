"""Control groups, and the memory that this process may use: the machine's, or less.

Containers and services are limited by control groups (version 1 or 2, a group within another) and
by `setrlimit`; the smallest of all these limits counts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import NamedTuple

ROOT = Path("/")


class _Names(NamedTuple):
    """The files of a control group."""

    limits: tuple[str, ...]
    usage: str
    cached: str  # the line of memory.stat for what the system drops before it is out of memory


# By version. In 2, a group beyond "high" is slowed down until it stands still.
_NAMES = {
    1: _Names(("memory.limit_in_bytes",), "memory.usage_in_bytes", "total_inactive_file"),
    2: _Names(("memory.max", "memory.high"), "memory.current", "inactive_file"),
}


def memory_limit(root: Path = ROOT) -> int | None:
    """Bytes that this process may have in all; None where nobody tells.

    ``root`` is the folder that holds ``proc`` and the mounted control groups.
    """
    limits = [limit for limit, _ in _limited_groups(root)]
    limits += _resource_limits()
    with suppress(AttributeError, ValueError, OSError):
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min(limits, default=None)


def memory_available(root: Path = ROOT) -> int | None:
    """Bytes that can be had without pushing others out; None where nobody tells."""
    found = [max(0, limit - used) for limit, used in _limited_groups(root)]
    with suppress(OSError, KeyError, ValueError):
        lines = (root / "proc/meminfo").read_text(encoding="utf-8").splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        found.append(1024 * int(fields["MemAvailable"].split()[0]))
    return min(found, default=None)


def _limited_groups(root: Path) -> Iterator[tuple[int, int]]:
    """The limit and the use of each group that this process is in and that has a limit."""
    for folder, version in control_groups("memory", root):
        names = _NAMES[version]
        found = [limit for name in names.limits if (limit := _number(folder / name)) is not None]
        if found:
            used = (_number(folder / names.usage) or 0) - _cached(folder, names.cached)
            yield min(found), used


def control_groups(controller: str, root: Path = ROOT) -> Iterator[tuple[Path, int]]:
    """The folders of this process's groups for a controller, and their version, 1 or 2.

    Each comes with those around it, whose limits hold within them as well. ``controller`` is
    ``"memory"`` or ``"cpu"``.
    """
    try:
        own = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
        mounts = (root / "proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return
    paths = {}
    for line in own:
        with suppress(ValueError):
            _, controllers, path = line.split(":", 2)
            if not controllers:
                paths["cgroup2"] = path
            elif controller in controllers.split(","):
                paths["cgroup"] = path
    for line in mounts:
        before, _, after = line.partition(" - ")
        fields, (kind, *more) = before.split(), after.split() or [""]
        if kind not in paths or len(fields) < 5:
            continue
        if kind == "cgroup" and controller not in more[-1].split(","):
            continue
        top = root / fields[4].lstrip("/")
        inner = _below(paths[kind], fields[3])
        for part in (inner, *inner.parents):
            yield top / part, 1 if kind == "cgroup" else 2


def _below(path: str, mounted: str) -> PurePosixPath:
    """A group's path within what is mounted.

    A container often has its own group mounted at the top, under the name that it has outside.
    """
    try:
        inner = PurePosixPath(path).relative_to(mounted)
    except ValueError:
        return PurePosixPath(".")
    return PurePosixPath(".") if ".." in inner.parts else inner


def _number(path: Path) -> int | None:
    with suppress(OSError, ValueError):  # none such, or no number: "max"
        # As UTF-8, which Python has loaded anyway: a process that is forked off while a thread
        # imports the codec of ASCII would wait for that import for ever.
        return int(path.read_text(encoding="utf-8"))
    return None


def _cached(folder: Path, name: str) -> int:
    with suppress(OSError, ValueError):
        for line in (folder / "memory.stat").read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(" ")
            if key == name:
                return int(value)
    return 0


def _resource_limits() -> list[int]:
    try:
        import resource
    except ImportError:  # Windows has none
        return []
    found = (resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA))
    return [limit for limit in found if limit != resource.RLIM_INFINITY]
