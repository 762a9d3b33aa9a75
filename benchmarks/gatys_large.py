"""``adain gatys`` by tiles: ``python -m benchmarks.gatys_large`` prints what an iteration takes.

Only the largest size is run, in a process of its own, under a memory limit: seconds of an iteration
of L-BFGS, and the most memory that the process ever held (VmHWM of Linux), all of it.
"""

import json
import subprocess
import sys
from statistics import median

import click

from adain.cli.parameters import OneOf
from adain.cli.run import run
from adain.tables import markdown_table
from benchmarks import machine
from benchmarks.memory import environment

WORK = """
import json, sys
import numpy as np
from adain.images.picture import Picture
from adain.learning.gatys.options import GatysOptions
from adain.learning.gatys.run import optimize
from adain.learning.peak_memory import peak_memory

size, limit, precision, iterations = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])

def drawn(seed, side):
    small = np.random.default_rng(seed).random((side // 40 + 2, side // 40 + 2, 3), np.float32)
    return Picture(small).resized(side, side)

times, told = [], []
def callback(progress):
    times.append(progress.seconds)
    told.append(progress)

options = GatysOptions(
    iterations=iterations, coarse_to_fine=False, device="cpu", precision=precision,
    memory_limit=None if limit == "none" else limit,
)
optimize(drawn(0, size), [drawn(1, 512)], options, callback=callback)
# The first holds an evaluation at the start as well.
steps = [later - before for before, later in zip(times, times[1:])]
print(json.dumps({"tile": told[0].tile, "steps": steps, "peak": peak_memory()}))
"""
HEADER = ("size", "limit", "precision", "tile", "s/iteration", "peak MB")


@click.command()
@click.option("--size", "sizes", type=click.IntRange(64), multiple=True, default=(1024, 4096))
@click.option("--memory-limit", "limits", multiple=True, default=("4GB",), help="Or none.")
@click.option("--precision", "precisions", type=OneOf(["fp32", "bf16"]), multiple=True)
@click.option("--iterations", type=click.IntRange(2), default=2, show_default=True)
def main(
    sizes: tuple[int, ...], limits: tuple[str, ...], precisions: tuple[str, ...], iterations: int
) -> None:
    """Print seconds an iteration and peak memory of optimising large pictures."""
    click.echo(f"- CPU: {machine.describe_cpu()}")
    click.echo(machine.busy_line(machine.load()) or "- The machine was free")
    rows = []
    for size in sizes:
        for limit in limits:
            for precision in precisions or ("fp32",):
                arguments = [str(size), limit, precision, str(iterations)]
                done = subprocess.run(
                    [sys.executable, "-c", WORK, *arguments],
                    env=environment(),
                    capture_output=True,
                    text=True,
                )
                if done.returncode:
                    rows.append([str(size), limit, precision, _why(done), "-", "-"])
                    continue
                found = json.loads(done.stdout)
                figures = f"{median(found['steps']):#.3g}", f"{found['peak'] / 1e6:.0f}"
                tile = "-" if found["tile"] is None else str(found["tile"])
                rows.append([str(size), limit, precision, tile, *figures])
                click.echo(" | ".join(rows[-1]), err=True)
    click.echo("\n" + markdown_table(HEADER, rows))


def _why(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stderr.strip().splitlines() or [f"signal {-done.returncode}"])[-1]


if __name__ == "__main__":
    sys.exit(run(main))
