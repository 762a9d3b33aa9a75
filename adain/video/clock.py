"""Where the time of a video goes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """The ``seconds`` that each part of the work has taken so far."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def of(self, part: str) -> Iterator[None]:
        """Add the seconds within to those of a part."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - begun
            self.seconds[part] = self.seconds.get(part, 0.0) + spent
