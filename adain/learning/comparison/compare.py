"""AdaIN beside Gatys: the same pictures, losses and clock for both.

`compare` makes every picture in a process of its own, measures it as
`adain.learning.evaluation.metrics` says, keeps it in a folder so that an interrupted comparison
goes on where it stopped, and writes the report of `adain.learning.comparison.report`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from adain import weights
from adain.errors import checked_integer, found_error
from adain.learning.comparison.page import summary_lines
from adain.learning.comparison.report import write_report
from adain.learning.comparison.runs import Runs
from adain.learning.comparison.worker import Method
from adain.learning.evaluation.metrics import Pair, read_pairs
from adain.registry import DEFAULT_MODEL

# Gatys starts larger pictures smaller, and its iterations are then not all of one size.
LARGEST = 768


@dataclass(frozen=True)
class CompareOptions:
    """What to compare; pictures are squares of ``size`` pixels, a multiple of 16.

    ``models`` None: those whose files are here. ``iterations``: those of Gatys from the content
    whose pictures are compared, all of one run. ``adain_iterations``: those from the picture of the
    first model; 0 for none. ``threads``, of both methods alike: by default one per core.
    ``style_weight`` None: that of `GatysOptions`.
    """

    size: int = 256
    models: Sequence[str] | None = None
    alphas: Sequence[float] = (0.25, 0.5, 0.75, 1.0)
    iterations: Sequence[int] = (50, 100, 300)
    adain_iterations: int = 50
    style_weight: float | None = None
    threads: int | None = None
    device: str = "cpu"
    seed: int = 0

    def __post_init__(self) -> None:
        checked_integer("size", self.size, 64, LARGEST)
        if self.size % 16:
            raise found_error("size", str(self.size), "a multiple of 16")
        if not self.alphas or not all(0 <= alpha <= 1 for alpha in self.alphas):
            raise found_error("alphas", str(list(self.alphas)), "one number from 0 to 1 or more")
        if not self.iterations:
            raise found_error("iterations", "none", "one number of 1 or more")
        for count in self.iterations:
            checked_integer("iterations", count, 1)
        checked_integer("adain_iterations", self.adain_iterations, 0)
        if self.threads is not None:
            checked_integer("threads", self.threads, 1, 1024)
        for model in self.models or ():
            weights.about(model)

    def methods(self) -> list[Method]:
        """All methods, in the order of the report; AdaINError where a model's files are missing."""
        models = weights.available_models() if self.models is None else list(self.models)
        if not models:
            # Says what to do about it.
            weights.find_model(DEFAULT_MODEL)
        for model in models:
            weights.find_model(model)
        methods = [
            Method(model=model, alpha=alpha)
            for model in dict.fromkeys(models)
            for alpha in sorted(set(self.alphas))
        ]
        common = {"style_weight": self.style_weight, "seed": self.seed}
        runs: list[tuple[str, str | None, Sequence[int]]] = [("content", None, self.iterations)]
        if self.adain_iterations:
            runs.append(("adain", models[0], [self.adain_iterations]))
        for start, first, iterations in runs:
            wanted = tuple(sorted(set(iterations)))
            methods.append(
                Method(
                    model=first,
                    start=start,
                    iterations=wanted,
                    curve=tuple(curve_iterations(wanted[-1])),
                    **common,  # type: ignore[arg-type]
                )
            )
        return methods


def curve_iterations(last: int) -> list[int]:
    """About six numbers in each power of ten, evenly spread for a logarithmic axis, to ``last``."""
    numbers = {round(10 ** (step / 6)) for step in range(60)}
    return sorted({number for number in numbers if number < last} | {last})


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


def compare(
    pairs: Sequence[Pair],
    folder: Path,
    options: CompareOptions | None = None,
    report: Callable[[str], object] = lambda line: None,
) -> Path:
    """Compare all methods on all pairs; the path of the page, ``folder/report.html``.

    Beside it are ``metrics.csv``, ``losses.png``, ``contact-sheet.png`` and ``results/``: what is
    there already, made of the same pictures, models and options, is not made again. Raises
    AdaINError for images that cannot be read, missing weights, and a folder that cannot be written.
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
    pairs = list(dict.fromkeys(pairs))
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
