"""Checkpoints of a video under way, by which a run that was killed is gone on with.

A SQLite file beside the output holds what was encoded, in pieces: a piece is there whole, with
what its next frame depends on, or not at all, whatever interrupts.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import numpy as np

from adain.errors import failing, found_error
from adain.video.frames import is_folder

# Frames: what a kill costs at most. Encoders begin anew as often, with a key frame.
PIECE = 100
_TABLES = """
create table if not exists about (key text primary key, value text);
create table if not exists state (only integer primary key check (only = 1), arrays blob);
create table if not exists parts (frame integer, head text, data blob);
create index if not exists frames on parts (frame);
"""


class Progress:
    """The finished pieces of an output, made by one recipe; one run at a time has them."""

    def __init__(self, output: Path, recipe: Mapping[str, str]) -> None:
        """``recipe`` are digests by the names of what they are of.

        Raises AdaINError where there are pieces of another recipe, or another run has them.
        """
        self._output, self._path = output, progress_file(output)
        with self._failing():
            # No transaction begins but by _begin.
            self._rows = sqlite3.connect(self._path, timeout=0, isolation_level=None)
        try:
            self._open(recipe)
        except BaseException:
            self.close()
            raise

    def _open(self, recipe: Mapping[str, str]) -> None:
        with self._failing():
            self._rows.execute("pragma locking_mode = exclusive")
            self._rows.executescript(_TABLES)
            self._begin()
            self.frames = int(self._told("frames", "0"))
            if not self.frames:
                self._rows.execute("delete from about where key = 'recipe'")
            made = json.loads(self._told("recipe", json.dumps(recipe)))
        others = [name for name in recipe if made.get(name) != recipe[name]]
        if others:
            found = f"an unfinished run with other values of {' and '.join(others)}"
            allowed = "the same as in that run, or no --resume, which begins anew"
            raise found_error(os.fspath(self._output), found, allowed)

    def _failing(self) -> Any:
        allowed = "one of an ended run of adain's, or none"
        return failing(os.fspath(self._path), "progress that cannot be used", allowed)

    def _begin(self) -> None:
        self._rows.execute("begin immediate")

    def _told(self, key: str, otherwise: str) -> str:
        self._rows.execute("insert or ignore into about values (?, ?)", (key, otherwise))
        return str(
            self._rows.execute("select value from about where key = ?", (key,)).fetchone()[0]
        )

    def replace_temporary(self, path: Path) -> None:
        """Remember a temporary file or folder, and remove that of the run before."""
        with self._failing():
            _remove(self._told("temporary", ""))
            self._rows.execute(
                "update about set value = ? where key = 'temporary'", (os.fspath(path),)
            )
            self._rows.execute("commit")
            self._begin()

    def add(self, frame: int, data: bytes, head: Mapping[str, Any] | None = None) -> None:
        """Keep what was encoded of a frame, or as it came, until the piece is finished."""
        with self._failing():
            row = (frame, json.dumps(head or {}), data)
            self._rows.execute("insert into parts values (?, ?, ?)", row)

    def parts(self, frame: int) -> Iterator[tuple[dict[str, Any], bytes]]:
        """What was kept of a frame, in its order, as head and data."""
        with self._failing():
            rows = self._rows.execute(
                "select head, data from parts where frame = ? order by rowid", (frame,)
            ).fetchall()
        for head, data in rows:
            yield json.loads(head), data

    def finish_piece(self, frames: int, state: Mapping[str, Any]) -> None:
        """All so far is there, ``frames`` in number; the next depends on ``state``, of arrays."""
        packed = io.BytesIO()
        np.savez(packed, **{key: value for key, value in state.items() if value is not None})
        with self._failing():
            self._rows.execute("update about set value = ? where key = 'frames'", (str(frames),))
            self._rows.execute("insert or replace into state values (1, ?)", (packed.getbuffer(),))
            self._rows.execute("commit")
            self._begin()

    def state(self) -> dict[str, Any]:
        with self._failing():
            (packed,) = self._rows.execute("select arrays from state").fetchone()
            with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
                return dict(arrays)

    def close(self) -> None:
        """Let go of what is of no finished piece, and where there is none, of the file."""
        empty = False
        with suppress(sqlite3.Error):
            if self._rows.in_transaction:
                self._rows.execute("rollback")
            empty = not self._rows.execute(
                "select count(*) from about where key = 'frames' and value > 0"
            ).fetchone()[0]
        self._rows.close()
        if empty:
            forget(self._output)


def progress_file(output: Path) -> Path:
    """Where the progress of an output is: beside a file, in a folder of frames."""
    if is_folder(output):
        return output / ".adain-resume"
    return output.with_name(f".{output.name}.adain-resume")


def forget(output: Path) -> None:
    """Remove the progress of an output, and the temporary file that its last run left.

    Does nothing while a run has them.
    """
    path = progress_file(output)
    try:
        path.stat()
    except OSError:  # of a name that is too long there is none
        return
    try:
        with closing(sqlite3.connect(path, timeout=0)) as rows:
            for (left,) in rows.execute("select value from about where key = 'temporary'"):
                _remove(left)
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
            return
    for file in (path, path.with_name(f"{path.name}-journal")):
        with suppress(OSError):
            file.unlink()


def _remove(path: str) -> None:
    with suppress(OSError):
        if path:
            os.unlink(path) if os.path.isfile(path) else shutil.rmtree(path, ignore_errors=True)
