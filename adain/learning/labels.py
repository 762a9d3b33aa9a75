"""Names of pictures, for people to read and for files to have: sheets, tables, reports."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

# With a prefix, a number and a suffix still a name that every file system takes.
LONGEST = 60


def label(path: Path, taken: Iterable[str] = ()) -> str:
    """The name of a file without its suffix; a number tells it from those that are taken.

    It can be encoded, drawn and printed on one line whatever the bytes of the file's name.
    """
    text = os.fsencode(path.stem).decode("utf-8", "replace")
    stem = "".join(c if c.isprintable() else "?" for c in text)[:LONGEST]
    names = {file_name(other) for other in taken}
    found, number = stem, 2
    while file_name(found) in names:
        found, number = f"{stem} ({number})", number + 1
    return found


def labels(paths: Iterable[Path]) -> dict[str, Path]:
    """Files by their labels, in their order."""
    found: dict[str, Path] = {}
    for path in paths:
        found[label(path, found)] = path
    return found


def file_name(text: str) -> str:
    """A label as a name that every file system takes; two that differ in case are one there."""
    return re.sub(r"[^\w()-]+", "_", text).lower()
