"""What the tests of the comparison share: one small comparison, whose report all look at."""

import csv
from pathlib import Path
from typing import Any

from adain.learning.comparison.options import CompareOptions
from adain.learning.comparison.runs import Runs

SIZE = 64
OPTIONS = CompareOptions(
    size=SIZE,
    models=["fast"],
    alphas=(1, 0.5),
    iterations=(3, 1),
    adain_iterations=2,
    threads=1,
)
NAMES = ["fast-0.5", "fast-1", "gatys-from-content", "gatys-from-fast"]
ODD = "100% <b> & 'co'"  # a name that HTML and file systems may trip over


def runs_of(folder: Path, **changed: Any) -> Runs:
    given = {"methods": OPTIONS.methods(), "size": SIZE, "threads": 1} | changed
    return Runs(folder, **given)


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))
