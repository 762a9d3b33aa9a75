"""A smaller copy of an image folder, to take to another machine for training.

python -m adain.learning.pack photos/ -o packed/content --megabytes 14
"""

import io
import random
from pathlib import Path

import click
from PIL import Image
from tqdm import tqdm

from adain import cli
from adain.errors import AdaINError, found_error
from adain.files import write_atomically
from adain.images import load_image
from adain.learning.data import find_images


def pack(
    folder: Path, output: Path, megabytes: float, short_side: int = 256, quality: int = 80
) -> tuple[int, int]:
    """Write a random part of a folder's images into ``output`` as WebP; the number and bytes.

    Images keep their paths below the folder and are scaled down to ``short_side`` pixels. They are
    taken in an order that depends on their number alone, until the next would exceed ``megabytes``
    (10^6 bytes). Unreadable ones are left out. AdaINError where nothing fits or ``output`` already
    holds something.
    """
    if megabytes <= 0:
        raise found_error("megabytes", str(megabytes), "more than 0")
    if output.exists() and any(output.iterdir()):
        raise AdaINError(f"{output}: not empty; give a new folder")
    paths = find_images(folder)
    random.Random(0).shuffle(paths)
    count = size = 0
    for path in tqdm(paths, str(folder), unit="image", leave=False):
        try:
            picture = load_image(path)
        except AdaINError:
            continue
        scale = min(1.0, short_side / min(picture.width, picture.height))
        width, height = (max(1, round(scale * side)) for side in (picture.width, picture.height))
        buffer = io.BytesIO()
        pixels = picture.resized(width, height).to_array()[:, :, :3]
        Image.fromarray(pixels).save(buffer, "WEBP", quality=quality, method=6)
        if size + buffer.tell() > 1e6 * megabytes:
            break
        target = (output / path.relative_to(folder)).with_suffix(".webp")
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, buffer.getvalue())
        count, size = count + 1, size + buffer.tell()
    if not count:
        raise found_error("megabytes", str(megabytes), "enough for one image")
    return count, size


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
@click.option("--megabytes", type=float, required=True, help="Upper limit for all together.")
@click.option("--short-side", type=click.IntRange(64), default=256, show_default=True)
@click.option("--quality", type=click.IntRange(1, 100), default=80, show_default=True)
def main(folder: Path, output: Path, megabytes: float, short_side: int, quality: int) -> None:
    """Copy as many images of FOLDER as fit, smaller, for training on another machine."""
    count, size = pack(folder, output, megabytes, short_side, quality)
    click.echo(f"{output}: {count} images, {size / 1e6:.1f} MB")


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
