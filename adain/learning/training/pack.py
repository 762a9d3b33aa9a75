"""Packing a data set small, with weights, to train on another machine.

adain pack photos/ -o packed/content --megabytes 14
adain pack photos/ paintings/ -o packed --megabytes 20 --vgg \\
    --weights vgg19=weights/vgg19-decoder.safetensors
"""

import io
import random
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from adain.errors import AdaINError, found_error
from adain.files import check_folder, make_folder, write_atomically
from adain.images import load_image
from adain.learning.models.loss_network import ROUNDED_FILE, write_rounded
from adain.learning.models.pretrained import load_trainable
from adain.learning.training.data import find_images
from adain.registry import BUILT_IN, TRAINED

ENTRY = "NAME=FILE"


def pack_images(
    folder: Path, output: Path, megabytes: float, short_side: int = 256, quality: int = 80
) -> tuple[int, int]:
    """Write a random part of a folder's images into ``output`` as WebP; the number and bytes.

    Images keep their paths below the folder and are scaled down to ``short_side`` pixels. They are
    taken in an order that depends on their number alone, until the next would exceed ``megabytes``
    (10^6 bytes). Unreadable ones are left out. AdaINError where nothing fits or ``output`` already
    holds something. Of several that would have one name, as ``a.jpg`` and ``a.png``, all but the
    first get a number: ``a (2).webp``.
    """
    check_packing(output, megabytes)
    taken: set[str] = set()
    paths = find_images(folder)
    random.Random(0).shuffle(paths)
    count = size = 0
    for path in tqdm(paths, str(folder), unit="image", leave=False):
        try:
            picture = load_image(path).opaque()
        except AdaINError:
            continue
        scale = min(1.0, short_side / min(picture.width, picture.height))
        width, height = (max(1, round(scale * side)) for side in (picture.width, picture.height))
        buffer = io.BytesIO()
        pixels = picture.resized(width, height).to_array()
        Image.fromarray(pixels).save(buffer, "WEBP", quality=quality, method=6)
        if size + buffer.tell() > 1e6 * megabytes:
            break
        target = (output / path.relative_to(folder)).with_suffix(".webp")
        number = 2
        while str(target).lower() in taken:
            target, number = target.with_name(f"{path.stem} ({number}).webp"), number + 1
        taken.add(str(target).lower())
        make_folder(target.parent)
        write_atomically(target, buffer.getvalue())
        count, size = count + 1, size + buffer.tell()
    if not count:
        raise found_error("megabytes", str(megabytes), "enough for one image")
    return count, size


def check_packing(output: Path, megabytes: float) -> None:
    """Raise AdaINError for a limit that is none, and a folder that holds something already."""
    if not megabytes > 0:
        raise found_error("megabytes", str(megabytes), "more than 0")
    check_folder(output)
    if output.exists() and any(output.iterdir()):
        raise AdaINError(f"{output}: not empty; give a new folder")


def pack_all(
    content: Path, style: Path, output: Path, megabytes: float, *, vgg: bool = False, **options: int
) -> list[str]:
    """Pack contents and styles into folders of ``output``, and the loss network beside them.

    Of ``megabytes`` the images get what the loss network leaves, half each. Returns a line for each
    thing packed. AdaINError as `pack_images`, and where nothing is left.
    """
    lines = []
    for folder, name in ((content, "content"), (style, "style")):
        find_images(folder)
        check_packing(output / name, megabytes)
    if vgg:
        make_folder(output)
        size = write_rounded(output / ROUNDED_FILE)
        lines.append(f"{output / ROUNDED_FILE}: {size / 1e6:.1f} MB")
        if size >= 1e6 * megabytes:
            allowed = f"more than the {size / 1e6:.1f} of VGG-19"
            raise found_error("megabytes", str(megabytes), allowed)
        megabytes -= size / 1e6
    for folder, name in ((content, "content"), (style, "style")):
        count, size = pack_images(folder, output / name, megabytes / 2, **options)
        lines.append(f"{output / name}: {count} images, {size / 1e6:.1f} MB")
    return lines


def check_weights(entry: str) -> tuple[str, Path]:
    """The model and the file of ``NAME=FILE``; AdaINError where they do not fit together."""
    name, _, file = entry.partition("=")
    if name not in TRAINED or not file:
        allowed = " or ".join(f"{model}=FILE" for model in TRAINED)
        raise found_error("--weights", repr(entry), allowed)
    load_trainable(name, Path(file))
    return name, Path(file)


def pack_weights(entry: str, output: Path) -> str:
    """Copy weights ``NAME=FILE`` to start from; a line that says so.

    AdaINError where they are not of that model, or of a shape that is not trained any more.
    """
    name, file = check_weights(entry)
    data = file.read_bytes()
    make_folder(output)
    write_atomically(output / BUILT_IN[name].source, data)
    return f"{output / BUILT_IN[name].source}: {len(data) / 1e6:.1f} MB"
