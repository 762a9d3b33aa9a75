"""The commands that need PyTorch: they make a model, or set others beside it."""

import importlib
import json
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adain.cli_options import MODEL
from adain.errors import AdaINError, found_error
from adain.images import format_of, load_image, save_image
from adain.registry import TRAINED

if TYPE_CHECKING:
    from adain.learning.gatys import Progress

# The modules of the extra `learn` that training and exporting import.
LEARN = ("torch", "torchvision", "onnx", "onnxscript", "tensorboard", "tqdm")
EXAMPLES = "\b\nExamples:\n"


def require_learn(what: str) -> None:
    """Raise AdaINError where PyTorch and its like are not installed."""
    for name in LEARN:
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise AdaINError(
                f"{what} needs {name}, which cannot be imported ({error});"
                " `pip install 'adain[learn]'` installs it"
            ) from error


def check_output(output: Path, inputs: Sequence[Path]) -> None:
    """Raise AdaINError where a picture could not be written, or would replace what it is made of.

    Before the work and not after it.
    """
    for source in inputs:
        # What is missing or out of reach is reported by whoever opens it.
        with suppress(OSError):
            if output.samefile(source):
                raise found_error(str(output), "one of the inputs", "another file")
    format_of(str(output), output.suffix)


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
    from adain.learning.options import TrainOptions
    from adain.learning.train import train as train_model

    given = {name: value for name, value in options.items() if value is not None}
    trainer = train_model(content_dir, style_dir, run_dir, TrainOptions(**given), click.echo)
    click.echo(f"{run_dir / 'weights.safetensors'}: step {trainer.step}")


FILE = click.Path(path_type=Path)
LAYER = "NAME[=WEIGHT]"


def _layers(context: click.Context, option: click.Parameter, given: tuple[str, ...]) -> Any:
    """``relu4_2`` or ``relu4_2=0.5``, several times, as names and weights; None without any."""
    layers = {}
    for entry in given:
        name, _, weight = entry.partition("=")
        try:
            layers[name] = float(weight or 1)
        except ValueError:
            raise found_error(f"{option.opts[0]}", repr(entry), LAYER) from None
    return layers or None


@click.command(
    epilog=EXAMPLES
    + "  adain gatys photo.jpg starry.jpg -o out.png\n"
    + "  adain gatys photo.jpg starry.jpg wave.jpg -o out.png --style-share 2 --style-share 1\n"
    + "  adain gatys photo.jpg starry.jpg -o out.png --init adain --iterations 50 --max-side 512\n"
)
@click.argument("content", type=FILE)
@click.argument("styles", metavar="STYLE...", type=FILE, nargs=-1, required=True)
@click.option("-o", "--output", type=FILE, required=True, help="Picture to write.")
@click.option("--iterations", type=int, help="Of the first size; see --one-size. [default: 300]")
@click.option("--max-side", type=int, help="Bring the content's long side down to this first.")
@click.option("--init", help="What to start from: content, noise or adain. [default: content]")
@click.option("--model", type=MODEL, help="The model of --init adain. [default: fast]")
@click.option("--optimizer", help="lbfgs or adam. [default: lbfgs]")
@click.option("--learning-rate", type=float, help="Adam's. [default: 0.02]")
@click.option("--content-weight", type=float, help="[default: 1]")
@click.option("--style-weight", type=float, help="At 512 x 512 pixels. [default: 5e7]")
@click.option("--tv-weight", type=float, help="Of the total variation. [default: 0]")
@click.option(
    "--content-layer",
    "content_layers",
    metavar=LAYER,
    multiple=True,
    callback=_layers,
    help="[default: relu4_2]",
)
@click.option(
    "--style-layer",
    "style_layers",
    metavar=LAYER,
    multiple=True,
    callback=_layers,
    help="[default: relu1_1, 2_1, 3_1, 4_1 and 5_1, each 0.2]",
)
@click.option(
    "--style-share", "style_weights", type=float, multiple=True, help="One for each STYLE."
)
@click.option("--style-scale", type=float, help="The style's long side over the content's.")
@click.option(
    "--mask",
    "masks",
    type=FILE,
    multiple=True,
    help="White where a style goes, as large as the content; one for each STYLE.",
)
@click.option(
    "--colours",
    help="style; matched, the style brought to the content's colours; or luminance alone.",
)
@click.option(
    "--one-size",
    "coarse_to_fine",
    flag_value=False,
    default=None,
    help="Not coarse to fine, where each size has half of the iterations of the one before.",
)
@click.option("--pooling", help="max or average. [default: max]")
@click.option("--vgg", help="Weights: paper or torchvision. [default: paper]")
@click.option("--precision", help="fp32 or bf16. [default: fp32]")
@click.option("--checkpointing/--no-checkpointing", default=None, help="Less memory, more time.")
@click.option("--seed", type=int, help="Of --init noise. [default: 0]")
@click.option("--device", help="auto, cpu, cuda or cuda:N. [default: auto]")
@click.option("--save-every", type=int, help="Write the picture so far every so many iterations.")
@click.option("--log", type=FILE, help="Write the losses of every iteration, as JSON lines.")
@click.option("--quality", type=int, default=95, help="Of JPEG, WebP and AVIF. [default: 95]")
def gatys(
    content: Path,
    styles: tuple[Path, ...],
    output: Path,
    masks: tuple[Path, ...],
    style_weights: tuple[float, ...],
    max_side: int | None,
    save_every: int | None,
    log: Path | None,
    quality: int,
    **options: Any,
) -> int | None:
    """Write CONTENT in the style of one STYLE or several by optimisation (Gatys et al. 2016).

    Interrupted, it writes the best picture so far.
    """
    require_learn("the optimisation")
    from tqdm import tqdm

    from adain.files import write_atomically
    from adain.learning.gatys import finished, total_iterations
    from adain.learning.gatys import gatys as optimise
    from adain.learning.gatys_objective import GatysOptions

    check_output(output, [content, *styles, *masks])
    if save_every is not None and save_every < 1:
        raise found_error("--save-every", str(save_every), "1 or more")
    given = {name: value for name, value in options.items() if value is not None}
    chosen = GatysOptions(**given, style_weights=style_weights or None)
    picture = load_image(content, max_side=max_side)
    size = picture.width, picture.height
    interrupted: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, frame: interrupted.append(number))
    try:
        with tqdm(total=total_iterations(*size, chosen), unit="iteration") as bar:

            def callback(progress: "Progress") -> bool:
                bar.update()
                bar.set_postfix_str(
                    f"{progress.side} px, content={progress.losses['content']:.4g},"
                    f" style={progress.losses['style']:.4g}"
                )
                if save_every and progress.iteration % save_every == 0:
                    save_image(finished(picture, progress.image, chosen), output, quality=quality)
                return bool(interrupted)

            result = optimise(
                picture,
                [load_image(style) for style in styles],
                chosen,
                # A mask of another size than the content is found out, not stretched.
                masks=[load_image(mask, max_side=max_side) for mask in masks] or None,
                callback=callback,
            )
    finally:
        signal.signal(signal.SIGINT, handler)
    save_image(result.picture, output, quality=quality)
    if log is not None:
        lines = [json.dumps(losses) + "\n" for losses in result.history]
        write_atomically(log, "".join(lines).encode())
    done = len(result.history)
    click.echo(
        f"{click.format_filename(output)}: {size[0]} x {size[1]}, {done} iterations,"
        f" {result.seconds:.1f} s" + (", interrupted" if interrupted else "")
    )
    return 130 if interrupted else None


