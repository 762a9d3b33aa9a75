"""What is kept of freed memory, and given back."""

import platform
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from adain.learning.memory import available_memory

MB = 1_000_000
# In a process of its own: how an allocator behaves hangs on all that was allocated before.
SCRIPT = """
import resource, torch
from adain.learning.memory import freed_memory_kept

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()

print(resident())
with freed_memory_kept():
    tensors = [torch.ones(20, 125_000) for _ in range(20)]  # 200 MB
    del tensors
    print(resident())
print(resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's allocator alone is steered")
def test_freed_memory_is_kept_and_then_given_back() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    before, kept, after = map(int, done.stdout.split())
    assert kept > before + 150 * MB
    assert after < before + 50 * MB


def test_some_memory_is_available() -> None:
    assert available_memory(torch.device("cpu")) > 0
