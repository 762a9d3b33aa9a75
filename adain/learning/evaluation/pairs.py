"""The content and style images to evaluate on: ``pairs.csv`` beside ``content/`` and ``style/``."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from adain.errors import AdaINError
from adain.images import load_image
from adain.learning.training.data import SUFFIXES


@dataclass(frozen=True)
class Pair:
    """The files of a content and a style image."""

    content: Path
    style: Path


def read_pairs(folder: Path, count: int | None = None, name: str = "pairs.csv") -> list[Pair]:
    """The pairs of ``folder/pairs.csv``; ``count`` of them, spread evenly over the list.

    ``name`` is that of the list where it is another.

    Raises AdaINError for a list that is missing, malformed or names a missing image.
    """
    if not folder.is_dir():
        raise AdaINError(f"{folder}: not a folder; give one with {name}, content/ and style/")
    contents, styles = _images(folder / "content"), _images(folder / "style")
    path = folder / name
    try:
        with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
            header, *rows = list(csv.reader(file)) or [[]]
    except (OSError, ValueError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise AdaINError(f"{path}: not a readable CSV file: {reason}") from error
    if header != ["content", "style"]:
        raise AdaINError(f"{path}: line 1: found {','.join(header)!r}; allowed is 'content,style'")
    pairs = []
    for line, row in enumerate(rows, 2):
        if len(row) != 2:
            raise AdaINError(f"{path}: line {line}: found {row}; allowed is a content and a style")
        for name, images, side in zip(row, (contents, styles), ("content", "style"), strict=True):
            if name not in images:
                raise AdaINError(f"{path}: line {line}: no image {name!r} in {folder / side}")
        pairs.append(Pair(contents[row[0]], styles[row[1]]))
    if not pairs:
        raise AdaINError(f"{path}: found no pair; allowed is one pair in each line")
    if count is None:
        return pairs
    if not 1 <= count <= len(pairs):
        raise AdaINError(f"pairs: found {count}; allowed is 1 to {len(pairs)}")
    return [pairs[i * len(pairs) // count] for i in range(count)]


def readable(pairs: Sequence[Pair], report: Callable[[str], object]) -> list[Pair]:
    """The pairs whose images can be read, found out before the work; the others are reported.

    AdaINError where there is none.
    """
    troubles: dict[Path, str] = {}
    for path in dict.fromkeys(path for pair in pairs for path in (pair.content, pair.style)):
        try:
            load_image(path)
        except AdaINError as error:
            troubles[path] = str(error)
    left = [pair for pair in pairs if not troubles.keys() & {pair.content, pair.style}]
    if troubles and not left:
        raise AdaINError(f"no pair of readable images: {next(iter(troubles.values()))}")
    for trouble in troubles.values():
        report(f"left out: {trouble}")
    return left


def _images(folder: Path) -> dict[str, Path]:
    """The images of a folder by name, with and without suffix."""
    if not folder.is_dir():
        raise AdaINError(f"{folder}: not a folder; give a folder of images")
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    return {path.stem: path for path in paths} | {path.name: path for path in paths}
