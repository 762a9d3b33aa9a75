"""A thread-safe LRU cache, bounded by number, cost and age, which computes a value once.

Libraries have caches with a bound or an age; none computes once for threads that ask at the same
time while other keys go on, and puts off the age with each use.
"""

import hashlib
import os
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

Value = TypeVar("Value")


@dataclass
class _Kept(Generic[Value]):
    value: Value
    cost: float
    expires: float


class _Pending(Generic[Value]):
    """A value that a thread computes and others wait for."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.value: list[Value] = []


class Cache(Generic[Value]):
    """The values of the keys that were used last."""

    def __init__(
        self,
        count: int | None = None,
        *,
        limit: float | None = None,
        cost: Callable[[Value], float] = lambda value: 0,
        seconds: float | None = None,
    ) -> None:
        """At most ``count`` values are kept, of at most ``limit`` by their ``cost`` in all, each
        for ``seconds`` after its last use; None: no bound. With a count of 0 each call computes.
        """
        self._count, self._limit, self._cost, self._seconds = count, limit, cost, seconds
        self.hits = 0
        self.renew()
        _all.add(self)

    def renew(self) -> None:
        """Begin anew, in a child whose parent's threads may have been in the middle of a change."""
        self._lock = threading.Lock()
        # In the order of use, which is that of expiry.
        self._kept: OrderedDict[Hashable, _Kept[Value]] = OrderedDict()
        self._pending: dict[Hashable, _Pending[Value]] = {}
        self._total = 0.0

    def get(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        """The value of a key; what several threads ask for at once is computed by one.

        Where ``compute`` raises, the next thread computes; nothing is kept.
        """
        with self._lock:
            kept = self._find(key)
            if kept is not None:
                self.hits += 1
                return kept.value
            if self._count == 0:
                pending = _Pending[Value]()
            else:
                pending = self._pending.setdefault(key, _Pending())
        with pending.lock:
            if pending.value:
                with self._lock:
                    self.hits += 1
                    self._find(key)
                return pending.value[0]
            try:
                value = compute()
                pending.value.append(value)
                with self._lock:
                    self._put(key, value)
            finally:
                with self._lock:
                    if self._pending.get(key) is pending:
                        del self._pending[key]
            return value

    @property
    def keeps(self) -> bool:
        """Whether anything is ever kept: where nothing is, a key need not be computed."""
        return self._count != 0

    def find(self, key: Hashable) -> Value | None:
        """The value of a key, None where there is none."""
        with self._lock:
            kept = self._find(key)
            return None if kept is None else kept.value

    def put(self, key: Hashable, value: Value) -> None:
        with self._lock:
            self._put(key, value)

    def items(self) -> list[tuple[Hashable, Value]]:
        """Keys and values, the last used at the end."""
        with self._lock:
            return [(key, kept.value) for key, kept in self._kept.items()]

    def clear(self) -> None:
        """Forget everything; what is being computed is kept when it is done."""
        with self._lock:
            self._kept.clear()
            self._total = 0.0

    def _find(self, key: Hashable) -> _Kept[Value] | None:
        self._shrink()
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            kept.expires = self._expiry()
        return kept

    def _put(self, key: Hashable, value: Value) -> None:
        old = self._kept.pop(key, None)
        self._total += self._cost(value) - (old.cost if old else 0)
        self._kept[key] = _Kept(value, self._cost(value), self._expiry())
        self._shrink()

    def _expiry(self) -> float:
        return float("inf") if self._seconds is None else time.monotonic() + self._seconds

    def _shrink(self) -> None:
        now = time.monotonic()
        while self._kept:
            first = next(iter(self._kept.values()))
            crowded = self._count is not None and len(self._kept) > self._count
            costly = self._limit is not None and self._total > self._limit
            if not (crowded or costly or first.expires < now):
                return
            self._kept.popitem(last=False)
            self._total -= first.cost


def _after_fork() -> None:
    for cache in list(_all):
        # What it held is not to end here: a session of ONNX Runtime would wait for its threads,
        # which a child does not have, for ever.
        _of_the_parent.append((cache._kept, cache._pending))
        cache.renew()


_all: "weakref.WeakSet[Cache[Any]]" = weakref.WeakSet()
_of_the_parent: list[Any] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def digest(array: npt.NDArray[np.float32]) -> bytes:
    """A key for an array's values and shape; it must be C-contiguous."""
    hashed = hashlib.blake2b(repr(array.shape).encode(), digest_size=16)
    hashed.update(array.data)
    return hashed.digest()
