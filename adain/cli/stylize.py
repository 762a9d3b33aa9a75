"""``adain stylize``: a photo in the style of a painting."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import click

from adain import registry
from adain.amounts import memory_in_bytes
from adain.cli.parameters import EXAMPLES, FILE, MODEL, Command, check_output, quality_option
from adain.colours import Colours
from adain.footprint import check_memory
from adain.images import load_image, save_image
from adain.maps import load_map
from adain.options import StylizeOptions, about


def _option(field: str, flag: str, **more: Any) -> Callable[[Command], Command]:
    """The click option of a field of StylizeOptions, with its default and help."""
    found = about(field)
    return click.option(flag, field, default=found["default"], help=found["help"], **more)


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
@_option("alpha", "--alpha", type=float, show_default=True)
@click.option(
    "--alpha-map", type=FILE, help="White where the strength is --alpha, black where it is 0."
)
@_option("style_weights", "--style-share", type=float, multiple=True)
@_option("masks", "--mask", type=FILE, multiple=True)
@_option("colours", "--colours", type=click.Choice(get_args(Colours)), show_default=True)
@_option("style_size", "--style-size", type=int, show_default=True)
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
@click.option(
    "--memory-limit",
    metavar="BYTES",
    help="What the networks may take on the CPU or CUDA, such as 2GB. [default: what is free]",
)
@_option("max_side", "--max-side", type=int)
@quality_option
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
    memory_limit: str | None,
    max_side: int | None,
    quality: int,
) -> None:
    """Write CONTENT in the style of one STYLE, of a mixture of several, or of each in its place.

    Masks and maps may be of any size; they are stretched to the content's.
    """
    inputs = [content, *styles, *masks, *([] if alpha_map is None else [alpha_map])]
    check_output(output, inputs, quality=quality)
    started = time.perf_counter()
    options = StylizeOptions(
        alpha=alpha,
        style_weights=style_weights or None,
        masks=masks or None,
        colours=colours,
        style_size=style_size,
        max_side=max_side,
    )
    limit = None if memory_limit is None else memory_in_bytes(memory_limit)
    if alpha_map is not None:
        options = replace(options, alpha=alpha * load_map(alpha_map, "--alpha-map"))
    # Help is to be had without ONNX Runtime.
    from adain.stylizer import Stylizer

    picture = load_image(content, max_side=options.max_side)
    stylizer = Stylizer(
        model, device, precision=precision, threads=threads, memory_limit=limit, cached_contents=0
    )
    if stylizer.device == "cpu":
        check_memory(str(content), model, picture.width, picture.height, limit)
    stylized = stylizer.stylize_with(picture, styles, options)
    # The file is made in the memory of the networks, not beside it.
    stylizer.give_back_memory()
    save_image(stylized, output, quality=quality)
    seconds = time.perf_counter() - started
    size = f"{stylized.width} x {stylized.height}"
    name = click.format_filename(output)
    click.echo(f"{name}: {size}, model {model} on {stylizer.device}, {seconds:.2f} s")
