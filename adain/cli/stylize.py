"""``adain stylize``: a photo in the style of a painting."""

import time
from pathlib import Path

import click

from adain import registry
from adain.cli.parameters import EXAMPLES, FILE, MODEL, check_output
from adain.images import load_image, save_image
from adain.maps import load_alpha, load_map
from adain.stylizer import STYLE_SIDE, Colours, Stylizer


@click.command(
    epilog=EXAMPLES
    + "  adain stylize photo.jpg starry.jpg -o out.png\n"
    + "  adain stylize photo.jpg starry.jpg -o out.jpg --alpha 0.6 --model vgg19 --max-side 1024\n"
    + "  adain stylize photo.jpg starry.jpg wave.jpg -o out.png --style-share 2 --style-share 1\n"
    + "  adain stylize photo.jpg starry.jpg wave.jpg -o out.png --mask sky.png --mask sea.png\n"
)
@click.argument("content", type=FILE)
@click.argument("styles", metavar="STYLE...", type=FILE, nargs=-1, required=True)
@click.option("-o", "--output", type=FILE, required=True, help="Picture to write.")
@click.option(
    "--alpha", type=float, default=1.0, show_default=True, help="Strength, 0 (content) to 1."
)
@click.option(
    "--alpha-map", type=FILE, help="White where the strength is --alpha, black where it is 0."
)
@click.option(
    "--style-share", "style_weights", type=float, multiple=True, help="One for each STYLE."
)
@click.option(
    "--mask",
    "masks",
    type=FILE,
    multiple=True,
    help="White where a style goes; one for each STYLE.",
)
@click.option(
    "--colours",
    default="style",
    show_default=True,
    help="style; matched, the style brought to the content's colours; or luminance alone.",
)
@click.option(
    "--style-size",
    type=int,
    default=STYLE_SIDE,
    show_default=True,
    help="Bring the styles' long sides down to this: the smaller, the finer the strokes.",
)
@click.option("--model", type=MODEL, default=registry.DEFAULT_MODEL, show_default=True)
@click.option(
    "--device",
    default="auto",
    show_default=True,
    help="auto, cpu, cuda, tensorrt, directml, coreml, openvino, or cuda:1 and the like.",
)
@click.option(
    "--precision", type=click.Choice(registry.PRECISIONS), default="fp32", show_default=True
)
@click.option("--threads", type=int, help="Of the CPU. [default: one per core]")
@click.option("--max-side", type=int, help="Bring the content's long side down to this first.")
@click.option(
    "--quality", type=int, default=95, show_default=True, help="Of JPEG, WebP and AVIF, 1 to 100."
)
def stylize(
    content: Path,
    styles: tuple[Path, ...],
    output: Path,
    alpha: float,
    alpha_map: Path | None,
    style_weights: tuple[float, ...],
    masks: tuple[Path, ...],
    colours: Colours,
    style_size: int,
    model: str,
    device: str,
    precision: str,
    threads: int | None,
    max_side: int | None,
    quality: int,
) -> None:
    """Write CONTENT in the style of one STYLE, of a mixture of several, or of each in its place.

    Masks and maps may be of any size; they are stretched to the content's.
    """
    inputs = [content, *styles, *masks, *([] if alpha_map is None else [alpha_map])]
    check_output(output, inputs)
    started = time.perf_counter()
    strength = load_alpha(alpha)
    if alpha_map is not None:
        strength = strength * load_map(alpha_map, "--alpha-map")
    stylizer = Stylizer(model, device, precision=precision, threads=threads)
    picture = load_image(content, max_side=max_side)
    stylized = stylizer.stylize_picture(
        picture,
        styles,
        strength,
        style_weights=style_weights or None,
        masks=masks or None,
        colours=colours,
        style_size=style_size,
    )
    save_image(stylized, output, quality=quality)
    seconds = time.perf_counter() - started
    size = f"{stylized.width} x {stylized.height}"
    name = click.format_filename(output)
    click.echo(f"{name}: {size}, model {model} on {stylizer.device}, {seconds:.2f} s")
