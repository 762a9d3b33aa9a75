"""``adain compare``: AdaIN beside Gatys, as a report."""

from pathlib import Path
from typing import Any

import click

from adain.cli.parameters import EXAMPLES, FILE, MODEL, require_learn
from adain.errors import AdaINError


@click.command(
    epilog=EXAMPLES
    + "  adain compare photo.jpg --style starry.jpg --style wave.jpg -o report\n"
    + "  adain compare --pairs pictures/pairs.csv --count 10 -o report --size 256\n"
)
@click.argument("contents", metavar="CONTENT...", type=FILE, nargs=-1)
@click.option("--style", "styles", type=FILE, multiple=True, help="May be given more than once.")
@click.option("--pairs", type=FILE, help="Instead: a CSV of pairs beside content/ and style/.")
@click.option("--count", type=int, help="Only so many of --pairs, spread evenly.")
@click.option(
    "-o",
    "--output",
    type=FILE,
    required=True,
    help="Folder of the report; what it holds already is not made again.",
)
@click.option("--size", type=int, help="Side of all pictures. [default: 256]")
@click.option("--model", "models", type=MODEL, multiple=True, help="[default: all that are here]")
@click.option("--alpha", "alphas", type=float, multiple=True, help="[default: 0.25, 0.5, 0.75, 1]")
@click.option(
    "--iterations", type=int, multiple=True, help="Of Gatys et al. [default: 50, 100, 300]"
)
@click.option("--adain-iterations", type=int, help="From the AdaIN picture. [default: 50]")
@click.option("--style-weight", type=float, help="Of Gatys et al., as `adain gatys` has it.")
@click.option("--threads", type=int, help="Of both methods. [default: one per core]")
@click.option("--device", help="[default: cpu]")
@click.option("--seed", type=int, help="[default: 0]")
def compare(
    contents: tuple[Path, ...],
    styles: tuple[Path, ...],
    pairs: Path | None,
    count: int | None,
    output: Path,
    **options: Any,
) -> None:
    """Set AdaIN beside Gatys: every CONTENT in every style, with the same losses and clock.

    Writes report.html, metrics.csv and contact-sheet.png, and goes on where it was interrupted.
    """
    require_learn("the comparison")
    from adain.learning.comparison.compare import CompareOptions, all_pairs, listed_pairs
    from adain.learning.comparison.compare import compare as compare_pairs

    if (pairs is None) == (not contents and not styles):
        raise AdaINError("give contents and --style, or --pairs, and not both")
    if count is not None and pairs is None:
        raise AdaINError("--count goes with --pairs: it says how many of them")
    given = {name: value for name, value in options.items() if value not in (None, ())}
    chosen = all_pairs(contents, styles) if pairs is None else listed_pairs(pairs, count)
    click.echo(f"{compare_pairs(chosen, output, CompareOptions(**given), click.echo)}: ready")
