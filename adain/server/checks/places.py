"""A number of places, of which no client may have all."""

from __future__ import annotations

from collections import Counter


class Places:
    """``total`` places, ``each`` of them for one client."""

    def __init__(self, total: int, each: int) -> None:
        self.total, self.each = total, each
        self._taken: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        return self._taken.total()

    def take(self, client: str) -> bool:
        """Whether there was a place."""
        if self.taken >= self.total or self._taken[client] >= self.each:
            self._taken += Counter()  # without those that have none
            return False
        self._taken[client] += 1
        return True

    def give_back(self, client: str) -> None:
        self._taken[client] -= 1
        if self._taken[client] <= 0:
            del self._taken[client]
