"""``adain stylize``: a photo in the style of a painting."""

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import get_args

import click

from adain import footprint, large, registry
from adain.amounts import memory_in_bytes
from adain.backends import DEVICES
from adain.batch.listing import is_many
from adain.batch.looks import named_style
from adain.batch.pipeline import COMPUTING
from adain.batch.ray_engine import connect
from adain.batch.ray_worker import Worker
from adain.batch.stores import place
from adain.cli.folder import (
    MANY,
    ONE,
    Many,
    check_many,
    refused,
    stylize_many,
)
from adain.cli.parameters import (
    EXAMPLES,
    FILE,
    MODEL,
    OneOf,
    check_file,
    check_output,
    engine_options,
    field_option,
    quality_option,
)
from adain.colours import Colours
from adain.errors import found_error
from adain.images import MAX_PIXELS, load_image, save_image
from adain.images.streaming import DEEP_ZOOM
from adain.images.windows import Windows, load_windows, of_picture
from adain.maps import load_map
from adain.options import StylizeOptions, style_side_for
from adain.resampling import Box
from adain.tiling import StatisticsFrom


class StyleSize(click.ParamType[int | None]):
    """A number of pixels; None for "auto", which the content's size decides."""

    name = "integer|auto"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | None:
        if value == "auto":
            return None
        try:
            return int(str(value))
        except ValueError:
            raise found_error("--style-size", repr(value), "a number of pixels, or auto") from None


