"""``adain evaluate``: the losses of models on pairs of pictures."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from adain.cli.parameters import check_file, model_options, require_learn


@click.command(epilog="Example: adain evaluate EVAL_DIR --paper-decoder FILE")
@click.argument("folder", metavar="EVAL_DIR", type=click.Path(path_type=Path))
@model_options
@click.option("--pairs", "count", type=int, help="Only so many pairs, spread evenly.")
@click.option(
    "--csv", "table", type=click.Path(path_type=Path), help="Write the figures of every pair."
)
def evaluate(
    folder: Path,
    paper_decoder: Path | None,
    weights: Sequence[str],
    names: Sequence[str],
    transform: str,
    smooth: float,
    count: int | None,
    table: Path | None,
) -> None:
    """Compare trained models on the pairs of EVAL_DIR: pairs.csv, content/ and style/."""
    require_learn("evaluating")
    from adain.learning.evaluation.evaluate import evaluate_models
    from adain.learning.evaluation.pairs import read_pairs, readable
    from adain.learning.models.pretrained import load_models

    if table is not None:
        files = [Path(entry.partition("=")[2]) for entry in weights]
        inputs = [folder / name for name in ("pairs.csv", "content", "style")]
        check_file(table, [*inputs, *files, *([paper_decoder] if paper_decoder else [])])
    pairs = readable(read_pairs(folder, count), partial(click.echo, err=True))
    models = load_models(names, weights, paper_decoder, transform, smooth)
    click.echo(evaluate_models(models, pairs, csv_file=table))
