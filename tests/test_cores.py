"""As many threads as the process may use, by affinity and by control group."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from adain import cores

# What a container pinned with --cpuset-cpus answers: EINVAL for a core outside of the cpuset.
PINNED = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
int pthread_setaffinity_np(pthread_t thread, size_t size, const cpu_set_t *wanted) {
  static int (*real)(pthread_t, size_t, const cpu_set_t *);
  cpu_set_t own, both;
  sched_getaffinity(0, sizeof own, &own);
  CPU_AND(&both, &own, wanted);
  if (CPU_COUNT(&both) == 0) return EINVAL;
  if (!real) real = dlsym(RTLD_NEXT, "pthread_setaffinity_np");
  return real(thread, size, wanted);
}
"""


UNIFIED = "30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
CPU = "34 31 0:31 /docker/abc /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of eight logical processors, two of which make a core."""
    monkeypatch.setattr(cores, "ROOT", tmp_path)
    (tmp_path / "proc/self").mkdir(parents=True)
    for number in range(8):
        folder = tmp_path / cores.PROCESSORS / f"cpu{number}" / "topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(f"{number % 4},{number % 4 + 4}\n")
    allow(monkeypatch, range(8))
    return tmp_path


def allow(monkeypatch: pytest.MonkeyPatch, numbers) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(numbers), raising=False)


def own(machine: Path, groups: str, mount: str) -> None:
    """What this process is told of its groups, and of where they are mounted."""
    (machine / "proc/self/cgroup").write_text(groups)
    (machine / "proc/self/mountinfo").write_text(mount)


def group(machine: Path, path: str, **files: str) -> None:
    folder = machine / "sys/fs/cgroup" / path
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def test_hyper_threads_are_not_counted(machine, monkeypatch):
    assert (cores.cores(), cores.threads()) == (8, 4)
    allow(monkeypatch, {0, 4, 1})
    assert (cores.cores(), cores.threads()) == (3, 2)
    shutil.rmtree(machine / cores.PROCESSORS)
    assert (cores.cores(), cores.threads()) == (3, 3)


def test_a_quota_of_the_group_or_of_one_above_it_bounds(machine):
    own(machine, "0::/pod/container\n", UNIFIED)
    group(machine, "pod/container", cpu__max="max 100000\n")
    assert cores.cores() == 8
    group(machine, "pod", cpu__max="250000 100000\n")
    assert (cores.cores(), cores.threads()) == (3, 3)
    group(machine, "pod/container", cpu__max="50000 100000\n")
    assert (cores.cores(), cores.threads()) == (1, 1)


def test_a_quota_of_version_1_bounds(machine):
    own(machine, "5:memory:/x\n4:cpu,cpuacct:/docker/abc\n0::/\n", CPU)
    # In the container's own mount the path on the host is not to be found.
    group(machine, "cpu,cpuacct", cpu__cfs_quota_us="200000\n", cpu__cfs_period_us="100000\n")
    assert (cores.cores(), cores.threads()) == (2, 2)
    group(machine, "cpu,cpuacct", cpu__cfs_quota_us="-1\n")
    assert cores.cores() == 8


def test_where_nothing_is_known_onnx_runtime_chooses(machine, monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert cores.threads() == 0 and cores.cores() == (os.cpu_count() or 1)


def test_a_pinned_container_leaves_no_red_lines(tmp_path: Path) -> None:
    if not (shutil.which("gcc") and shutil.which("taskset")):
        pytest.skip("no gcc or no taskset on this machine")
    (tmp_path / "pinned.c").write_text(PINNED)
    library = tmp_path / "pinned.so"
    command = ["gcc", "-shared", "-fPIC", "-o", library, tmp_path / "pinned.c", "-ldl"]
    subprocess.run(command, check=True)
    code = (
        "import os, numpy as np\nfrom adain import Stylizer\n"
        "picture = np.zeros((32, 32, 3), np.uint8)\n"
        "Stylizer(device='cpu').stylize(picture, picture)\n"
        "print(len(os.listdir('/proc/self/task')))\n"
    )
    env = os.environ | {"LD_PRELOAD": str(library), "OMP_NUM_THREADS": "1"}
    env["OPENBLAS_NUM_THREADS"] = "1"
    first = str(min(os.sched_getaffinity(0)))
    done = subprocess.run(
        ["taskset", "-c", first, sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=env,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("1\n", "")