@click.command(
    epilog=EXAMPLES
    + "  adain stylize photo.jpg starry.jpg -o out.png\n"
    + "  adain stylize photo.jpg starry.jpg -o out.jpg --alpha 0.6 --model vgg19 --max-side 1024\n"
    + "  adain stylize photo.jpg starry.jpg wave.jpg -o out.png --style-share 2 --style-share 1\n"
    + "  adain stylize photo.jpg starry.jpg wave.jpg -o out.png --mask sky.png --mask sea.png\n"
    + "  adain stylize photos/ great-wave -o out/ --skip-existing\n"
    + "  adain stylize 'photos/**/*.jpg' night great-wave -o out/ --each-style\n"
    + "  adain stylize s3://bucket/photos night -o s3://bucket/out --engine ray --address auto\n"
    + "  adain stylize gigapixel.tif starry.jpg -o out.dzi --style-size auto\n"
)
@click.argument("content", type=click.Path())
@click.argument("styles", metavar="STYLE...", type=FILE, nargs=-1, required=True)
@click.option(
    "-o", "--output", type=click.Path(), required=True, help="Picture to write, or folder for many."
)
@field_option("alpha", "--alpha", type=float, show_default=True)
@click.option(
    "--alpha-map", type=FILE, help="White where the strength is --alpha, black where it is 0."
)
@field_option("style_weights", "--style-share", type=float, multiple=True)
@field_option("masks", "--mask", type=FILE, multiple=True)
@field_option("colours", "--colours", type=OneOf(get_args(Colours)), show_default=True)
@field_option("smooth", "--smooth", type=float, show_default=True)
@field_option("style_size", "--style-size", type=StyleSize(), show_default=True)
@click.option("--model", type=MODEL, default=registry.DEFAULT_MODEL, show_default=True)
@click.option(
    "--device",
    default="auto",
    show_default=True,
    help=f"{DEVICES}; for many pictures several, such as cuda:0,cuda:1.",
)
@click.option("--precision", type=OneOf(registry.PRECISIONS), default="fp32", show_default=True)
@click.option("--threads", type=int, help="Of the CPU. [default: one per core]")
@click.option(
    "--memory-limit",
    metavar="BYTES",
    help="What the networks may take on the CPU or CUDA, such as 2GB. [default: what is free]",
)
@field_option("max_side", "--max-side", type=int)
@quality_option
@click.option(
    "--statistics-from",
    type=OneOf(get_args(StatisticsFrom)),
    default="picture",
    show_default=True,
    help="Of a tiled content: a sample of tiles or a thumbnail saves a pass, for an estimate.",
)
@click.option("--pyramid", is_flag=True, help="Write a TIFF with smaller versions of itself.")
@click.option("--each-style", is_flag=True, help="Many pictures in each STYLE, into OUTPUT/STYLE/.")
@click.option(
    "--skip-existing",
    is_flag=True,
    help="Of many pictures, leave out those that are there, made of the same content and options.",
)
@click.option(
    "--format",
    metavar="SUFFIX",
    help="Of many pictures, such as jpg. [default: each content's own]",
)
@click.option("--json", "json_lines", is_flag=True, help="Of many pictures, a line of JSON each.")
@engine_options(
    "Of many pictures: this machine, or a Ray cluster with a worker for each GPU or core."
)
@click.option("--workers", type=int, help="Of the Ray cluster. [default: all it has room for]")
def stylize(
    content: str,
    styles: tuple[Path, ...],
    output: str,
    alpha: float,
    alpha_map: Path | None,
    style_weights: tuple[float, ...],
    masks: tuple[Path, ...],
    colours: Colours,
    smooth: float,
    style_size: int | None,
    model: str,
    device: str,
    precision: str,
    threads: int | None,
    memory_limit: str | None,
    max_side: int | None,
    quality: int,
    statistics_from: StatisticsFrom,
    pyramid: bool,
    each_style: bool,
    skip_existing: bool,
    format: str | None,
    json_lines: bool,
    engine: str,
    address: str | None,
    workers: int | None,
) -> int | None:
    """Write CONTENT in the style of one STYLE, of a mixture of several, or of each in its place.

    CONTENT is a picture; or many: a folder with all below it, a pattern in quotes, - for a list of
    paths on stdin, or a URL such as s3://bucket/photos. OUTPUT is then a folder, or a URL, that
    gets the same tree. What fails is reported, the
    rest goes on, and the exit status is 1. STYLE is a picture, a file of Style.save, or the name of
    a drawn style, such as great-wave.

    Masks and maps may be of any size; they are stretched to the content's. A content that memory is
    too small for is done in tiles, which give the same picture.
    """
    many = None
    about_ray = {"--address": address, "--workers": workers}
    if engine != "ray":
        refused("the engine local", "the engine ray", about_ray)
    if is_many(content, output):
        many = Many(
            content,
            place(output),
            format,
            quality,
            each_style,
            skip_existing,
            json_lines,
            auto_style_size=style_size is None,
        )
        check_many(many)
        estimated = statistics_from != "picture"
        refused(MANY, ONE, {"--pyramid": pyramid, "--statistics-from": estimated})
    else:
        about_many = {"--each-style": each_style, "--skip-existing": skip_existing}
        refused(ONE, MANY, about_many | {"--format": format, "--json": json_lines})
        refused(ONE, MANY, {"--engine": engine == "ray"})
        _check_one(content, output, [*styles, *masks, alpha_map], quality, pyramid=pyramid)
    started = time.perf_counter()
    options = StylizeOptions(
        alpha=alpha,
        style_weights=style_weights or None,
        masks=masks or None,
        colours=colours,
        smooth=smooth,
        style_size=style_size,
        max_side=max_side,
    )
    limit = None if memory_limit is None else memory_in_bytes(memory_limit)
    if alpha_map is not None:
        options = replace(options, alpha=alpha * load_map(alpha_map, "--alpha-map"))
    # Help is to be had without ONNX Runtime.
    from adain.stylizer import Stylizer

    opened = partial(Stylizer, model, precision=precision, threads=threads, memory_limit=limit)
    if many is not None and engine == "ray":
        connect(address)
        worker = Worker(model, device, precision, threads or 1, limit, workers)
        # For the styles alone.
        return stylize_many([opened("cpu")], styles, options, many, worker)
    if many is not None:
        # Of all that are computed at a time and the one before, lest they drive out each other.
        kept = COMPUTING + 1 if each_style else 0
        stylizers = [opened(name, cached_contents=kept) for name in device.split(",")]
        return stylize_many(stylizers, styles, options, many)
    source: Windows
    target = Path(output)
    if options.max_side is None:
        source = load_windows(content)
    else:
        source = of_picture(load_image(content, max_side=options.max_side))
    width, height = source.width, source.height
    if style_size is None:
        options = replace(options, style_size=style_side_for(width, height))
    stylizer = opened(device, cached_contents=0)
    row = stylizer.row
    chosen = [named_style(style) for style in styles]
    side = stylizer.tile_side(width, height)
    if side is None and stylizer.device == "cpu":
        footprint.check_memory(content, row, width, height, limit)
    if _by_tiles(target, pyramid=pyramid) or side is not None or width * height > MAX_PIXELS:
        side = footprint.largest_tile(row, limit)
        needed = footprint.network_bytes(row, width, height) / 1e9
        click.echo(
            f"{click.format_filename(content)}: {width:,} x {height:,} pixels, for which {model}"
            f" takes {needed:.1f} GB at once: tiles of {side:,} pixels",
            err=True,
        )
        stylizer.stylize_large(
            source,
            chosen,
            target,
            options,
            statistics_from=statistics_from,
            quality=quality,
            pyramid=pyramid,
        )
    else:
        picture = source.window(Box(0, 0, height, width))
        del source
        stylized = stylizer.stylize_with(picture, chosen, options)
        # The file is made in the memory of the networks, not beside it.
        stylizer.give_back_memory()
        save_image(stylized, target, quality=quality)
    seconds = time.perf_counter() - started
    size = f"{width} x {height}"
    name = click.format_filename(output)
    click.echo(f"{name}: {size}, model {model} on {stylizer.device}, {seconds:.2f} s")
    return None


def _by_tiles(output: Path, *, pyramid: bool) -> bool:
    """Whether only `stylize_large` writes this."""
    return pyramid or output.suffix.lower() == DEEP_ZOOM


def _check_one(
    content: str, output: str, others: Sequence[Path | None], quality: int, *, pyramid: bool
) -> None:
    """Raise AdaINError where a picture cannot be written, before the work."""
    target = Path(output)
    inputs = [Path(content), *(path for path in others if path is not None)]
    if _by_tiles(target, pyramid=pyramid):
        check_file(target, inputs)
        large.check_output(target, pyramid=pyramid)
    else:
        check_output(target, inputs, quality=quality)
