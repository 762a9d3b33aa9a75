"""``adain train``: train a model."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from adain.cli.parameters import (
    EXAMPLES,
    FILE,
    OneOf,
    check_not_an_input,
    check_output_folder,
    given,
    option_of,
    require_learn,
    training_options,
)
from adain.learning.training.options import RECONSTRUCTION_STEPS, TrainOptions
from adain.learning.training.schedule import MUON_RATE
from adain.registry import TRAINED

_option = partial(option_of, TrainOptions)


@click.command(
    epilog=EXAMPLES
    + "  adain train photos/ paintings/ -o runs/fast --hours 2\n"
    + "  adain train photos/ paintings/ -o runs/vgg19 --model vgg19 --crop 256 --steps 160000\n"
)
@click.argument("content_dir", type=click.Path(path_type=Path))
@click.argument("style_dir", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    "run_dir",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of the run; where it holds a checkpoint, the run goes on.",
)
@_option("weights", type=FILE, help="Weights to start from, as another run wrote them.")
@_option("model", type=OneOf(TRAINED), help="What to train.")
@_option("steps", help="Train for this many steps, or ...")
@_option("hours", help="... for this long, evaluations included.")
@_option(
    "schedule",
    help="Of the learning rate: falling to the end, or constant, when there need be no end.",
)
@_option("batch_size", help="Pairs of crops in a step.")
@_option("learning_rate", help=f"Peak rate of Adam; Muon's is {MUON_RATE:g} times as much.")
@_option("optimizer")
@_option(
    "reconstruction_steps",
    help="Steps of plain reconstruction first."
    f" [default: {RECONSTRUCTION_STEPS}, none with --weights]",
)
@_option("estimate_steps", help="Steps that train fast's style network alone, first of all.")
@_option("estimate_weight", help="Of what fast's style network estimates; at 0 it stays as it is.")
@_option("zoom", help="Enlarge a third of the crops up to so many times.")
@_option("reuse", help="Batches that see a crop, each with another partner.")
@_option("shift_weight", help="Of pictures moving with their content.")
@_option("steady_weight", help="Of pictures that flicker under motion and noise.")
@_option("seed", help="Of the first weights and of all crops.")
@_option("checkpoint_minutes", help="Time between checkpoints.")
@training_options
def train(content_dir: Path, style_dir: Path, run_dir: Path, **options: Any) -> None:
    """Train a model on the photos in CONTENT_DIR and the paintings in STYLE_DIR."""
    require_learn("training")
    from adain.learning.training import loop

    chosen = TrainOptions(**given(options))
    check_output_folder(run_dir, [content_dir, style_dir])
    if chosen.weights is not None:
        check_not_an_input(run_dir / "weights.safetensors", [Path(chosen.weights)])
    trainer = loop.train(content_dir, style_dir, run_dir, chosen, click.echo)
    if trainer.stopped and trainer.rank == 0:
        click.echo(f"stopped at step {trainer.step} and saved; the same command goes on from here")
    click.echo(f"{run_dir / 'weights.safetensors'}: step {trainer.step}")