@click.command(
    epilog=EXAMPLES
    + "  adain compare photo.jpg --style starry.jpg --style wave.jpg -o report\n"
    + "  adain compare --pairs pictures/pairs.csv --count 10 -o report --size 256\n"
)
@click.argument("contents", metavar="CONTENT...", type=FILE, nargs=-1)
@click.option("--style", "styles", type=FILE, multiple=True, help="May be given more than once.")
@click.option("--pairs", type=FILE, help="Instead: a CSV of pairs beside content/ and style/.")
@click.option("--count", type=int, help="Only so many of --pairs, spread evenly.")
@click.option(
    "-o",
    "--output",
    type=FILE,
    required=True,
    help="Folder of the report; what it holds already is not made again.",
)
@click.option("--size", type=int, help="Side of all pictures. [default: 256]")
@click.option("--model", "models", type=MODEL, multiple=True, help="[default: all that are here]")
@click.option("--alpha", "alphas", type=float, multiple=True, help="[default: 0.25, 0.5, 0.75, 1]")
@click.option(
    "--iterations", type=int, multiple=True, help="Of Gatys et al. [default: 50, 100, 300]"
)
@click.option("--adain-iterations", type=int, help="From the AdaIN picture. [default: 50]")
@click.option("--style-weight", type=float, help="Of Gatys et al., as `adain gatys` has it.")
@click.option("--threads", type=int, help="Of both methods. [default: one per core]")
@click.option("--device", help="[default: cpu]")
@click.option("--seed", type=int, help="[default: 0]")
def compare(
    contents: tuple[Path, ...],
    styles: tuple[Path, ...],
    pairs: Path | None,
    count: int | None,
    output: Path,
    **options: Any,
) -> None:
    """Set AdaIN beside Gatys: every CONTENT in every style, with the same losses and clock.

    Writes report.html, metrics.csv and contact-sheet.png, and goes on where it was interrupted.
    """
    require_learn("the comparison")
    from adain.learning.compare import CompareOptions, all_pairs, listed_pairs
    from adain.learning.compare import compare as compare_pairs

    if (pairs is None) == (not contents and not styles):
        raise AdaINError("give contents and --style, or --pairs, and not both")
    if count is not None and pairs is None:
        raise AdaINError("--count goes with --pairs: it says how many of them")
    given = {name: value for name, value in options.items() if value not in (None, ())}
    chosen = all_pairs(contents, styles) if pairs is None else listed_pairs(pairs, count)
    click.echo(f"{compare_pairs(chosen, output, CompareOptions(**given), click.echo)}: ready")
