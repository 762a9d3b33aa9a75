"""A folder of pictures, the command that stylizes it, and what it makes."""

from pathlib import Path

import numpy as np
from PIL import Image

from adain.batch.journal import NAME
from adain.cli.main import cli
from adain.cli.run import run


def put_pictures(folder: Path, photo: np.ndarray, painting: np.ndarray) -> None:
    """``photos/a.png``, ``photos/deep/b.png`` and ``style.png``."""
    (folder / "photos" / "deep").mkdir(parents=True)
    for name, levels in (("a.png", photo), ("deep/b.png", photo[::-1])):
        Image.fromarray(levels).save(folder / "photos" / name)
    Image.fromarray(painting).save(folder / "style.png")


def stylize(content: str, *arguments: str) -> int:
    """The exit status of the command on the CPU."""
    return run(cli, ["stylize", content, *arguments, "--device", "cpu"])


def files(folder: Path) -> set[str]:
    """All below a folder but the journal."""
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return found - {NAME}
