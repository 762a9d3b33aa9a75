"""The folder of uploads and results: what lies in it, and for how long."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

# What a visitor left half uploaded when the connection broke.
UNFINISHED = 600.0


class Uploads:
    """Gradio's folder, emptied of what is older than ``keep`` seconds or too much for ``limit``.

    Gradio deletes by itself only files that it has named to somebody: parts of a form that are no
    files of its own, and uploads that broke off, would stay.
    """

    def __init__(self, folder: Path, keep: float, limit: int) -> None:
        self._folder = os.path.realpath(folder)
        self._keep = keep
        self.limit = limit
        self._lasting: set[str] = set()
        self._lock = threading.Lock()

    def holds(self, path: str) -> bool:
        """Whether a path, with all links and dots resolved, leads into the folder."""
        try:
            return os.path.realpath(path).startswith(self._folder + os.sep)
        except (ValueError, OSError):
            return False

    def keep_what_is_here(self) -> None:
        """Never delete the pictures that the page itself offers."""
        self._lasting = {path for path, _ in self._files()}

    def sweep(self) -> None:
        """Delete what is old, and then the oldest of the rest until they fit the limit."""
        with self._lock:
            now = time.time()
            young = []
            for path, found in self._files():
                used = max(found.st_mtime, found.st_ctime)
                unfinished = os.path.dirname(path) == self._folder
                if path in self._lasting:
                    continue
                if now - used > (UNFINISHED if unfinished else self._keep):
                    _delete(path)
                else:
                    young.append((used, found.st_size, path))
            total = sum(size for _, size, _ in young)
            for _, size, path in sorted(young):
                if total <= self.limit:
                    break
                _delete(path)
                total -= size

    def _files(self) -> Iterator[tuple[str, os.stat_result]]:
        for place, _, names in os.walk(self._folder):
            for name in names:
                path = os.path.join(place, name)
                with suppress(OSError):
                    yield path, os.stat(path, follow_symlinks=False)


def _delete(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)
        os.rmdir(os.path.dirname(path))  # of the upload's own, and only where it is empty now
