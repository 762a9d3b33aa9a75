"""Benchmark of AdaIN against Gatys et al.: the same pictures, losses and clock for both.

`compare_methods` makes every picture in a process of its own, measures it as
`adain.learning.evaluation.metrics` says, keeps it in a folder so that an interrupted comparison
goes on where it stopped, and writes the report of `adain.learning.comparison.report`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from tqdm import tqdm

from adain.errors import found_error
from adain.learning.comparison.options import CompareOptions, Method
from adain.learning.comparison.page import summary_lines
from adain.learning.comparison.report import write_report
from adain.learning.comparison.runs import Runs
from adain.learning.evaluation.pairs import Pair, read_pairs, readable


def all_pairs(contents: Sequence[Path], styles: Sequence[Path]) -> list[Pair]:
    """Every content in every style."""
    return [Pair(content, style) for content in contents for style in styles]


def listed_pairs(path: Path, count: int | None = None) -> list[Pair]:
    """The pairs of a CSV file beside ``content/`` and ``style/``, or of a folder's pairs.csv.

    ``count`` of them, spread evenly over the list, or all.
    """
    if path.is_dir():
        return read_pairs(path, count)
    return read_pairs(path.parent, count, name=path.name)


def compare_methods(
    pairs: Sequence[Pair],
    folder: Path,
    options: CompareOptions | None = None,
    report: Callable[[str], object] = lambda line: None,
) -> Path:
    """Compare all methods on all pairs; the path of the page, ``folder/report.html``.

    Beside it are ``metrics.csv``, ``losses.png``, ``contact-sheet.png`` and ``results/``: what is
    there already, made of the same pictures, models and options, is not made again. Pairs of images
    that cannot be read are left out, and ``report`` says so. Raises AdaINError where none is left,
    for missing weights, and for a folder that cannot be written.
    """
    options = options or CompareOptions()
    if not pairs:
        raise found_error("pairs", "none", "one content and one style, or more")
    methods = options.methods()
    runs = Runs(
        folder,
        methods,
        size=options.size,
        device=options.device,
        threads=options.threads,
    )
    pairs = readable(list(dict.fromkeys(pairs)), report)
    todo = [(pair, method) for pair in pairs for method in methods]
    missing = [task for task in todo if runs.kept(*task) is None]
    if len(missing) < len(todo):
        report(f"{folder}: {len(todo) - len(missing)} of {len(todo)} runs are there already")
    total = sum(_work(method) for _, method in missing)
    with tqdm(total=total, unit="it", leave=False, disable=not missing) as bar:
        for pair, method in missing:
            bar.set_description(f"{runs.name(pair)}: {method.name}")
            runs.make(pair, method, lambda: bar.update())
    compared = runs.compared(pairs)
    page = write_report(compared, folder)
    for line in summary_lines(compared):
        report(line)
    return page


def _work(method: Method) -> int:
    """How much there is to do, in about the time that an iteration takes."""
    return max(method.iterations, default=1)
