"""``adain pack``: photos, paintings and weights, small enough to train on elsewhere."""

from pathlib import Path

import click

from adain.cli.parameters import check_output_folder, require_learn
from adain.errors import AdaINError


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("style_folder", type=click.Path(path_type=Path), required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
@click.option(
    "--megabytes", type=float, required=True, help="Upper limit for images and VGG-19 together."
)
@click.option("--vgg", is_flag=True, help="VGG-19 for the losses, rounded to bfloat16: 7 MB.")
@click.option(
    "--weights",
    "weights",
    metavar="NAME=FILE",
    multiple=True,
    help="Weights that a model starts from.",
)
@click.option("--short-side", type=click.IntRange(64), default=256, show_default=True)
@click.option("--quality", type=click.IntRange(1, 100), default=80, show_default=True)
def pack(
    folder: Path,
    style_folder: Path | None,
    output: Path,
    megabytes: float,
    vgg: bool,
    weights: tuple[str, ...],
    short_side: int,
    quality: int,
) -> None:
    """Copy as many images of FOLDER as fit, smaller, for training on another machine.

    With STYLE_FOLDER, those of both into OUTPUT/content and OUTPUT/style.
    """
    require_learn("packing")
    from adain.learning.training.pack import (
        check_packing,
        check_weights,
        pack_all,
        pack_images,
        pack_weights,
    )

    options = {"short_side": short_side, "quality": quality}
    if style_folder is None:
        if vgg or weights:
            raise AdaINError("--vgg and --weights go with two folders: contents and styles")
        count, size = pack_images(folder, output, megabytes, **options)
        click.echo(f"{output}: {count} images, {size / 1e6:.1f} MB")
        return
    check_output_folder(output)
    for side in ("content", "style"):
        check_packing(output / side, megabytes)
    for entry in weights:
        check_weights(entry)
    for entry in weights:
        click.echo(pack_weights(entry, output))
    for line in pack_all(folder, style_folder, output, megabytes, vgg=vgg, **options):
        click.echo(line)
