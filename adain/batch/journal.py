"""A journal of what made each file, by which work that is done is told from work that is not.

A SQLite file beside the results: it holds any number of rows outside of memory, and a row is there
whole or not at all, whatever interrupts.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import tempfile
import threading
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from adain.batch import stores
from adain.errors import failing

NAME = ".adain-journal.sqlite"
_TABLE = """
create table if not exists made (
    result text primary key, recipe text, source text, source_size integer, source_time integer,
    size integer, time integer
) without rowid
"""


def recipe_digest(about: Mapping[str, Any]) -> str:
    """A digest of options, styles and model, which are JSON or numbers and bytes in it."""
    text = json.dumps(about, sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> str:
    data = value if isinstance(value, bytes) else value.tobytes() + repr(value.shape).encode()
    return hashlib.sha256(data).hexdigest()


class Read(NamedTuple):
    """A source as it was when it was read, and not as it may be when its result is written."""

    digest: str
    size: int
    time: int


class Made(NamedTuple):
    """A result as it was when it had been written."""

    size: int
    time: int

    @classmethod
    def of(cls, result: Path) -> Made:
        about = result.stat()
        return cls(about.st_size, about.st_mtime_ns)


def read_source(source: Path) -> tuple[Read, Path | bytes]:
    """What a source is like, and what to decode: itself, or an object's bytes."""
    # In this order: a source that changes meanwhile has another time than this.
    about = source.stat()
    data, digest = stores.source_and_digest(source)
    return Read(digest, about.st_size, about.st_mtime_ns), data


class Recorder(Protocol):
    """Who knows what is done, and is told what has been made."""

    def is_done(self, result: Path, source: Path, recipe: str) -> bool: ...

    def record(self, result: Path, read: Read, recipe: str) -> None: ...


class Journal:
    """What results below a folder were made of; one for many threads.

    ``file`` is the journal's own; by default it lies in the folder.
    """

    def __init__(self, folder: Path, file: Path | None = None) -> None:
        self._folder, self._lock = folder, threading.Lock()
        with self._failing():
            self._rows = sqlite3.connect(file or folder / NAME, check_same_thread=False)
            # Rows that a power cut loses are work done twice, and no worse.
            self._rows.execute("pragma synchronous = off")
            self._rows.execute(_TABLE)
            self._rows.commit()

    def _failing(self) -> Any:
        allowed = "one that adain wrote, or none"
        return failing(str(self._folder / NAME), "a journal that cannot be used", allowed)

    def is_done(self, result: Path, source: Path, recipe: str) -> bool:
        """Whether a whole result is there that the same recipe made of the same bytes.

        A source of the same size and time counts as the same; else its content decides, as where a
        store tells no times.
        """
        with self._lock, self._failing():
            row = self._rows.execute(
                "select recipe, source, source_size, source_time, size, time from made"
                " where result = ?",
                (result.as_posix(),),
            ).fetchone()
        if row is None or row[0] != recipe:
            return False
        try:
            now, made = source.stat(), Made.of(self._folder / result)
            if made != row[4:]:
                return False
            if now.st_mtime_ns and (now.st_size, now.st_mtime_ns) == row[2:4]:
                return True
            return bool(now.st_size == row[2] and stores.source_and_digest(source)[1] == row[1])
        except OSError:
            return False

    def record(self, result: Path, read: Read, recipe: str, made: Made | None = None) -> None:
        """A result was written whole, of what was ``read``; ``made`` is how it was then."""
        row = (result.as_posix(), recipe, *read, *(made or Made.of(self._folder / result)))
        with self._lock, self._failing():
            self._rows.execute("insert or replace into made values (?, ?, ?, ?, ?, ?, ?)", row)
            self._rows.commit()

    def close(self) -> None:
        with self._lock:
            self._rows.close()


class StoredJournal(Journal):
    """The journal of an object store: a copy on this machine, put back from time to time.

    What was made after the last time is made again, where this process is killed.
    """

    def __init__(self, folder: Path, seconds: float = 300) -> None:
        self._place, self._seconds = folder / NAME, seconds
        self._put = time.monotonic()
        self._temporary = tempfile.TemporaryDirectory(prefix="adain-journal-")
        self._copy = Path(self._temporary.name) / NAME
        allowed = "one that adain wrote, or none, in a writable place"
        self._putting = partial(failing, str(self._place), "a journal that cannot be used", allowed)
        with self._putting():
            if self._place.exists():
                self._copy.write_bytes(self._place.read_bytes())
        super().__init__(folder, self._copy)
        self._listed: Path | None = None

    def is_done(self, result: Path, source: Path, recipe: str) -> bool:
        folder = (self._place.parent / result).parent
        if folder != self._listed:
            # One request for all in it, which stores that keep their listings answer from.
            stores.list_folder(folder)
            self._listed = folder
        return super().is_done(result, source, recipe)

    def record(self, result: Path, read: Read, recipe: str, made: Made | None = None) -> None:
        super().record(result, read, recipe, made)
        if time.monotonic() > self._put + self._seconds:
            self.put()

    def put(self) -> None:
        """Put the copy into the store."""
        with self._lock, self._putting():
            stores.write(self._place, self._copy.read_bytes())
        self._put = time.monotonic()

    def close(self) -> None:
        try:
            self.put()
        finally:
            super().close()
            self._temporary.cleanup()


def open_journal(folder: Path) -> Journal:
    """The journal of a folder of results, or of a place in an object store."""
    return StoredJournal(folder) if stores.is_stored(folder) else Journal(folder)
