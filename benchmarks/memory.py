"""Peak memory of one side at one size: ``python -m benchmarks.memory fast 512``.

A process of its own opens the side, encodes a style and stylises two pictures. What is reported is
the most memory that the process has ever held (VmHWM of Linux), all of it: the interpreter and the
libraries are in it.
"""

import os
import subprocess
import sys
from pathlib import Path

import click
import numpy as np

from adain.cli.run import run
from adain.learning.peak_memory import peak_memory
from benchmarks.pipeline import random_pixels
from benchmarks.sides import SIDES, style_size

ROOT = Path(__file__).resolve().parents[1]


def environment() -> dict[str, str]:
    """That of a process which is to find this checkout's modules."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(path for path in paths if path)}


def measure_memory(name: str, size: int) -> float | None:
    """The peak in MB (10^6 bytes) of a fresh process; None where it fails or cannot tell."""
    command = [sys.executable, "-m", "benchmarks.memory", name, str(size)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True)
    return float(done.stdout) if done.returncode == 0 and done.stdout.strip() else None


@click.command()
@click.argument("side", type=click.Choice(list(SIDES)))
@click.argument("size", type=click.IntRange(64, 4096))
def print_peak(side: str, size: int) -> None:
    """Print the peak memory in MB of SIDE for pictures of SIZE x SIZE pixels."""
    picture = random_pixels(np.random.default_rng(0))
    pipeline = SIDES[side].open()
    style = pipeline.encode_style(picture(style_size(size)))
    for _ in range(2):
        pipeline.stylize(picture(size), style)
    peak = peak_memory()
    click.echo("" if peak is None else f"{peak / 1e6:.1f}")


if __name__ == "__main__":
    sys.exit(run(print_peak))
