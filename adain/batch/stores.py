"""Object stores: URLs such as ``s3://bucket/photos`` in the place of folders.

Any that fsspec reads; each has a package of its own for it, such as s3fs or gcsfs. An object that
has been put is there whole or not at all; in file systems, which fsspec reaches as well, a file is
written under another name and renamed.
"""

import hashlib
import re
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, TypeGuard, cast

from adain import weights
from adain.errors import MissingError, failing, found_error
from adain.files import make_folder, write_atomically
from adain.images.formats import READ_SUFFIXES

if TYPE_CHECKING:
    from upath import UPath

# Where puts are whole, and folders are only parts of names.
_PUT = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oci", "oss", "memory"}
# Folders whose listings are held at a time, of what is read and of what is written.
_LISTINGS = 4


def is_url(name: str) -> bool:
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", name) is not None


def place(name: str) -> Path:
    """A path, or the UPath of a URL, which is used like one.

    Raises AdaINError for a protocol that nobody knows, and MissingError where a package lacks.
    """
    if not is_url(name):
        return Path(name)
    try:
        from upath import UPath
    except ImportError:
        raise MissingError(f"{name} needs fsspec: pip install 'adain[ray]'") from None
    try:
        found = UPath(name, max_paths=_LISTINGS)
        _ = found.fs
    except ImportError as error:
        raise MissingError(f"{name}: {error}") from None
    except ValueError as error:
        allowed = "a path, or a URL that fsspec knows, such as s3://bucket/folder"
        raise found_error(name, f"a URL that cannot be used ({error})", allowed) from None
    return cast(Path, found)


def is_stored(path: object) -> "TypeGuard[UPath]":
    """Whether a path is a URL's."""
    return not isinstance(path, (Path, str)) and hasattr(path, "fs")


def walked(base: Path, output: Path) -> Iterator[Path]:
    """The pictures below a URL, by name; not those below ``output``. A folder is held at a time."""
    assert is_stored(base)
    with failing(str(base), "a place that cannot be listed", "a folder or bucket with pictures"):
        if base.fs.isfile(base.path):
            yield cast(Path, base)
            return
        for folder, folders, files in base.fs.walk(base.path, detail=True, on_error="raise"):
            here = cast(Path, base / below(folder, base.path)) if folder != base.path else base
            for name in [n for n in folders if n.startswith(".") or str(here / n) == str(output)]:
                del folders[name]
            for name in sorted(files):
                if not name.startswith(".") and Path(name).suffix.lower() in READ_SUFFIXES:
                    yield here / name


def list_folder(folder: Path) -> None:
    """Have what is in a folder at hand, where its store keeps listings."""
    if is_stored(folder):
        with suppress(OSError):
            folder.fs.ls(folder.path)


def below(path: str, base: str) -> PurePosixPath:
    """A path of a store without that of a folder above it."""
    return PurePosixPath(path.strip("/")).relative_to(base.strip("/"))


def relative(path: Path, base: Path) -> Path:
    """Where a picture lies below a folder."""
    if is_stored(path) and is_stored(base):
        return Path(path.name) if path.path == base.path else Path(below(path.path, base.path))
    return path.relative_to(base)


def source_and_digest(path: Path) -> tuple[Path | bytes, str]:
    """What to decode, and its SHA-256: a file, or the bytes of an object, which is read once."""
    if not is_stored(path):
        return path, weights.sha256(path)
    data: bytes = path.fs.cat_file(path.path)
    return data, hashlib.sha256(data).hexdigest()


def write(path: Path, data: bytes) -> None:
    """Write a file or object that appears whole or not at all, and the folders above it.

    Raises AdaINError, with the path, where that cannot be.
    """
    if not is_stored(path):
        make_folder(path.parent)
        write_atomically(path, data)
        return
    fs: Any = path.fs
    with failing(str(path), "an object that cannot be written", "one in a writable place"):
        if path.protocol in _PUT:
            fs.pipe_file(path.path, data)
            return
        folder = path.path.rpartition("/")[0]
        fs.makedirs(folder, exist_ok=True)
        temporary = f"{folder}/.{uuid.uuid4().hex}.tmp"
        try:
            fs.pipe_file(temporary, data)
            fs.mv(temporary, path.path)
        except BaseException:
            if fs.exists(temporary):
                fs.rm_file(temporary)
            raise
