"""``adain candidates``: keep weights that are better than those that ship."""

from pathlib import Path

import click

from adain.cli.parameters import require_learn
from adain.errors import found_error
from adain.registry import TRAINED


@click.command()
@click.argument("content_dir", type=click.Path(path_type=Path))
@click.argument("style_dir", type=click.Path(path_type=Path))
@click.option("--weights", metavar="NAME=FILE", required=True, help="What to consider.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path("weights"),
    show_default=True,
    help="Of the shipped weights and the model card.",
)
def candidates(content_dir: Path, style_dir: Path, weights: str, folder: Path) -> None:
    """Keep weights as candidates to ship, if they are better than those that ship."""
    require_learn("judging weights")
    from adain.learning.evaluation.candidates import Judge, consider

    name, _, file = weights.partition("=")
    if name not in TRAINED or not file:
        allowed = " or ".join(f"{model}=FILE" for model in TRAINED)
        raise found_error("--weights", repr(weights), allowed)
    click.echo(consider(Judge(name, content_dir, style_dir), Path(file), folder))
