"""The cache: what it forgets and in which order, and that threads compute a value once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from adain import cache as module
from adain.cache import Cache


def made(cache: Cache[str], *keys: str) -> list[str]:
    """The keys that had to be computed."""
    computed: list[str] = []

    def compute(key: str) -> str:
        computed.append(key)
        return key * 2

    for key in keys:
        assert cache.get(key, lambda key=key: compute(key)) == key * 2
    return computed


def test_the_least_recently_used_goes_first() -> None:
    cache = Cache[str](2)
    assert made(cache, "a", "b", "a", "c", "a", "b") == ["a", "b", "c", "b"]
    assert [key for key, _ in cache.items()] == ["a", "b"]
    assert cache.hits == 2
    cache.clear()
    assert cache.items() == [] and made(cache, "a") == ["a"]


def test_a_count_of_0_keeps_nothing() -> None:
    assert made(Cache(0), "a", "a") == ["a", "a"]


def test_cost_is_bounded_in_all() -> None:
    cache = Cache[str](limit=5, cost=len)
    assert made(cache, "a", "b") == ["a", "b"]
    assert made(cache, "c") == ["c"] and cache.find("a") is None
    assert made(cache, "long") == ["long"] and cache.items() == []
    cache.put("a", "1234")
    cache.put("a", "12345")  # the new value's cost counts, not both
    assert cache.find("a") == "12345"


def test_each_use_puts_off_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    cache = Cache[str](seconds=10)
    cache.put("a", "1")
    cache.put("b", "2")
    now[0] += 9
    assert cache.find("a") == "1"
    now[0] += 9
    assert cache.find("b") is None and cache.find("a") == "1"
    now[0] += 11
    assert cache.items() != [] and cache.find("a") is None and cache.items() == []


def test_threads_that_ask_at_once_share_one_computation() -> None:
    cache, computed = Cache[str](8), []
    begun, done = threading.Event(), threading.Event()

    def compute() -> str:
        computed.append("value")
        begun.set()
        done.wait()
        return "value"

    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(cache.get, "key", compute)
        begun.wait()
        others = [pool.submit(cache.get, "key", compute) for _ in range(7)]
        done.set()
        assert {each.result() for each in (first, *others)} == {"value"}
    assert computed == ["value"] and cache.hits == 7


def test_other_keys_do_not_wait() -> None:
    cache = Cache[str](4)

    def compute() -> str:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(cache.get, "other", lambda: "fast").result(timeout=300) + "er"

    assert cache.get("slow", compute) == "faster"


def test_a_failure_is_not_kept() -> None:
    cache = Cache[str](4)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            cache.get("a", lambda: str(1 / 0))
    assert cache._pending == {} and made(cache, "a") == ["a"]
