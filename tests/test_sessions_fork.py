"""A process that is forked off after a Stylizer was opened: gunicorn's workers, a fork pool."""

import os
import subprocess
import sys

import pytest
from helpers import error_of

from adain.sessions import Sessions

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")

BEGIN = """
import multiprocessing, os, sys, threading
import numpy as np
from adain import Stylizer
picture = np.random.default_rng(0).integers(0, 255, (64, 80, 3), np.uint8)
"""
# The child uses the Stylizer, drops it, and ends as a program does: by all that runs at exit.
CHILD_EXITS = """
stylizer = Stylizer(device="cpu", threads=2{options})
before = stylizer.stylize(picture, picture[:40])
child = os.fork()
if not child:
    same = np.array_equal(stylizer.stylize(picture, picture[:40]), before)
    stylizer.give_back_memory()
    del stylizer
    sys.exit(0 if same else 3)
assert os.waitpid(child, 0)[1] == 0
assert np.array_equal(stylizer.stylize(picture[::-1], picture[:40]).shape, before.shape)
"""
POOL = """
stylizer = Stylizer(device="cpu", threads=2)
style = stylizer.encode_style(picture)
def work(alpha):
    return stylizer.stylize(picture, style, alpha)
with multiprocessing.get_context("fork").Pool(2) as pool:
    results = pool.map(work, [0.2, 0.4, 0.6, 0.8])
for alpha, result in zip([0.2, 0.4, 0.6, 0.8], results):
    assert np.abs(result.astype(int) - work(alpha)).max() <= 1
"""
# A thread is in the middle of a picture, and holds locks.
BUSY = """
stylizer = Stylizer(device="cpu", threads=2, memory_limit="2GB")
stop = threading.Event()
def work(seed):
    other = np.random.default_rng(seed).integers(0, 255, (64, 80, 3), np.uint8)
    while not stop.is_set():
        stylizer.stylize(other, picture)
threads = [threading.Thread(target=work, args=(seed,)) for seed in (1, 2)]
for thread in threads:
    thread.start()
for _ in range(4):
    child = os.fork()
    if not child:
        stylizer.stylize(picture, picture)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
stop.set()
"""
# A child that is forked off while a thread imports something waits for that import for ever.
IMPORTS = """
stylizer = Stylizer(device="cpu", threads=2, memory_limit="2GB")
before = set(sys.modules)
stylizer.stylize(picture, picture)
assert not set(sys.modules) - before, set(sys.modules) - before
"""


# A server keeps its Stylizers in a cache, which the child empties.
CACHED = """
from adain.cache import Cache
cache = Cache(2)
for name in ("a", "b"):
    stylizer = Stylizer(device="cpu", threads=2)
    stylizer.stylize(picture, picture)
    cache.put(name, stylizer)
del stylizer
child = os.fork()
if not child:
    sys.exit(0 if cache.find("a") is None else 3)
assert os.waitpid(child, 0)[1] == 0
assert cache.find("a").stylize(picture, picture).shape == picture.shape
"""


def python(code: str) -> None:
    command = [sys.executable, "-c", BEGIN + code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("options", ["", ", memory_limit='1GB'"])
def test_a_child_stylizes_and_ends(options: str) -> None:
    python(CHILD_EXITS.format(options=options))


def test_a_pool_of_forked_processes() -> None:
    python(POOL)


def test_a_child_of_a_cache_of_stylizers() -> None:
    python(CACHED)


def test_a_fork_while_other_threads_are_at_work() -> None:
    python(BUSY)


def test_the_first_picture_imports_nothing() -> None:
    python(IMPORTS)


def test_on_a_gpu_the_child_is_told(stylizer) -> None:
    sessions = Sessions(stylizer._sessions._files, "cpu")
    sessions.kind = "cuda"
    opened = dict(sessions._sessions)
    sessions.renew()
    assert "found a process forked from the one that opened it on cuda" in error_of(
        lambda: sessions.about("encoder")
    )
    assert opened
