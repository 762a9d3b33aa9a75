"""``adain artefacts``: what people notice in the pictures of models, in numbers."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from adain.cli.parameters import model_options, require_learn


@click.command(epilog="Example: adain artefacts EVAL_DIR --pairs 8")
@click.argument("folder", metavar="EVAL_DIR", type=click.Path(path_type=Path))
@model_options
@click.option("--pairs", "count", type=int, help="Only so many pairs, spread evenly.")
def artefacts(
    folder: Path,
    paper_decoder: Path | None,
    weights: Sequence[str],
    names: Sequence[str],
    transform: str,
    smooth: float,
    count: int | None,
) -> None:
    """Measure what people notice in the pictures of trained models, on the pairs of EVAL_DIR.

    A grid is a pattern of a fixed period: how far it stands out of the spectrum, 0 dB being not at
    all, the share of pictures with ten times their content's, and its size. Border is the frame of
    32 pixels against the rest, its mean and deviation. Chroma is colourfulness.

    Invented structure is what is drawn into flat areas of the content, a halo light or dark along
    its edges, a lattice what repeats every 8 pixels, a cast the colours' distance from the content
    at strength 0. Contents without flat areas, or without edges, are left out of the first two.
    """
    require_learn("measuring artefacts")
    from adain.learning.evaluation.artefacts import survey_models
    from adain.learning.evaluation.pairs import read_pairs, readable
    from adain.learning.models.pretrained import load_models

    pairs = readable(read_pairs(folder, count), partial(click.echo, err=True))
    click.echo(survey_models(load_models(names, weights, paper_decoder, transform, smooth), pairs))
