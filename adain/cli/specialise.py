"""``adain specialise``: one network for one painting, as one small ONNX file."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from adain.cli.parameters import (
    EXAMPLES,
    FILE,
    check_file,
    check_not_an_input,
    check_output_folder,
    given,
    option_of,
    require_learn,
    training_options,
)
from adain.cli.run import Terminated
from adain.learning.training.options import TrainOptions
from adain.options import STYLE_SIDE

_option = partial(option_of, TrainOptions)
HOURS = 0.5


@click.command(
    epilog=EXAMPLES
    + "  adain specialise great-wave.jpg --content photos/ -o wave.onnx --hours 0.5\n"
    + "  adain specialise great-wave.jpg --content photos/ -o wave.onnx --steps 2000\n"
)
@click.argument("style", type=FILE)
@click.option("-o", "--output", type=FILE, required=True, help="The ONNX file.")
@click.option(
    "--content",
    "content_dir",
    type=FILE,
    required=True,
    help="Folder of photos to train on: some hundred or more.",
)
@_option("steps", help="Train for this many steps, or ...")
@_option("hours", help=f"... for this long, evaluations included. [default: {HOURS:g}]")
@click.option(
    "--style-size",
    type=int,
    default=STYLE_SIDE,
    show_default=True,
    help="Long side of the painting in pixels; larger ones have larger strokes.",
)
@click.option("--name", help="What the file says that it is. [default: its own name]")
@click.option(
    "--run",
    "run_dir",
    type=FILE,
    help="Folder of the training, which goes on there. [default: OUTPUT with .run]",
)
@_option("weights", type=FILE, help="Of fast, to start from, instead of those that ship.")
@click.option("--batch-size", type=int, default=4, show_default=True, help="Crops in a step.")
@_option("learning_rate", help="Peak rate of Adam, as in `adain train`.")
@_option("seed", help="Of all crops.")
@training_options
def specialise(
    style: Path,
    output: Path,
    content_dir: Path,
    style_size: int,
    name: str | None,
    run_dir: Path | None,
    **options: Any,
) -> int | None:
    """Fine-tune fast to the painting STYLE, and write one ONNX file that makes no other style.

    Faster than fast and closer to the painting, and all that a program needs: docs/one-style.md.
    Ctrl-C stops it, saved, and the same command goes on.
    """
    require_learn("specialising")
    from adain.learning.specialise import specialise as work
    from adain.learning.training.checkpoint import CHECKPOINT

    run_dir = output.parent / f"{output.stem}.run" if run_dir is None else run_dir
    if options["steps"] is None and options["hours"] is None:
        options["hours"] = HOURS
    chosen = TrainOptions(
        model="fast", painting="", ramp_steps=20, held_out=8, evaluate_every=100, **given(options)
    )
    check_file(output, [style, content_dir])
    check_output_folder(run_dir, [content_dir])
    check_not_an_input(run_dir / "weights.safetensors", [Path(w) for w in [chosen.weights] if w])
    try:
        trainer = work(
            style,
            content_dir,
            output,
            run_dir,
            chosen,
            click.echo,
            style_size=style_size,
            name=name,
        )
    except (KeyboardInterrupt, Terminated):
        # Before the first step or after the last: of the steps themselves none is broken off.
        if (run_dir / CHECKPOINT).exists():
            click.echo(_not_yet(output, run_dir))
        raise
    if not trainer.stopped:
        click.echo(f"{output}: {output.stat().st_size / 1e6:.2f} MB")
        return None
    click.echo(_not_yet(output, run_dir, f" up to step {trainer.step}"))
    return None if trainer.signal is None else 128 + trainer.signal


def _not_yet(output: Path, run_dir: Path, until: str = "") -> str:
    return (
        f"{output}: not written yet; {run_dir} keeps the training{until},"
        " and the same command goes on from there"
    )
