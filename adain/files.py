"""Files written whole or not at all."""

import os
import stat
import uuid
from contextlib import suppress
from pathlib import Path

from adain.errors import failing, found_error


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file so that it appears whole or not at all, and replaces an old one only then.

    Raises AdaINError, with the path, where that cannot be.
    """
    name = os.fspath(path)
    with failing(name, "a file that cannot be written", "a file in a writable folder"):
        _write(Path(name), data)


def _write(path: Path, data: bytes) -> None:
    # What a plain open() would do is kept: follow links, respect the umask for a new file and the
    # mode of an old one, and refuse an old one that may not be written.
    path = Path(os.path.realpath(path))
    mode = None
    if path.exists():
        if not path.is_file():
            raise found_error(str(path), "a folder or device", "a file")
        with open(path, "r+b"):
            mode = stat.S_IMODE(path.stat().st_mode)
    elif not path.parent.is_dir():
        raise found_error(str(path), f"no folder {path.parent}", "a file in an existing folder")
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            temporary.chmod(mode)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
