"""Planning a folder of many files: ``python -m benchmarks.folder_plan`` prints time and memory.

The pipeline of ``adain stylize photos/ --skip-existing`` lists, reads, digests, writes and keeps a
journal of each file as it does for pictures that are stylized; the networks alone are left out, so
that 100,000 take minutes. It is ended half way, goes on, and is run once more with all done.
"""

import contextlib
import sys
import tempfile
import time
from collections import Counter
from itertools import islice
from pathlib import Path

import click
import numpy as np

from adain.batch.journal import Journal
from adain.batch.listing import jobs
from adain.batch.pipeline import Look, Pipeline, Settings
from adain.cli.run import run
from adain.images import save_image
from adain.learning.peak_memory import peak_memory
from adain.tables import markdown_table
from benchmarks import machine

HEADER = ("step", "files", "done", "skipped", "seconds", "files/s", "most MB so far")
LOOK = Look(Path(), "benchmark", lambda _, picture: picture)


def drawn(folder: Path, count: int, each: int) -> None:
    """Files of one small picture, so many in each folder of a folder."""
    first = folder.parent / "picture.png"
    save_image(np.random.default_rng(0).random((24, 32, 3), np.float32), first)
    data = first.read_bytes()
    for number in range(count):
        place = folder / f"{number // each:05}"
        if number % each == 0:
            place.mkdir(parents=True)
        (place / f"{number:08}.png").write_bytes(data)


def made(photos: Path, output: Path, most: int | None) -> Counter[str]:
    """What becomes of the files, of which the run ends with so many done, if it is told to."""
    settings = Settings(output, 95, None, skip_existing=True)
    with contextlib.closing(Journal(output)) as journal:
        found = jobs(str(photos), output, None, ())
        outcomes = Pipeline(found, [LOOK], journal, settings, 1).run()
        with contextlib.closing(outcomes):
            return Counter(outcome.kind for outcome in islice(outcomes, most))


@click.command()
@click.option("--count", type=click.IntRange(2), default=100_000, show_default=True)
@click.option("--each", type=click.IntRange(1), default=1000, show_default=True, help="A folder.")
def folder_plan(count: int, each: int) -> None:
    """Print what listing, an end half way, going on and leaving all out take."""
    click.echo(f"- CPU: {machine.describe_cpu()}")
    click.echo(machine.busy_line(machine.load()) or "- The machine was free")
    with tempfile.TemporaryDirectory() as name:
        photos, output = Path(name, "photos"), Path(name, "out")
        output.mkdir()
        drawn(photos, count, each)
        rows = [["nothing yet", *"-----", _peak()]]
        for step, most in (
            ("listed", 0),
            ("ended", count // 2),
            ("gone on", None),
            ("again", None),
        ):
            started = time.perf_counter()
            if step == "listed":
                found, kinds = sum(1 for _ in jobs(str(photos), output, None, ())), Counter[str]()
            else:
                kinds = made(photos, output, most)
                found = kinds.total()
            seconds = time.perf_counter() - started
            figures = f"{seconds:#.3g}", f"{found / seconds:.0f}", _peak()
            rows.append([step, str(found), str(kinds["done"]), str(kinds["skipped"]), *figures])
    click.echo("\n" + markdown_table(HEADER, rows))


def _peak() -> str:
    peak = peak_memory()
    return "-" if peak is None else f"{peak / 1e6:.0f}"


if __name__ == "__main__":
    sys.exit(run(folder_plan))
