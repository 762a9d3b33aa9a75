"""``adain long-run``: train without an end, the models in turn."""

from pathlib import Path

import click

from adain.cli.parameters import OneOf, require_learn
from adain.errors import AdaINError
from adain.registry import TRAINED


@click.command()
@click.argument("content_dir", type=click.Path(path_type=Path))
@click.argument("style_dir", type=click.Path(path_type=Path))
@click.option("--model", type=OneOf(list(TRAINED)), help="Only this. [default: both]")
@click.option("--turn", type=click.FloatRange(0, min_open=True), default=30.0, show_default=True)
@click.option("--turns", type=click.IntRange(1), help="Stop after so many. [default: never]")
@click.option("--weights", type=click.Path(path_type=Path), help="Start of --model's run.")
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def long_run(
    content_dir: Path,
    style_dir: Path,
    model: str | None,
    turn: float,
    turns: int | None,
    weights: Path | None,
    options: tuple[str, ...],
) -> None:
    """Train on and on, the models in turn, TURN minutes each.

    Further OPTIONS, after --, go to `adain train`.
    """
    require_learn("training")
    from adain.learning.training.long_run import train_in_turn

    if weights is not None and model is None:
        raise AdaINError("--weights goes with --model: it is one model's start")
    models = list(TRAINED) if model is None else [model]
    train_in_turn(
        content_dir, style_dir, models, turn=turn, turns=turns, weights=weights, options=options
    )
