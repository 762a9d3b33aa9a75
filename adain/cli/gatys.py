"""``adain gatys``: style transfer by optimisation."""

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adain.cli.parameters import EXAMPLES, FILE, MODEL, check_output, require_learn
from adain.errors import found_error
from adain.images import load_image, save_image

if TYPE_CHECKING:
    from adain.learning.gatys.run import Progress

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
    from adain.learning.gatys.objective import GatysOptions
    from adain.learning.gatys.run import finished, total_iterations
    from adain.learning.gatys.run import gatys as optimise

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
