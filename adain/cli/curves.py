"""``adain curves``: the losses in the logs of training runs, drawn."""

from collections.abc import Sequence
from pathlib import Path

import click

from adain.cli.parameters import check_file, require_learn


@click.command(
    epilog="Example: adain curves runs/first runs/second -o curves.png --label vgg19 --label vgg19"
)
@click.argument(
    "folders", metavar="RUN_DIR...", type=click.Path(path_type=Path), nargs=-1, required=True
)
@click.option(
    "-o",
    "--output",
    metavar="OUT.png",
    type=click.Path(path_type=Path),
    required=True,
    help="Picture to write.",
)
@click.option(
    "--label",
    "labels",
    multiple=True,
    help="Name of a run's curve, once for each run; runs of one name are joined in order."
    " [default: the folders' names]",
)
def curves(folders: Sequence[Path], output: Path, labels: Sequence[str]) -> None:
    """Draw the losses in the logs of training runs."""
    require_learn("drawing curves")
    from adain.learning.evaluation.curves import plot_runs

    check_file(output, [folder / "log.jsonl" for folder in folders])
    plot_runs(folders, output, labels)
