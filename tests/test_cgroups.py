"""Limits of memory: control groups of both versions, nested, within containers and not."""

from __future__ import annotations

from pathlib import Path

import pytest

from adain import cgroups
from adain.cgroups import memory_available, memory_limit

MB = 10**6
UNIFIED = "30 1 0:26 {mounted} /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
MEMORY = "35 31 0:32 {mounted} /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory\n"
CPU = "34 31 0:31 {mounted} /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
NONE_1 = 9223372036854771712  # how version 1 says that there is no limit


def system(root: Path, own: str, mounts: str, files: dict[str, object]) -> Path:
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(own)
    (root / "proc/self/mountinfo").write_text(mounts)
    (root / "proc/meminfo").write_text(f"MemTotal: 9 kB\nMemAvailable: {800 * MB // 1024} kB\n")
    for name, value in files.items():
        path = root / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{value}\n")
    return root


LIMITED = [
    # A container with a namespace of its own: its group is the top of what it sees.
    ("0::/\n", UNIFIED, "/", {"memory.max": 500 * MB}),
    # A systemd service within a slice; the slice's limit is the smaller one.
    (
        "0::/adain.slice/adain.service\n",
        UNIFIED,
        "/",
        {
            "adain.slice/adain.service/memory.max": "max",
            "adain.slice/memory.max": 500 * MB,
            "adain.slice/adain.service/memory.high": 700 * MB,
        },
    ),
    ("0::/a/b\n", UNIFIED, "/", {"a/b/memory.high": 500 * MB, "a/b/memory.max": 900 * MB}),
    # A container without one: it sees its group at the top, and is told the name outside.
    (
        "0::/docker/0123\n4:memory:/docker/0123\n1:cpu:/docker/0123\n",
        CPU + MEMORY,
        "/docker/0123",
        {"memory/memory.limit_in_bytes": 500 * MB},
    ),
    # As much, but what is mounted and what is told do not fit.
    ("4:memory:/lxc/7\n", MEMORY, "/other", {"memory/memory.limit_in_bytes": 500 * MB}),
    ("0::/../../outside\n", UNIFIED, "/", {"memory.max": 500 * MB}),
    # Version 1, a group within another.
    (
        "4:cpuset,memory:/pods/one\n",
        MEMORY,
        "/",
        {
            "memory/pods/one/memory.limit_in_bytes": NONE_1,
            "memory/pods/memory.limit_in_bytes": 500 * MB,
            "memory/memory.limit_in_bytes": NONE_1,
        },
    ),
]


@pytest.mark.parametrize(("own", "mounts", "mounted", "files"), LIMITED)
def test_the_smallest_limit_of_all_groups_counts(
    own: str, mounts: str, mounted: str, files: dict[str, object], tmp_path: Path
) -> None:
    root = system(tmp_path, own, mounts.format(mounted=mounted), files)
    assert memory_limit(root) == 500 * MB


def test_what_is_used_is_not_available_but_for_caches(tmp_path: Path) -> None:
    files = {
        "memory.max": 500 * MB,
        "memory.current": 300 * MB,
        "memory.stat": f"anon 5\ninactive_file {100 * MB}",
    }
    root = system(tmp_path, "0::/\n", UNIFIED.format(mounted="/"), files)
    assert memory_available(root) == 300 * MB


def test_without_groups_it_is_the_machines(tmp_path: Path) -> None:
    everything = memory_limit(tmp_path)
    assert everything is None or everything > 100 * MB
    root = system(tmp_path / "a", "0::/\n", "", {})
    assert memory_available(root) == 800 * MB
    assert memory_limit(root) == everything
    assert memory_available(tmp_path / "nothing") is None


def test_a_limit_of_the_process_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cgroups, "_resource_limits", lambda: [123 * MB])
    assert memory_limit(tmp_path) == 123 * MB
