"""``adain gallery``: contact sheets of every content in every style."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from adain.cli.parameters import check_output_folder, model_options, require_learn
from adain.errors import checked_integer


@click.command(epilog="Example: adain gallery EVAL_DIR -o ../gallery")
@click.argument("folder", metavar="EVAL_DIR", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    metavar="OUT_DIR",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder to write, outside of this checkout.",
)
@model_options
@click.option("--alpha", default="0,0.25,0.5,0.75,1", show_default=True, help="The strengths.")
@click.option(
    "--size", type=int, default=384, show_default=True, help="Long side of the pictures in pixels."
)
def gallery(
    folder: Path,
    output: Path,
    paper_decoder: Path | None,
    weights: Sequence[str],
    names: Sequence[str],
    transform: str,
    smooth: float,
    alpha: str,
    size: int,
) -> None:
    """Write contact sheets of every content in every style of EVAL_DIR: content/ and style/."""
    require_learn("a gallery")
    from adain.learning.evaluation.gallery import (
        images_by_name,
        outside_checkout,
        strengths,
        write_gallery,
    )
    from adain.learning.models.pretrained import load_models

    alphas, size = strengths(alpha), checked_integer("--size", size, 64, 2048)
    outside_checkout(output)
    check_output_folder(output, [folder / side for side in ("content", "style")])
    contents, styles = (images_by_name(folder / side) for side in ("content", "style"))
    models = load_models(names, weights, paper_decoder, transform, smooth)
    note = ", ".join(weights) or "the shipped weights"
    write = partial(write_gallery, alphas=alphas, size=size, note=note, report=click.echo)
    click.echo(write(models, contents, styles, output))
