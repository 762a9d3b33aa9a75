"""What bfloat16 costs `adain gatys` in quality: `python -m benchmarks.gatys_precision EVAL_DIR`.

Every pair is optimised in both precisions, and the losses of both pictures are taken in float32.
"worst 20" is the largest ratio of the loss to that of 20 iterations before, over the whole run:
below 1, it fell over any 20 iterations.
"""

import statistics
import sys
from dataclasses import replace
from pathlib import Path

import click

from adain.cli.run import run
from adain.images import load_image
from adain.learning.evaluation.pairs import Pair, read_pairs
from adain.learning.gatys.objective import GatysObjective
from adain.learning.gatys.options import GatysOptions
from adain.learning.gatys.run import GatysResult, optimize
from adain.learning.models.vgg import VGG19Layers, load_vgg19_layers
from adain.learning.tensors import to_tensor
from adain.tables import markdown_table

WINDOW = 20


def worst(result: GatysResult) -> float:
    """The largest ratio of a total to that of WINDOW iterations before."""
    totals = [losses["total"] for losses in result.history]
    return max(after / before for before, after in zip(totals, totals[WINDOW:], strict=False))


def measure(pair: Pair, options: GatysOptions, size: int, judge: VGG19Layers) -> list[float]:
    """Totals in float32 and bfloat16, and the worst ratios of both."""
    content, style = (load_image(path).resized(size, size) for path in (pair.content, pair.style))
    objective = GatysObjective(judge, to_tensor(content), [to_tensor(style)], options)
    totals, ratios = [], []
    for precision in ("fp32", "bf16"):
        result = optimize(content, [style], replace(options, precision=precision))
        totals.append(objective.evaluate(to_tensor(result.picture))[0])
        ratios.append(worst(result))
    return [*totals, *ratios]


@click.command()
@click.argument("eval_dir", type=click.Path(path_type=Path))
@click.option("--pairs", "count", type=int, help="Only so many pairs, spread evenly.")
@click.option("--size", type=click.IntRange(32), default=256, show_default=True)
@click.option("--iterations", type=click.IntRange(WINDOW + 1), default=300, show_default=True)
def main(eval_dir: Path, count: int | None, size: int, iterations: int) -> None:
    """Compare float32 and bfloat16 on the pairs of EVAL_DIR: pairs.csv, content/ and style/."""
    options = GatysOptions(iterations=iterations, coarse_to_fine=False)
    judge = load_vgg19_layers()
    rows, ratios = [], []
    for pair in read_pairs(eval_dir, count):
        exact, half, worst_exact, worst_half = measure(pair, options, size, judge)
        ratios.append(half / exact)
        name = f"{pair.content.stem} in {pair.style.stem}"
        numbers = [f"{half / exact:.3f}", f"{worst_exact:.4f}", f"{worst_half:.4f}"]
        rows.append([name, f"{exact:.4g}", f"{half:.4g}", *numbers])
        click.echo(f"{name}: {numbers[0]}", err=True)
    rows.append(["median", "", "", f"{statistics.median(ratios):.3f}", "", ""])
    header = ["pair", "fp32", "bf16", "bf16 / fp32", "worst 20, fp32", "worst 20, bf16"]
    click.echo(markdown_table(header, rows))


if __name__ == "__main__":
    sys.exit(run(main))
