"""The folder of uploads and results: what lies in it, and for how long."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PREFIX = "adain-server-"

# What a visitor left half uploaded when the connection broke.
UNFINISHED = 600.0
MOST = 10_000  # files


class Uploads:
    """Gradio's folder, emptied of what is older than ``keep`` seconds or too much.

    ``limit`` bytes in at most ``most`` files stay.

    Gradio deletes by itself only files that it has named to somebody: parts of a form that are no
    files of its own, and uploads that broke off, would stay.
    """

    def __init__(self, folder: Path, keep: float, limit: int, most: int = MOST) -> None:
        self._folder = os.path.realpath(folder)
        self.most = most
        self._keep = keep
        self.limit = limit
        self._lasting: set[str] = set()
        self._seen: dict[str, tuple[float, float]] = {}  # when it was used, and that was seen
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
        """Delete what is old, and then the oldest of the rest until they fit the limits.

        A file's age is counted from the sweep that first saw it as it is, by a clock that nobody
        sets: by the times of files, a jump of the system's clock would make all of them old.
        """
        with self._lock:
            now = time.monotonic()
            young, seen = [], {}
            for path, found in self._files():
                used = max(found.st_mtime, found.st_ctime)
                unfinished = os.path.dirname(path) == self._folder
                if path in self._lasting:
                    continue
                before, since = self._seen.get(path, (used, now))
                since = since if before == used else now
                if now - since > (UNFINISHED if unfinished else self._keep):
                    _delete(path)
                else:
                    seen[path] = used, since
                    young.append((since, used, found.st_size, path))
            self._seen = seen
            total = sum(size for *_, size, _ in young)
            for number, (*_, size, path) in enumerate(sorted(young)):
                if total <= self.limit and len(young) - number <= self.most:
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


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that goes with the process; those of servers that were killed go now.

    A server holds a lock on its own, which the system takes from it when it ends in any way.
    """
    _remove_left_over()
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as folder:
        if fcntl is None:
            yield Path(folder)
            return
        held = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield Path(folder)
        finally:
            os.close(held)


def _remove_left_over() -> None:
    if fcntl is None:
        return
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # another's, or one that is held
            found = path.lstat()
            young = time.time() - found.st_mtime < 60  # perhaps its lock is to come
            if found.st_uid != os.getuid() or young:
                continue
            held = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(held)
