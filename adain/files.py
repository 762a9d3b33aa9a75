"""Files written whole or not at all, and whether they can be, before the work."""

import os
import shutil
import stat
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from adain.errors import failing, found_error


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file so that it appears whole or not at all, and replaces an old one only then.

    Raises AdaINError, with the path, where that cannot be.
    """
    name = os.fspath(path)
    with failing(name, "a file that cannot be written", "a file in a writable folder"):
        _write(Path(name), data)


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise the AdaINError that `write_atomically` would, as far as can be told before the work."""
    name = os.fspath(path)
    with failing(name, "a file that cannot be written", "a file in a writable folder"):
        target, _ = _target(Path(name))
        # Permissions do not tell of read-only file systems, or of root.
        with tempfile.TemporaryFile(dir=target.parent):
            pass


def check_folder(path: str | os.PathLike[str]) -> None:
    """Raise AdaINError where a folder could neither be made nor written into; leaves nothing."""
    name = os.fspath(path)
    with failing(name, "a folder that cannot be written", "a writable folder, or a new one"):
        if os.path.islink(name) and not os.path.exists(name):
            raise found_error(name, "a link to nothing", "a folder, or a new one")
        folder = Path(os.path.realpath(name))
        while not folder.exists():
            folder = folder.parent
        if not folder.is_dir():
            raise found_error(name, f"a file, {folder}", "a folder, or a new one")
        with tempfile.TemporaryDirectory(dir=folder, prefix=".") as trial:
            # Where it will be made, its name must be one that the file system takes.
            if folder != Path(os.path.realpath(name)):
                Path(trial, Path(name).name).mkdir()


def make_folder(path: str | os.PathLike[str]) -> list[Path]:
    """Make a folder and those above it; those that were missing are returned, innermost first.

    Raises AdaINError, with the path, where that cannot be.
    """
    name = os.fspath(path)
    with failing(name, "a folder that cannot be made", "a writable place"):
        missing = [folder for folder in (Path(name), *Path(name).parents) if not folder.exists()]
        Path(name).mkdir(parents=True, exist_ok=True)
    return missing


@contextmanager
def scratch_folder(parent: str | os.PathLike[str], prefix: str) -> Iterator[Path]:
    """A temporary folder in ``parent``, for what is moved beside it once it is whole.

    `tempfile.TemporaryDirectory` makes the folder before anything would remove it, and a signal in
    between leaves it for good. Raises AdaINError, with the parent, where it cannot be made.
    """
    folder = Path(parent) / f"{prefix}{uuid.uuid4().hex[:8]}"
    try:
        with failing(os.fspath(parent), "a folder that cannot be written to", "a writable folder"):
            folder.mkdir(mode=0o700)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _target(path: Path) -> tuple[Path, int | None]:
    """The file that a path means, and its mode where it is there; raises what forbids to write it.

    What a plain open() would do is kept: follow links, respect the umask for a new file and the
    mode of an old one, and refuse an old one that may not be written.
    """
    path = Path(os.path.realpath(path))
    if path.exists():
        if not path.is_file():
            raise found_error(str(path), "a folder or device", "a file")
        with open(path, "r+b"):
            return path, stat.S_IMODE(path.stat().st_mode)
    if not path.parent.is_dir():
        raise found_error(str(path), f"no folder {path.parent}", "a file in an existing folder")
    return path, None


def _write(path: Path, data: bytes) -> None:
    replacement = Replacement(path)
    try:
        with open(replacement.temporary, "xb") as file:
            file.write(data)
        replacement.commit()
    except BaseException:
        replacement.discard()
        raise


class Replacement:
    """A temporary file beside the one it becomes, for what is written bit by bit.

    The one at ``path`` stays as it was until ``commit``. Raises what forbids to write it.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._mode = _target(path)
        self.temporary = self._path.with_name(f".{uuid.uuid4().hex}.tmp")

    def commit(self) -> None:
        """Give the temporary file, which is closed and whole, the name of the other."""
        with open(self.temporary, "r+b") as file:
            os.fsync(file.fileno())
        if self._mode is not None:
            self.temporary.chmod(self._mode)
        os.replace(self.temporary, self._path)

    def discard(self) -> None:
        with suppress(OSError):
            self.temporary.unlink()
