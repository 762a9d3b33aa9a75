"""Memory of a long video: ``python -m benchmarks.video_memory --minutes 30``.

A film with sound is made, and `adain video` stylizes it in a process of its own, whose resident
memory is read as it goes (Linux). At the end sound packets and time stamps are compared.
"""

import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from adain.cli.run import run
from adain.drawings.catalog import file_of
from adain.images import load_image
from adain.tables import markdown_table
from benchmarks.memory import environment
from benchmarks.processes import resident
from benchmarks.video import RATE, copied, film

# Readings of a run that are printed.
READINGS = 10


def readings(command: list[str], every: float = 0.5) -> list[tuple[float, float]]:
    """Seconds since the start of a process and its resident memory in MB, until it ends."""
    begun, found = time.perf_counter(), []
    process = subprocess.Popen(command, env=environment())
    while process.poll() is None:
        memory = resident(process.pid)
        # Neither has one that has just ended.
        if not math.isnan(memory):
            found.append((time.perf_counter() - begun, memory))
        time.sleep(every)
    if process.returncode:
        raise click.ClickException(f"{command}: exit status {process.returncode}")
    return found


def spread(found: list[tuple[float, float]]) -> list[tuple[str, str, str]]:
    """A few of the readings, evenly spread, each with the most until then: seconds and MB."""
    rows: list[tuple[str, str, str]] = []
    most, step = 0.0, max(1, len(found) // READINGS)
    for number, (seconds, memory) in enumerate(found):
        most = max(most, memory)
        if number % step == step - 1:
            rows.append((f"{seconds:.0f}", f"{memory:.0f}", f"{most:.0f}"))
    return rows


@click.command()
@click.option("--minutes", type=float, default=1, show_default=True, help="Of the film.")
@click.option("--width", type=int, default=640, show_default=True)
@click.option("--height", type=int, default=360, show_default=True)
@click.argument("options", nargs=-1)
def main(minutes: float, width: int, height: int, options: tuple[str, ...]) -> None:
    """Print the memory of `adain video` over a film; after -- come OPTIONS of it."""
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder, "in.mp4"), Path(folder, "out.mp4")
        seconds = max(1, round(60 * minutes))
        film(source, load_image(file_of("landscape")).rgb, seconds, width, height)
        command = [sys.executable, "-m", "adain", "video", str(source), str(file_of("night"))]
        found = readings([*command, "-o", str(output), *options])
        click.echo(markdown_table(("second", "memory (MB)", "most so far (MB)"), spread(found)))
        same = copied(source) == copied(output)
        click.echo(
            f"{RATE * seconds} frames of {width} x {height} ({' '.join(options) or 'defaults'});"
            f" sound and times {'equal' if same else 'DIFFER'}"
        )


if __name__ == "__main__":
    raise SystemExit(run(main))
