"""Folder throughput: ``python -m benchmarks.folder``, the command beside the bare runtime.

The bare runtime runs encoder and decoder on the same pictures, decoded before, and throws the
results away. The command reads, decodes, stylizes, encodes and writes them. Both take turns in one
process with the same sessions; the ratio is that of the median times, and that of processor time
beside it hangs less on what else the machine does. ``--peer`` runs other commands on the same
files.
"""

import shutil
import sys
import tempfile
import time
from pathlib import Path

import click
import numpy as np

from adain import Style, Stylizer, contract, load_image
from adain.batch.journal import Journal
from adain.batch.listing import jobs
from adain.batch.pipeline import Look, Pipeline, Settings
from adain.cli.run import run
from adain.errors import found_error
from adain.images import save_image
from adain.images.formats import READ_SUFFIXES
from adain.padding import to_planar
from adain.tables import markdown_table
from benchmarks import machine
from benchmarks.folder_peers import HEADER as PEERS_HEADER
from benchmarks.folder_peers import PEERS, parsed_peers, rows
from benchmarks.large import drawn
from benchmarks.pipeline import random_pixels

HEADER = ("model", "pictures", "size", "bare pictures/s", "command pictures/s", "ratio", "by CPU")
# Seconds, and those of processors.
Times = tuple[float, float]


def bare(stylizer: Stylizer, pictures: list[np.ndarray], vector: np.ndarray) -> Times:
    """What the networks alone take."""
    sessions, layout = stylizer._sessions, stylizer.layout
    one = np.ones((1, 1, 1, 1), np.float32)
    told = {contract.STYLE: vector.reshape(1, -1, 1, 1), contract.ALPHA: one}
    started, used = time.perf_counter(), time.process_time()
    for planar in pictures:
        image = {contract.IMAGE: planar}
        values = sessions.run(contract.ENCODER, layout.encoded, image)
        given = image | dict(zip(layout.encoded, values, strict=True)) | told
        sessions.run(contract.DECODER, [contract.STYLIZED], given | {contract.STRENGTH: one})
    return time.perf_counter() - started, time.process_time() - used


def command(stylizer: Stylizer, photos: Path, output: Path, style: Style) -> Times:
    """What the pipeline behind ``adain stylize`` takes."""
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir()
    look = Look(Path(), "benchmark", lambda _, picture: stylizer.stylize(picture, style))
    started, used = time.perf_counter(), time.process_time()
    settings = Settings(output, 95, None, skip_existing=False)
    found = jobs(str(photos), output, None, ())
    outcomes = list(Pipeline(found, [look], Journal(output), settings, 1).run())
    times = time.perf_counter() - started, time.process_time() - used
    assert all(outcome.kind == "done" for outcome in outcomes), outcomes
    return times


def pictures_below(folder: Path) -> list[Path]:
    """The pictures in a folder and below it, by path; AdaINError where there is none."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in READ_SUFFIXES)
    if not found:
        raise found_error("--photos", f"no picture in {folder}", "a folder of pictures")
    return found


@click.command()
@click.option("--model", default="fast", show_default=True)
@click.option("--device", default="cpu", show_default=True)
@click.option(
    "--photos",
    "given",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder of them. [default: soft shapes and grain]",
)
@click.option("--count", type=click.IntRange(1), default=40, show_default=True, help="Pictures.")
@click.option(
    "--size",
    type=click.IntRange(1, 8192),
    default=512,
    show_default=True,
    help="Their sides in pixels, at most.",
)
@click.option("--turns", type=click.IntRange(1), default=3, show_default=True)
@click.option(
    "--threads", type=click.IntRange(1, 1024), help="Of the command, not of the bare runtime."
)
@click.option(
    "--peer",
    "peers",
    multiple=True,
    metavar="NAME[=PYTHON]",
    help=f"{' or '.join(PEERS)}, and the Python of an environment that has it.",
)
def folder(
    model: str,
    device: str,
    given: Path | None,
    count: int,
    size: int,
    turns: int,
    threads: int | None,
    peers: tuple[str, ...],
) -> None:
    """Print pictures a second of the folder command and of the bare runtime."""
    others = parsed_peers(peers)
    found = [] if given is None else pictures_below(given)[:count]
    click.echo(f"- CPU: {machine.describe_cpu()}")
    click.echo(machine.busy_line(machine.load()) or "- The machine was free")
    picture = random_pixels(np.random.default_rng(0))
    stylizer = Stylizer(model, device, cached_contents=0)
    ours = stylizer
    if threads is not None:
        ours = Stylizer(model, device, threads=threads, cached_contents=0)
    with tempfile.TemporaryDirectory() as name:
        photos = Path(name) / "photos"
        photos.mkdir()
        for number in range(count):
            file = photos / f"{number:04}.jpg"
            if found:
                picture_of = load_image(found[number % len(found)], max_side=size)
                save_image(picture_of, file, quality=90)
            else:
                drawn(size, size, file)
        style = stylizer.encode_style(picture(512))
        stride = stylizer.layout.stride
        planes = [to_planar(load_image(f).rgb, stride) for f in sorted(photos.iterdir())]
        bare(stylizer, planes[:2], style.vector)
        times = np.array(
            [
                (
                    bare(stylizer, planes, style.vector),
                    command(ours, photos, Path(name) / "out", style),
                )
                for _ in range(turns)
            ]
        )
        beside = []
        if others:
            painting = Path(name) / "style.png"
            save_image(picture(512), painting)
            beside = list(rows(others, photos, painting, size))
    (alone, alone_cpu), (whole, whole_cpu) = np.median(times, axis=0)
    figures = f"{count / alone:.2f}", f"{count / whole:.2f}", f"{alone / whole:.2f}"
    row = model, str(count), f"{size} px", *figures, f"{alone_cpu / whole_cpu:.2f}"
    click.echo("\n" + markdown_table(HEADER, [row]))
    if beside:
        click.echo("\n" + markdown_table(PEERS_HEADER, beside))


if __name__ == "__main__":
    sys.exit(run(folder))
