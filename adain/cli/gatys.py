"""``adain gatys``: style transfer by optimisation."""

import json
import signal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adain.cli.parameters import (
    EXAMPLES,
    FILE,
    MODEL,
    check_file,
    check_output,
    given,
    option_of,
    quality_option,
    require_learn,
)
from adain.errors import found_error
from adain.images import load_image, save_image
from adain.learning.gatys.options import GatysOptions

if TYPE_CHECKING:
    from adain.learning.gatys.run import GatysProgress

LAYER = "NAME[=WEIGHT]"
_option = partial(option_of, GatysOptions)


def _layers(context: click.Context, option: click.Parameter, entries: tuple[str, ...]) -> Any:
    """``relu4_2`` or ``relu4_2=0.5``, several times, as names and weights; None without any."""
    layers = {}
    for entry in entries:
        name, _, weight = entry.partition("=")
        try:
            layers[name] = float(weight or 1)
        except ValueError:
            raise found_error(f"{option.opts[0]}", repr(entry), LAYER) from None
    return layers or None


def _size(progress: "GatysProgress") -> str:
    tiles = f" in tiles of {progress.tile}" if progress.tile else ""
    return f"{progress.side} px{tiles}"


@click.command(
    epilog=EXAMPLES
    + "  adain gatys photo.jpg starry.jpg -o out.png\n"
    + "  adain gatys photo.jpg starry.jpg wave.jpg -o out.png --style-share 2 --style-share 1\n"
    + "  adain gatys photo.jpg starry.jpg -o out.png --init adain --iterations 50 --max-side 512\n"
)
@click.argument("content", type=FILE)
@click.argument("styles", metavar="STYLE...", type=FILE, nargs=-1, required=True)
@click.option("-o", "--output", type=FILE, required=True, help="Picture to write.")
@_option("iterations", help="Of the first size; see --one-size.")
@click.option("--max-side", type=int, help="Bring the content's long side down to this first.")
@_option("init", help="What to start from.")
@_option("model", type=MODEL, help="The model of --init adain.")
@_option("optimizer")
@_option("learning_rate", help="Adam's.")
@_option("content_weight")
@_option("style_weight", help="At 512 x 512 pixels.")
@_option("tv_weight", help="Of the total variation.")
@_option("content_layers", "--content-layer", metavar=LAYER, multiple=True, callback=_layers)
@_option("style_layers", "--style-layer", metavar=LAYER, multiple=True, callback=_layers)
@_option(
    "style_shares", "--style-share", type=float, multiple=True, help="One for each STYLE; even."
)
@_option("style_scale", help="The style's long side over the content's.")
@click.option(
    "--mask",
    "masks",
    type=FILE,
    multiple=True,
    help="White where a style goes; one for each STYLE.",
)
@_option(
    "colours",
    help="The style's; matched, the style brought to the content's colours; or luminance alone.",
)
@click.option(
    "--one-size",
    "coarse_to_fine",
    flag_value=False,
    default=None,
    help="Not coarse to fine, where each size has half of the iterations of the one before.",
)
@_option("pooling")
@_option("vgg", help="Whose weights.")
@_option("precision")
@_option(
    "checkpointing",
    "--checkpointing/--no-checkpointing",
    help="Less memory, more time. [default: where memory would not suffice]",
)
@_option(
    "memory_limit",
    metavar="BYTES",
    type=str,
    help="What all may take, such as 4GB; tiles keep to it, exactly. [default: what is free]",
)
@_option("seed", help="Of --init noise.")
@_option("device", help="auto, cpu, cuda or cuda:N.")
@click.option("--save-every", type=int, help="Write the picture so far every so many iterations.")
@click.option("--log", type=FILE, help="Write the losses of every iteration, as JSON lines.")
@quality_option
def gatys(
    content: Path,
    styles: tuple[Path, ...],
    output: Path,
    masks: tuple[Path, ...],
    max_side: int | None,
    save_every: int | None,
    log: Path | None,
    quality: int,
    **options: Any,
) -> int | None:
    """Write CONTENT in the style of one STYLE or several by optimisation (Gatys et al. 2016).

    Interrupted, it writes the best picture so far, if there is one.
    """
    require_learn("the optimisation")
    from tqdm import tqdm

    from adain.files import write_atomically
    from adain.learning.gatys.run import finished, optimize, total_iterations

    inputs = [content, *styles, *masks]
    check_output(output, inputs, quality=quality)
    if log is not None:
        check_file(log, inputs)
        if log.resolve() == output.resolve():
            raise found_error(str(log), "the picture to write as well", "another file")
    if save_every is not None and save_every < 1:
        raise found_error("--save-every", str(save_every), "1 or more")
    chosen = GatysOptions(**given(options))
    picture = load_image(content, max_side=max_side)
    size = picture.width, picture.height
    interrupted: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, frame: interrupted.append(number))
    try:
        with tqdm(total=total_iterations(*size, chosen), unit="iteration") as bar:

            def callback(progress: "GatysProgress") -> bool:
                bar.update()
                bar.set_postfix_str(
                    f"{_size(progress)}, content={progress.losses['content']:.4g},"
                    f" style={progress.losses['style']:.4g}"
                )
                if save_every and progress.iteration % save_every == 0:
                    save_image(finished(picture, progress.image, chosen), output, quality=quality)
                return bool(interrupted)

            result = optimize(
                picture,
                [load_image(style) for style in styles],
                chosen,
                masks=[load_image(mask) for mask in masks] or None,
                callback=callback,
                interrupted=lambda: bool(interrupted),
            )
    finally:
        signal.signal(signal.SIGINT, handler)
    if interrupted and not result.history:
        name = click.format_filename(output)
        click.echo(f"{name}: not written; interrupted before the first iteration was done")
        return 128 + signal.SIGINT
    save_image(result.picture, output, quality=quality)
    if log is not None:
        lines = [json.dumps(losses) + "\n" for losses in result.history]
        write_atomically(log, "".join(lines).encode())
    done = len(result.history)
    click.echo(
        f"{click.format_filename(output)}: {size[0]} x {size[1]}, {done} iterations,"
        f" {result.seconds:.1f} s" + (", interrupted" if interrupted else "")
    )
    return 128 + signal.SIGINT if interrupted else None
