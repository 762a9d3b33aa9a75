"""``adain compare``: AdaIN beside Gatys, as a report."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from adain.cli.parameters import (
    EXAMPLES,
    FILE,
    MODEL,
    check_file,
    check_output_folder,
    given,
    option_of,
    require_learn,
)
from adain.errors import AdaINError
from adain.learning.comparison.options import CompareOptions

_option = partial(option_of, CompareOptions)


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
@_option("size", help="Side of all pictures.")
@_option("models", "--model", type=MODEL, multiple=True, help="[default: all that are here]")
@_option("alphas", "--alpha", type=float, multiple=True)
@_option("iterations", type=int, multiple=True, help="Of Gatys et al.")
@_option("adain_iterations", help="From the AdaIN picture.")
@_option("style_weight", help="Of Gatys et al., as `adain gatys` has it.")
@_option("threads", help="Of both methods. [default: one per core]")
@_option("device")
@_option("seed")
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
    from adain.learning.comparison.compare import all_pairs, compare_methods, listed_pairs
    from adain.learning.comparison.report import WRITTEN

    if (pairs is None) == (not contents and not styles):
        raise AdaINError("give contents and --style, or --pairs, and not both")
    if count is not None and pairs is None:
        raise AdaINError("--count goes with --pairs: it says how many of them")
    chosen = all_pairs(contents, styles) if pairs is None else listed_pairs(pairs, count)
    inputs = [path for pair in chosen for path in (pair.content, pair.style)]
    inputs += [] if pairs is None else [pairs]
    check_output_folder(output)
    for name in WRITTEN if output.exists() else ():
        check_file(output / name, inputs)
    page = compare_methods(chosen, output, CompareOptions(**given(options)), click.echo)
    click.echo(f"{page}: ready")
