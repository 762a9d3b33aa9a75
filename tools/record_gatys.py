"""The recorded optimisation that the page plays where PyTorch or VGG-19 is missing.

``python -m tools.record_gatys`` optimises a photograph and a drawn style of the catalog, and keeps
the losses of every iteration and some pictures in `adain/demo/recorded`. Both methods compute on
one core, and the seconds are those of the processor: what else the machine does is not in them.
"""

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from statistics import median

import click
import numpy as np

from adain import Stylizer, save_image
from adain.cli.parameters import MODEL
from adain.cli.run import run
from adain.demo import gatys_recorded
from adain.demo.gatys_recorded import ADAIN, RUN, Run, frame_name
from adain.drawings import catalog
from adain.files import check_folder, make_folder, write_atomically
from adain.images import load_image
from adain.images.picture import Picture
from adain.options import STYLE_SIDE
from adain.registry import DEFAULT_MODEL

QUALITY = 30  # of the WebPs: all of them ship
DIGITS = 4  # of losses and seconds


def iterations_kept(iterations: int, frames: int) -> list[int]:
    """Closer at the beginning, where a picture changes most; the last iteration among them."""
    return sorted({round(number) for number in np.geomspace(1, iterations, frames)})


@click.command()
@click.option(
    "--content", type=click.Choice(list(catalog.CONTENTS)), default=catalog.PAIRS[0].content
)
@click.option("--style", type=click.Choice(list(catalog.STYLES)), default=catalog.PAIRS[0].style)
@click.option("--model", type=MODEL, default=DEFAULT_MODEL, help="Of AdaIN.", show_default=True)
@click.option("--size", type=click.IntRange(32, 1024), default=256, show_default=True)
@click.option("--iterations", type=click.IntRange(1, 1000), default=100, show_default=True)
@click.option("--frames", type=click.IntRange(1, 20), default=8, show_default=True)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=gatys_recorded.FOLDER, help="Folder."
)
def record(
    content: str, style: str, model: str, size: int, iterations: int, frames: int, output: Path
) -> None:
    """Record an optimisation beside AdaIN's picture."""
    check_folder(output)
    # PyTorch takes seconds, and no other command of this folder needs it.
    from adain.learning.devices import one_thread
    from adain.learning.gatys.options import GatysOptions
    from adain.learning.gatys.run import GatysProgress, finished, losses_of, optimize
    from adain.learning.models.vgg import load_vgg19_layers

    seen = load_image(catalog.file_of(content), max_side=size)
    painted = load_image(catalog.file_of(style), max_side=STYLE_SIDE)
    options = GatysOptions(iterations=iterations, device="cpu", model=model)
    vgg = load_vgg19_layers()

    by_adain, seconds = stylized(Stylizer(model, device="cpu", threads=1), seen, painted)
    losses, style_weight = losses_of(by_adain, seen, painted, options, vgg)

    def weighted(losses: Mapping[str, float], seconds: float) -> list[float]:
        content_loss = options.content_weight * losses["content"]
        values = (content_loss, style_weight * losses["style"], losses["total"], seconds)
        return [float(f"{value:.{DIGITS}g}") for value in values]

    history, pictures = [], {}
    kept = set(iterations_kept(iterations, frames))
    began = 0.0

    def keep(told: GatysProgress) -> None:
        nonlocal began
        now = time.process_time()
        history.append(weighted(told.losses, now - began))
        if told.iteration in kept:
            pictures[told.iteration] = finished(seen, told.image, options)
        began += time.process_time() - now  # keeping a picture is not the method's time

    with one_thread():
        began = time.process_time()
        made = optimize(seen, [painted], options, callback=keep, vgg=vgg)
    pictures[len(history)] = made.picture
    told = Run(
        content=content,
        style=style,
        model=model,
        size=[seen.width, seen.height],
        machine="one core of a CPU",
        adain=weighted(losses, seconds),
        history=history,
        frames=sorted(pictures),
    )
    write(output, told, by_adain, pictures)
    click.echo(told.sentence)


def stylized(stylizer: Stylizer, content: Picture, style: Picture) -> tuple[Picture, float]:
    """AdaIN's picture, and the median of the seconds that some others of its size take."""
    result, times = stylizer.stylize(content, style), []
    for number in range(1, 6):
        # What the Stylizer found in these pictures it keeps, so its time is that of others.
        others = [Picture(0.999 * p.rgb + np.float32(1.3e-4 * number)) for p in (content, style)]
        started = time.process_time()
        stylizer.stylize(*others)
        times.append(time.process_time() - started)
    return result, median(times)


def write(folder: Path, told: Run, by_adain: Picture, pictures: Mapping[int, Picture]) -> None:
    """The pictures, then what tells of them, and nothing of a recording before it."""
    make_folder(folder)
    files = {ADAIN: by_adain}
    files |= {frame_name(iteration): picture for iteration, picture in pictures.items()}
    for name, picture in files.items():
        save_image(picture, folder / name, quality=QUALITY)
    text = json.dumps(asdict(told), separators=(",", ":")).replace("],[", "],\n[")
    write_atomically(folder / RUN, f"{text}\n".encode())
    for path in folder.glob("*.webp"):
        if path.name not in files:
            path.unlink()


if __name__ == "__main__":
    sys.exit(run(record))
