"""The command line: parse, call the library, report.

A user's mistake is one line on stderr and exit status 2.
"""

import importlib
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from adain import __version__, weights
from adain.errors import AdaINError, found_error
from adain.images import format_of, load_image, save_image
from adain.stylizer import Stylizer

MODEL = click.Choice(weights.MODELS)
# The modules of the extra `learn` that training and exporting import.
LEARN = ("torch", "torchvision", "onnx", "onnxscript", "tensorboard", "tqdm")
EXAMPLES = "\b\nExamples:\n"


def run(command: click.Command, arguments: Sequence[str] | None = None) -> int:
    """Run a click command by this package's rules for failure; the exit status."""
    name = "adain" if command is cli else None
    try:
        status = command.main(arguments, prog_name=name, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.ClickException as error:
        return _mistake(error.format_message())
    except AdaINError as error:
        return _mistake(str(error))
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return 130
    return status if isinstance(status, int) else 0


def _mistake(message: str) -> int:
    click.echo(f"Error: {' '.join(message.split())}", err=True)
    return 2


def main() -> None:
    sys.exit(run(cli))


@click.group(
    epilog=EXAMPLES
    + "  adain stylize photo.jpg starry.jpg -o out.png\n"
    + "  adain stylize photo.jpg starry.jpg -o out.png --alpha 0.6\n"
    + "  adain models\n"
)
@click.version_option(__version__, prog_name="adain")
def cli() -> None:
    """Arbitrary style transfer: any photo in the style of any painting, in one pass."""


@cli.command(
    epilog=EXAMPLES
    + "  adain stylize photo.jpg starry.jpg -o out.png\n"
    + "  adain stylize photo.jpg starry.jpg -o out.jpg --alpha 0.6 --model vgg19 --max-side 1024\n"
)
@click.argument("content", type=click.Path(path_type=Path))
@click.argument("style", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Picture to write."
)
@click.option(
    "--alpha", type=float, default=1.0, show_default=True, help="Strength, 0 (content) to 1."
)
@click.option("--model", type=MODEL, default="fast", show_default=True)
@click.option(
    "--device",
    default="auto",
    show_default=True,
    help="auto, cpu, cuda, tensorrt, directml, coreml, openvino, or cuda:1 and the like.",
)
@click.option(
    "--precision", type=click.Choice(weights.PRECISIONS), default="fp32", show_default=True
)
@click.option("--threads", type=int, help="Of the CPU. [default: one per core]")
@click.option("--max-side", type=int, help="Bring the content's long side down to this first.")
@click.option(
    "--quality", type=int, default=95, show_default=True, help="Of JPEG, WebP and AVIF, 1 to 100."
)
def stylize(
    content: Path,
    style: Path,
    output: Path,
    alpha: float,
    model: str,
    device: str,
    precision: str,
    threads: int | None,
    max_side: int | None,
    quality: int,
) -> None:
    """Write CONTENT in the style of STYLE."""
    for source in (content, style):
        # What is missing or out of reach is reported by whoever opens it.
        with suppress(OSError):
            if output.samefile(source):
                raise found_error(str(output), "one of the inputs", "another file")
    # Found out before the model runs and not after it.
    format_of(str(output), output.suffix)
    started = time.perf_counter()
    stylizer = Stylizer(model, device, precision=precision, threads=threads)
    picture = load_image(content, max_side=max_side)
    stylized = stylizer.stylize_picture(picture, style, alpha)
    save_image(stylized, output, quality=quality)
    seconds = time.perf_counter() - started
    size = f"{stylized.width} x {stylized.height}"
    name = click.format_filename(output)
    click.echo(f"{name}: {size}, model {model} on {stylizer.device}, {seconds:.2f} s")


@cli.command(
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
@click.option("--model", type=MODEL, help="What to train. [default: fast]")
@click.option("--steps", type=int, help="Train for this many steps, or ...")
@click.option("--hours", type=float, help="... for this long.")
@click.option("--crop", type=int, help="Side of the training crops in pixels. [default: 128]")
@click.option("--batch-size", type=int, help="Pairs of crops in a step. [default: 8]")
@click.option("--learning-rate", type=float, help="Peak rate of Adam; Muon's is 5 times as much.")
@click.option("--optimizer", type=click.Choice(["muon", "adam"]), help="[default: muon]")
@click.option("--reconstruction-steps", type=int, help="Steps of plain reconstruction first.")
@click.option(
    "--reuse", type=int, help="Batches that see a crop, each with another partner. [default: 2]"
)
@click.option("--style-weight", type=float, help="Weight of the style loss. [default: 10]")
@click.option(
    "--shift-weight", type=float, help="Of pictures moving with their content. [default: 0]"
)
@click.option("--seed", type=int, help="Of the first weights and of all crops. [default: 0]")
@click.option("--device", help="auto, cpu, cuda or cuda:N. [default: auto]")
@click.option("--precision", type=click.Choice(["bf16", "fp32"]), help="[default: bf16]")
@click.option("--checkpoint-minutes", type=float, help="Time between checkpoints. [default: 3]")
def train(content_dir: Path, style_dir: Path, run_dir: Path, **options: Any) -> None:
    """Train a model on the photos in CONTENT_DIR and the paintings in STYLE_DIR."""
    require_learn("training")
    from adain.learning.options import TrainOptions
    from adain.learning.train import train as train_model

    given = {name: value for name, value in options.items() if value is not None}
    trainer = train_model(content_dir, style_dir, run_dir, TrainOptions(**given), click.echo)
    click.echo(f"{run_dir / 'weights.safetensors'}: step {trainer.step}")


@cli.group(invoke_without_command=True)
@click.pass_context
def models(context: click.Context) -> None:
    """List the models: what is here, what can be fetched, sizes and digests."""
    if context.invoked_subcommand is not None:
        return
    for model in weights.MODELS:
        here = [p for p in weights.precisions(model) if model in weights.available_models(p)]
        get = weights.GET_FAST if model == "fast" else weights.GET_VGG19
        state = f"ready in {', '.join(here)}" if here else f"not here; {get}"
        click.echo(f"{model}: {state} (licence: {weights.LICENCES[model]})")
        for name in weights.model_files(model):
            path = weights.look_for(name)
            if path is None:
                click.echo(f"  {name:30} missing")
            else:
                size = f"{path.stat().st_size / 1e6:.1f} MB"
                click.echo(f"  {name:30} {size:>8}  sha256 {weights.sha256(path)}  {path}")
    click.echo("searched: " + ", ".join(str(folder) for folder in weights.search_folders()))


@models.command()
@click.argument("model", type=MODEL)
def get(model: str) -> None:
    """Fetch or build what MODEL needs, into the user's cache, once."""
    wanted = weights.EXPORTED
    if model != "fast" and not all(model in weights.available_models(p) for p in wanted):
        require_learn("building vgg19's model files")
        from adain.learning.export import install_vgg19

        install_vgg19(click.echo)
    for precision in wanted:
        # Of fast, this says which file a broken installation lacks.
        for path in weights.find_model(model, precision).values():
            click.echo(f"{path}: ready")


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
