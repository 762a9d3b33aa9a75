"""``adain train``: train a model."""

from pathlib import Path
from typing import Any

import click

from adain.cli.parameters import EXAMPLES, require_learn
from adain.registry import TRAINED


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
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    help="Weights to start from, as another run wrote them.",
)
@click.option("--model", type=click.Choice(TRAINED), help="What to train. [default: fast]")
@click.option("--steps", type=int, help="Train for this many steps, or ...")
@click.option("--hours", type=float, help="... for this long, evaluations included.")
@click.option(
    "--schedule",
    type=click.Choice(["cosine", "constant"]),
    help="Of the learning rate: falling to the end, or constant, when there need be no end."
    " [default: cosine]",
)
@click.option("--session-minutes", type=float, help="Stop, saved, after so long; go on later.")
@click.option("--crop", type=int, help="Side of the training crops in pixels. [default: 128]")
@click.option("--batch-size", type=int, help="Pairs of crops in a step. [default: 8]")
@click.option(
    "--learning-rate",
    type=float,
    help="Peak rate of Adam; Muon's is 5 times as much. [default: 4e-4]",
)
@click.option("--optimizer", type=click.Choice(["muon", "adam"]), help="[default: muon]")
@click.option(
    "--reconstruction-steps",
    type=int,
    help="Steps of plain reconstruction first. [default: 1500, none with --weights]",
)
@click.option(
    "--estimate-steps",
    type=int,
    help="Steps that train fast's style network alone, first of all. [default: 0]",
)
@click.option(
    "--estimate-weight",
    type=float,
    help="Of the statistics that fast's style network estimates. [default: 10]",
)
@click.option(
    "--zoom", type=float, help="Enlarge a third of the contents up to so many times. [default: 2]"
)
@click.option(
    "--reuse", type=int, help="Batches that see a crop, each with another partner. [default: 2]"
)
@click.option("--style-weight", type=float, help="Weight of the style loss. [default: 10]")
@click.option(
    "--shift-weight", type=float, help="Of pictures moving with their content. [default: 0]"
)
@click.option("--seed", type=int, help="Of the first weights and of all crops. [default: 0]")
@click.option("--device", help="auto, cpu, cuda or cuda:N. [default: auto]")
@click.option(
    "--precision",
    type=click.Choice(["auto", "bf16", "fp32"]),
    help="auto is bf16 where that is faster. [default: auto]",
)
@click.option("--checkpoint-minutes", type=float, help="Time between checkpoints. [default: 3]")
def train(content_dir: Path, style_dir: Path, run_dir: Path, **options: Any) -> None:
    """Train a model on the photos in CONTENT_DIR and the paintings in STYLE_DIR."""
    require_learn("training")
    from adain.learning.training.loop import train as train_model
    from adain.learning.training.options import TrainOptions

    given = {name: value for name, value in options.items() if value is not None}
    trainer = train_model(content_dir, style_dir, run_dir, TrainOptions(**given), click.echo)
    click.echo(f"{run_dir / 'weights.safetensors'}: step {trainer.step}")
