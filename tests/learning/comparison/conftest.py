"""One small comparison, made once; PyTorch is imported by those who ask for it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from adain.images import save_image

if TYPE_CHECKING:
    from adain.learning.comparison.results import Compared
    from adain.learning.evaluation.pairs import Pair


@pytest.fixture(scope="package")
def pair(
    tmp_path_factory: pytest.TempPathFactory, photo: np.ndarray, painting: np.ndarray
) -> "Pair":
    from comparing import ODD

    from adain.learning.evaluation.pairs import Pair

    folder = tmp_path_factory.mktemp("images")
    save_image(photo, folder / "photo.png")
    save_image(painting, folder / f"{ODD}.png")
    return Pair(folder / "photo.png", folder / f"{ODD}.png")


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory, pair: "Pair", vgg19_weights: Path) -> Path:
    """The report of one pair, which tests must leave as it is."""
    from comparing import OPTIONS

    from adain.learning.comparison.compare import compare_methods

    folder = tmp_path_factory.mktemp("report") / "new"
    assert compare_methods([pair], folder, OPTIONS) == folder / "report.html"
    return folder


@pytest.fixture(scope="package")
def compared(folder: Path, pair: "Pair") -> "Compared":
    from comparing import runs_of

    return runs_of(folder).compared([pair])


@pytest.fixture
def copy(folder: Path, pair: "Pair", tmp_path: Path) -> tuple[Path, "Pair"]:
    """A copy of the report and of its pictures, to change."""
    from adain.learning.evaluation.pairs import Pair

    for path in folder.rglob("*"):
        if path.is_file():
            target = tmp_path / "report" / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    copies = [tmp_path / path.name for path in (pair.content, pair.style)]
    for path, source in zip(copies, (pair.content, pair.style), strict=True):
        path.write_bytes(source.read_bytes())
    return tmp_path / "report", Pair(*copies)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the methods that are really run."""
    from adain.learning.comparison import runs

    names: list[str] = []
    real = runs._messages

    def messages(job: Any) -> Iterator[Any]:
        names.append(job.method.name)
        return real(job)

    monkeypatch.setattr(runs, "_messages", messages)
    return names
