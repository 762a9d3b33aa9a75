"""The options of a comparison and the methods that follow from them; without PyTorch."""

from collections.abc import Sequence
from dataclasses import dataclass

from adain import weights
from adain.errors import checked_integer, found_error
from adain.registry import DEFAULT_MODEL

# Gatys starts larger pictures smaller, and its iterations are then not all of one size.
LARGEST = 768


@dataclass(frozen=True)
class Method:
    """AdaIN with ``model`` at strength ``alpha``; or, without one, Gatys from ``start``.

    ``start`` is ``"content"`` or ``"adain"``, which is then ``model``'s picture at strength 1.
    ``iterations`` are those whose pictures are results, ``curve`` those that are looked at, too;
    the last of them ends the run.
    """

    model: str | None = None
    alpha: float | None = None
    start: str | None = None
    iterations: tuple[int, ...] = ()
    curve: tuple[int, ...] = ()
    style_weight: float | None = None
    seed: int = 0

    @property
    def name(self) -> str:
        if self.alpha is not None:
            return f"{self.model}-{self.alpha:g}"
        return f"gatys-from-{self.model if self.start == 'adain' else self.start}"


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
