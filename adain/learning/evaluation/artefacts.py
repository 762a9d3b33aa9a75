"""Tables of models' artefacts on pairs of images: what ``adain artefacts`` prints.

What `measures`, `metrics` and `structure` beside this file find in the pictures of trained models,
at strength 1 and 512x512 pixels, and beside it what they find in contents and styles:

- over the pairs of ``EVAL_DIR/pairs.csv``: grids, the border, colourfulness;
- over the same pairs: invented structure, halos, a lattice, the linearity of the strength, and at
  strength 0 the colour cast;
- contents under styles of one colour: how calm and how near to that colour the pictures are;
- a drawn content with flat areas under the pairs' styles: texture and drift in these areas.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Protocol, TypeAlias

import torch
from torch import Tensor
from tqdm import tqdm

from adain.images import load_image
from adain.learning.evaluation import measures, structure
from adain.learning.evaluation.metrics import share_of_change
from adain.learning.evaluation.pairs import Pair
from adain.learning.evaluation.scoring import EvaluatedModel, Stylization
from adain.learning.memory import keep_freed_memory
from adain.learning.tensors import to_tensor
from adain.tables import markdown_table

SIZE = 512
COLOURS = {
    "black": (0.0, 0.0, 0.0),
    "gray": (0.5, 0.5, 0.5),
    "white": (1.0, 1.0, 1.0),
    "red": (1.0, 0.0, 0.0),
    "green": (0.0, 1.0, 0.0),
    "blue": (0.0, 0.0, 1.0),
    "yellow": (1.0, 1.0, 0.0),
}
FLAT = "flat"
COLOUR_CONTENTS = 3
# A picture has a grid where a ratio is ten times that of its content. At nine places of periods
# that no upsampling makes (2.2 to 9.1 px) that is chance: 0 to 4 % of each model's pictures went
# that far in a trial of twelve pairs, and 10 to 17 % passed a factor of 4.
GRID_FACTOR = 10

Key: TypeAlias = Path | str  # an image file, or the name of a drawn image


class Painter(Protocol):
    """What makes a picture ``[1, 3, H, W]`` of a content and a style, at a strength of [0, 1]."""

    def __call__(self, content: Key, style: Key, alpha: float = 1.0) -> Tensor: ...


@dataclass(frozen=True)
class Findings:
    """What one pair's picture measures, or the means over several; the table's columns in order.

    Of [0, 1] unless another unit is given. NaN where the content has no place to look at.
    """

    grid_2: float  # dB; the strongest of the directions, at a period of 2 pixels
    grid_4: float
    grid_8: float
    has_grid: float  # 1 or 0
    grid_rms: float
    border_mean: float
    border_deviation: float
    chroma: float  # CIELAB
    structure: float
    halo: float
    lattice: float


def look(picture: Tensor, content: Tensor) -> Findings:
    """Measure a picture ``[1, 3, H, W]`` made from a content."""
    ratios, rms = measures.grid(picture)
    of_content = measures.grid(content)[0].clamp_min(1)
    strongest = 10 * ratios.amax(dim=2).log10()[0]
    mean, deviation = measures.border_difference(picture)
    return Findings(
        grid_2=strongest[0].item(),
        grid_4=strongest[1].item(),
        grid_8=strongest[2].item(),
        has_grid=float((ratios > GRID_FACTOR * of_content).any()),
        grid_rms=rms.item(),
        border_mean=mean.item(),
        border_deviation=deviation.item(),
        chroma=measures.chroma(picture).item(),
        structure=structure.invented_structure(picture, content).item(),
        halo=structure.halo(picture, content).item(),
        lattice=structure.lattice(picture).item(),
    )


@dataclass(frozen=True)
class ArtefactReport:
    """What a painter's pictures measure.

    colours: for each of COLOURS the pictures' deviation and their distance from the colour. cast:
    the colour difference from the contents at strength 0, in units of CIELAB. half: the share of
    the change from strength 0 to 1 that is made at 0.5, NaN where nothing changes.
    """

    findings: Findings
    cast: float
    half: float
    colours: dict[str, tuple[float, float]]
    weave: float
    drift: float


@torch.inference_mode()
def survey(
    paint: Painter, pairs: Sequence[Pair], image: Callable[[Key], Tensor], label: str
) -> ArtefactReport:
    """Look at a painter's pictures of every pair, one-colour style and flat area.

    Each content is painted at strength 0 but once, with its first style: no style shows there.
    ``label`` stands before the progress bar on stderr.
    """
    contents = list(dict.fromkeys(pair.content for pair in pairs))[:COLOUR_CONTENTS]
    styles = list(dict.fromkeys(pair.style for pair in pairs))
    first = {pair.content: pair.style for pair in reversed(pairs)}
    count = 2 * len(pairs) + len(first) + len(COLOURS) * len(contents) + len(styles)
    with tqdm(total=count, desc=label, unit="picture", leave=False) as bar:

        def painted(content: Key, style: Key, alpha: float = 1.0) -> Tensor:
            bar.update()
            return paint(content, style, alpha)

        unstyled = {content: painted(content, style, 0.0) for content, style in first.items()}
        casts = [measures.colour_cast(made, image(key)).item() for key, made in unstyled.items()]
        findings, halves = [], []
        for content, style in ((pair.content, pair.style) for pair in pairs):
            picture, half = painted(content, style), painted(content, style, 0.5)
            findings.append(look(picture, image(content)))
            halves.append(share_of_change(half, unstyled[content], picture).item())
        colours = {}
        for name, colour in COLOURS.items():
            pictures = torch.cat([painted(content, name) for content in contents])
            colours[name] = (
                measures.deviation(pictures).mean().item(),
                measures.colour_distance(pictures, colour).mean().item(),
            )
        flat = torch.cat([painted(FLAT, style) for style in styles])
    return ArtefactReport(
        Findings(*map(_mean, zip(*map(astuple, findings), strict=True))),
        fmean(casts),
        _mean(halves),
        colours,
        measures.weave(flat).mean().item(),
        measures.drift(flat).mean().item(),
    )


def _mean(values: Iterable[float]) -> float:
    """The mean of what is not NaN, NaN if nothing is left."""
    found = [value for value in values if not math.isnan(value)]
    return fmean(found) if found else math.nan


def images(size: int = SIZE) -> Callable[[Key], Tensor]:
    """A function that gives images ``[1, 3, size, size]``, files and drawn ones, and keeps them."""
    drawn = {
        name: torch.tensor(colour).view(1, 3, 1, 1).expand(1, 3, size, size).contiguous()
        for name, colour in COLOURS.items()
    }
    drawn[FLAT] = measures.flat_content(size)

    @cache
    def image(key: Key) -> Tensor:
        return (
            drawn[key] if isinstance(key, str) else to_tensor(load_image(key).resized(size, size))
        )

    return image


def tables(reports: Mapping[str, ArtefactReport], content: str, style: str) -> str:
    """The four tables; ``content`` and ``style`` name the reports on these themselves."""
    pairs = [
        (
            name,
            *(f"{value:.1f}" for value in (f.grid_2, f.grid_4, f.grid_8)),
            f"{100 * f.has_grid:.0f}",
            *(f"{255 * value:.2f}" for value in (f.grid_rms, f.border_mean, f.border_deviation)),
            f"{f.chroma:.1f}",
            f"{f.chroma / max(reports[style].findings.chroma, 1e-9):.2f}",
        )
        for name, f in ((name, report.findings) for name, report in reports.items())
    ]
    header = ("pairs", *(f"grid {period} px (dB)" for period in measures.PERIODS))
    header += ("with grid (%)", "grid (1/255)", "border mean (1/255)", "border dev. (1/255)")
    models = {name: report for name, report in reports.items() if name not in (content, style)}
    drawn = [
        (
            name,
            *(
                _level(value)
                for value in (r.findings.structure, r.findings.halo, r.findings.lattice)
            ),
            f"{r.cast:.1f}",
            "-" if name not in models or math.isnan(r.half) else f"{100 * r.half:.0f}",
        )
        for name, r in reports.items()
    ]
    colours = [
        (f"{name}: {what}", *(f"{255 * report.colours[colour][i]:.1f}" for colour in COLOURS))
        for name, report in models.items()
        for i, what in enumerate(("deviation", "distance"))
    ]
    flat = [
        (name, f"{255 * report.weave:.2f}", f"{255 * report.drift:.2f}" if name in models else "-")
        for name, report in reports.items()
        if name != content
    ]
    return "\n\n".join(
        (
            markdown_table((*header, "chroma", "of style's"), pairs),
            markdown_table(
                (
                    "drawn into the content",
                    "invented structure (1/255)",
                    "halo (1/255)",
                    "lattice (1/255)",
                    "cast at strength 0 (CIELAB)",
                    "of the change at strength 0.5 (%)",
                ),
                drawn,
            ),
            markdown_table(("one-colour styles (1/255)", *COLOURS), colours),
            markdown_table(("flat areas (1/255)", "weave", "drift"), flat),
        )
    )


def _level(value: float) -> str:
    return "-" if math.isnan(value) else f"{255 * value:.1f}"


def survey_models(models: Mapping[str, EvaluatedModel], pairs: Sequence[Pair]) -> str:
    """Markdown tables of the artefacts of models, by name, and of contents and styles themselves.

    Raises AdaINError for images that cannot be read.
    """
    keep_freed_memory()
    image = images(SIZE)
    content, style = "content itself", "style itself"
    painters: dict[str, Painter] = {
        content: lambda content, style, alpha=1.0: image(content),
        style: lambda content, style, alpha=1.0: image(style),
        **{name: Stylization(model, image) for name, model in models.items()},
    }
    reports = {name: survey(paint, pairs, image, name) for name, paint in painters.items()}
    return tables(reports, content, style)
