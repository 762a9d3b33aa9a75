"""Which pictures a folder, a pattern or a list names, lazily, and what each becomes."""

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from adain.batch import stores
from adain.errors import found_error
from adain.images.formats import READ_SUFFIXES, WRITTEN_SUFFIXES


@dataclass(frozen=True)
class Job:
    """A picture to read, and the path of its result below the output's folder."""

    source: Path
    result: Path


def is_many(content: str, output: str) -> bool:
    """Whether a content stands for pictures that go into a folder, and not for a single file."""
    if content == "-" or os.path.isdir(content) or stores.is_url(content):
        return True
    into_folder = output.endswith(("/", os.sep)) or stores.is_url(output)
    return into_folder or (glob.has_magic(content) and not os.path.exists(content))


def jobs(content: str, output: Path, format: str | None, lines: Iterable[str]) -> Iterator[Job]:
    """The pictures that ``content`` names: a folder, a file, a pattern, the URL of an object store
    (see `stores`), or ``-`` for ``lines``.

    The tree below a folder, or below the part of a pattern that has no wildcard, is that of the
    results; a path of a list keeps all of its folders. ``format`` is the suffix of all results; by
    default each keeps its own, where pictures are written in it. No two have the same name. Nothing
    is held: there may be any number of them.
    """
    if content == "-":
        for line in lines:
            name = line.rstrip("\r\n")
            if name:
                yield _job(stores.place(name), _below_anchor(name), format)
        return
    if stores.is_url(content):
        base = stores.place(content)
        found: Iterable[Path] = stores.walked(base, output)
    elif os.path.isdir(content):
        base = Path(content)
        found = _walked(base, output.resolve())
    elif glob.has_magic(content) and not os.path.exists(content):
        base = _fixed_part(content)
        found = map(Path, glob.iglob(content, recursive=True))
        made = output.resolve()
        # Results that the pattern names as well are no contents: there would be no end to it.
        below = base.resolve() in made.parents
        found = (
            path
            for path in found
            if path.is_file() and not (below and path.resolve().is_relative_to(made))
        )
    else:
        base, found = Path(content).parent, [Path(content)]
    for path in found:
        yield _job(path, stores.relative(path, base), format)


def check_formats(format: str | None) -> None:
    """Raise AdaINError for a suffix that pictures are not written with."""
    if format is not None and f".{format}" not in WRITTEN_SUFFIXES:
        allowed = ", ".join(suffix[1:] for suffix in WRITTEN_SUFFIXES)
        raise found_error("--format", repr(format), allowed)


def _walked(base: Path, output: Path) -> Iterator[Path]:
    """The files of pictures below a folder, by name; not those in the output's folder."""
    for folder, folders, files in os.walk(base, followlinks=True):
        here = Path(folder)
        # Links may lead back up; hidden ones are caches and trash.
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and (here / name).resolve() != output
            and not here.resolve().is_relative_to((here / name).resolve())
        )
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in READ_SUFFIXES:
                yield here / name


def _fixed_part(pattern: str) -> Path:
    """The folders of a pattern before its first wildcard."""
    parts = []
    for part in Path(pattern).parts[:-1]:
        if glob.has_magic(part):
            break
        parts.append(part)
    return Path(*parts)


def _below_anchor(name: str) -> Path:
    """A path of a list as one below the output: whole, without its root and without ``..``."""
    if stores.is_url(name):
        name = name.partition("://")[2].lstrip("/")
    path = Path(os.path.normpath(name))
    if path.is_absolute() or ".." in path.parts:
        path = Path(os.path.abspath(name))
        return path.relative_to(path.anchor)
    return path


def _job(source: Path, relative: Path, format: str | None) -> Job:
    suffix = relative.suffix.lower()
    wanted = f".{format}" if format else suffix if suffix in WRITTEN_SUFFIXES else ".png"
    if suffix == wanted:
        return Job(source, relative)
    # Where another picture has the same stem, the whole name and a suffix: a.heic and a.png become
    # a.heic.png and a.png. What such a file is already called here becomes something else.
    name = relative.stem + wanted
    if _has_twin(source):
        name = relative.name + wanted
        while (source.parent / name).exists():
            name += wanted
    return Job(source, relative.with_name(name))


def _has_twin(source: Path) -> bool:
    """Whether the folder of a picture has another of the same stem, or one that is called so."""
    suffixes = READ_SUFFIXES | {suffix.upper() for suffix in READ_SUFFIXES}
    others = {"", *suffixes} - {source.suffix}
    if source.suffix and source.suffix not in suffixes:
        # As Photo.Jpg: what else there may be beside it has no end.
        return True
    return any((source.parent / (source.stem + suffix)).exists() for suffix in others)
