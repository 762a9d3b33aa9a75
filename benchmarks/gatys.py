"""What an iteration of ``adain gatys`` costs: ``python -m benchmarks.gatys`` prints a table.

Beside it stands the bare cost: one pass of the same picture through VGG-19 to relu5_1 and one back,
in the same precision and layout, without any loss. The two run in turn.
"""

import sys
import time
from collections.abc import Iterator
from statistics import median

import click
import numpy as np
import torch

from adain.cli.run import run
from adain.learning.gatys.lbfgs import ProjectedLBFGS
from adain.learning.gatys.objective import GatysObjective
from adain.learning.gatys.options import GatysOptions
from adain.learning.memory import keep_freed_memory
from adain.learning.models.vgg import load_vgg19_layers
from adain.tables import markdown_table

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
# The first iterations have no curvature to look back at, and more than one evaluation.
SKIPPED = 5


def waves(size: int, seed: int) -> torch.Tensor:
    """A picture of a few colours and some noise, ``[1, 3, size, size]``."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / 16
    channels = [np.sin(a * x + b * y + c) for a, b, c in generator.uniform(-3, 3, (3, 3))]
    noise = generator.normal(0, 0.05, (3, size, size))
    picture = (0.5 + 0.4 * np.stack(channels) + noise).clip(0, 1).astype(np.float32)
    return torch.from_numpy(picture)[None]


def measure(size: int, precision: str, iterations: int) -> tuple[float, float, float]:
    """Medians in seconds: an iteration, the bare passes; and evaluations per iteration."""
    vgg = load_vgg19_layers().to(DTYPES[precision]).to(memory_format=torch.channels_last)
    content, style = waves(size, 0), waves(size, 1)
    objective = GatysObjective(vgg, content, [style], GatysOptions(precision=precision))  # type: ignore[arg-type]
    search = ProjectedLBFGS(objective.evaluate, content)

    def bare() -> None:
        image = content.to(DTYPES[precision]).contiguous(memory_format=torch.channels_last)
        image.requires_grad_()
        last = vgg(image, ["relu5_1"])["relu5_1"]
        torch.autograd.grad(last, image, torch.ones_like(last))

    def timed() -> Iterator[tuple[float, float]]:
        for number in range(SKIPPED + iterations):
            started = time.perf_counter()
            search.step()
            between = time.perf_counter()
            bare()
            if number >= SKIPPED:
                yield between - started, time.perf_counter() - between

    before = search.evaluations
    iteration, passes = (median(column) for column in zip(*timed(), strict=True))
    return iteration, passes, (search.evaluations - before) / (SKIPPED + iterations)


@click.command()
@click.option("--size", "sizes", type=click.IntRange(32, 2048), multiple=True, default=(256, 512))
@click.option(
    "--precision", "precisions", type=click.Choice(list(DTYPES)), multiple=True, default=("fp32",)
)
@click.option("--iterations", type=click.IntRange(1), default=20, show_default=True)
def main(sizes: tuple[int, ...], precisions: tuple[str, ...], iterations: int) -> None:
    """Time iterations of L-BFGS beside the bare passes through VGG-19."""
    keep_freed_memory()
    rows = []
    for size in sizes:
        for precision in precisions:
            step, bare, evaluations = measure(size, precision, iterations)
            numbers = (f"{1000 * step:.0f}", f"{1000 * bare:.0f}", f"{step / bare:.2f}")
            rows.append([str(size), precision, *numbers, f"{evaluations:.2f}"])
    header = ["size", "precision", "iteration ms", "bare ms", "ratio", "evaluations"]
    click.echo(markdown_table(header, rows))


if __name__ == "__main__":
    sys.exit(run(main))
