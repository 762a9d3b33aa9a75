"""Time both models beside the paper's pipeline; ``python -m benchmarks`` prints Markdown tables.

Every side does the same work: a uint8 picture in, a uint8 picture out, strength 1. In each round
every side runs once, on pictures that it has not seen.
"""

import sys

import click

from adain.cli.run import run
from benchmarks.report import Plan, report


class Sizes(click.ParamType[tuple[int, ...]]):
    """Sides in pixels with commas between."""

    name = "sizes"

    def convert(
        self, value: object, param: click.Parameter | None, context: click.Context | None
    ) -> tuple[int, ...]:
        allowed = range(64, 4097, 16)
        parts = str(value).split(",")
        for part in parts:
            if not (part.isdecimal() and int(part) in allowed):
                self.fail(f"found {part!r}; allowed are multiples of 16 from 64 to 4096")
        return tuple(int(part) for part in parts)


@click.command(
    epilog="\b\nExamples:\n"
    "  python -m benchmarks\n"
    "  python -m benchmarks --sizes 512 --runs 3 --no-memory\n"
    "  python -m benchmarks.profile --model fast --size 512 --layers\n"
)
@click.option("--sizes", type=Sizes(), default="256,512,1024", show_default=True)
@click.option(
    "--runs", type=click.IntRange(1, 1000), default=7, show_default=True, help="Of each side."
)
@click.option(
    "--starts",
    type=click.IntRange(0, 100),
    default=5,
    show_default=True,
    help="Processes that are timed from their start to a written picture.",
)
@click.option(
    "--memory/--no-memory",
    default=True,
    show_default=True,
    help="A process of its own for the peak memory of each side and size.",
)
def benchmark(sizes: tuple[int, ...], runs: int, starts: int, memory: bool) -> None:
    """Time whole calls, every side in one run: torch, ONNX Runtime, and CUDA where there is one."""
    click.echo(report(Plan(sizes=sizes, runs=runs, starts=starts, memory=memory)))


if __name__ == "__main__":
    sys.exit(run(benchmark))
