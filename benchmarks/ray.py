"""Scaling of the engine ray: ``python -m benchmarks.ray``, pictures a second of 1, 2, 4 workers.

A cluster of two raylets on this machine stylizes as many pictures for each worker, which has one
thread; with ``--kill``, the second raylet is killed in the middle of another run. Beside it
stand what a picture costs, and the engine of a single machine with a thread for each core. Starting
the workers is not in the times: they begin when each has made some.
"""

import itertools
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import click
import numpy as np

from adain import Stylizer, load_image
from adain.batch.journal import Journal
from adain.batch.listing import jobs
from adain.batch.looks import Mixture
from adain.batch.pipeline import Outcome, Settings
from adain.batch.ray_engine import RayPipeline
from adain.batch.ray_worker import Worker
from adain.cli.run import run
from adain.images import encode_image, save_image
from adain.options import StylizeOptions
from adain.padding import to_planar
from adain.tables import markdown_table
from benchmarks import machine
from benchmarks.folder import bare, command
from benchmarks.large import drawn
from benchmarks.pipeline import random_pixels

HEADER = ("workers", "pictures/s", "of one worker", "efficiency")
COSTS = ("processor ms of a photo", "read, decode", "network", "encode")
# Their sides, and what the longer one is brought down to.
PHOTOS = ((512, 512, None), (4000, 3000, 512), (4000, 3000, 1024), (4000, 3000, 2048))
STORE = {"object_store_memory": 100_000_000}
# Pictures that each worker has made before the time is taken.
WARM = 32
# Different ones.
DRAWN = 40


def stylized(photos: Path, mixture: Mixture, model: str, workers: int, count: int) -> float:
    """Pictures a second, ``count`` of them for each worker after the first ones."""
    with tempfile.TemporaryDirectory() as name:
        done, first, last = 0, 0.0, 0.0
        most = (count + WARM) * workers
        for outcome in pipeline(photos, Path(name), mixture, model, workers, most).run():
            assert outcome.kind == "done", outcome
            done += 1
            last = time.perf_counter()
            if done == WARM * workers:
                first = last
    return (done - WARM * workers) / (last - first)


def pipeline(
    photos: Path, output: Path, mixture: Mixture, model: str, workers: int, most: int
) -> RayPipeline:
    settings = Settings(output, 95, None, skip_existing=False)
    found = itertools.islice(jobs(str(photos), output, None, ()), most)
    worker = Worker(model, "cpu", count=workers)
    return RayPipeline(found, [mixture], Journal(output), settings, worker)


def killed(
    photos: Path, mixture: Mixture, model: str, workers: int, most: int, kill: Callable[[], object]
) -> str:
    """What became of the pictures where a raylet with half of the workers was killed."""
    with tempfile.TemporaryDirectory() as name:
        outcomes: list[Outcome] = []
        for outcome in pipeline(photos, Path(name), mixture, model, workers, most).run():
            outcomes.append(outcome)
            if len(outcomes) == WARM:
                kill()
        times = Counter(outcome.result for outcome in outcomes)
        whole = sum(load_image(Path(name) / result).width > 0 for result in times)
    kinds = Counter(outcome.kind for outcome in outcomes)
    return f"{len(times)} pictures, told at most {max(times.values())} times, {whole} whole: " + (
        ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    )


def costs(stylizer: Stylizer, folder: Path, vector: np.ndarray) -> list[tuple[str, ...]]:
    """Milliseconds of processor time for a photo: reading, the network on a thread, and writing."""
    rows = []
    photo = folder / "photo.jpg"
    for width, height, side in PHOTOS:
        drawn(width, height, photo)
        reading, network, writing = [], [], []
        for _ in range(7):
            started = time.process_time()
            picture = load_image(photo, max_side=side)
            reading.append(time.process_time() - started)
            planar = to_planar(picture.rgb, stylizer.layout.stride)
            started = time.process_time()
            bare(stylizer, [planar], vector)
            network.append(time.process_time() - started)
            started = time.process_time()
            encode_image(picture, ".jpg", quality=95)
            writing.append(time.process_time() - started)
        shown = f"{width} x {height}" + (f", to {side}" if side else "")
        rows.append((shown, *(f"{1000 * median(t):.1f}" for t in (reading, network, writing))))
    photo.unlink()
    return rows


@click.command()
@click.option("--model", default="fast", show_default=True)
@click.option("--count", default=160, show_default=True, help="Pictures for each worker.")
@click.option("--size", default=512, show_default=True, help="Their sides in pixels.")
@click.option("--workers", "numbers", type=int, multiple=True, default=(1, 2, 4), show_default=True)
@click.option("--turns", default=3, show_default=True)
@click.option("--kill", is_flag=True, help="Another run in which a raylet is killed.")
def scaling(
    model: str, count: int, size: int, numbers: tuple[int, ...], turns: int, kill: bool
) -> None:
    """Print pictures a second of a Ray cluster on this machine by its workers."""
    import ray
    from ray.cluster_utils import Cluster

    # Else the workers get what is left of the cores by whatever else runs here.
    os.environ.setdefault("RAY_worker_niceness", "0")
    click.echo(f"- CPU: {machine.describe_cpu()}")
    click.echo(machine.busy_line(machine.load()) or "- The machine was free")
    stylizer = Stylizer(model, "cpu", threads=1, cached_contents=0)
    style = stylizer.encode_style(random_pixels(np.random.default_rng(0))(512))
    mixture = Mixture(Path(), "benchmark", [style], StylizeOptions(), auto=False)
    with tempfile.TemporaryDirectory() as name:
        photos = Path(name) / "photos"
        photos.mkdir()
        drawn(size, size, photos / "0000.jpg")
        first = load_image(photos / "0000.jpg")
        for number in range(1, (count + WARM) * max(numbers)):
            if number < DRAWN:
                moved = np.roll(first.rgb, 7 * number, axis=1)
                save_image(moved, photos / f"{number:04}.jpg", quality=90)
            else:
                shutil.copy(photos / f"{number % DRAWN:04}.jpg", photos / f"{number:04}.jpg")
        click.echo("\n" + markdown_table(COSTS, costs(stylizer, Path(name), style.vector)))
        many = Stylizer(model, "cpu", cached_contents=0)
        few = Path(name) / "few"
        few.mkdir()
        for file in sorted(photos.iterdir())[:count]:
            shutil.copy(file, few)
        seconds = [command(many, few, Path(name) / "out", style)[0] for _ in range(turns)]
        local = count / median(seconds)
        half = max(numbers) // 2
        cluster = Cluster(True, head_node_args={"num_cpus": max(1, half), **STORE})
        second = cluster.add_node(num_cpus=max(1, max(numbers) - half), **STORE)
        ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
        speeds: dict[int, list[float]] = {number: [] for number in numbers}
        for _ in range(turns):
            for number in numbers:
                speeds[number].append(stylized(photos, mixture, model, number, count))
        found = {number: median(times) for number, times in speeds.items()}
        one = found[numbers[0]] / numbers[0]
        rows = [
            (str(number), f"{speed:.2f}", f"{speed / one:.2f}", f"{speed / one / number:.2f}")
            for number, speed in found.items()
        ]
        click.echo("\n" + markdown_table(HEADER, rows))
        click.echo(f"\nThe engine local, a thread on each core: {local:.2f} pictures/s")
        if kill:
            # All cores are taken: half of the workers are there.
            end = partial(cluster.remove_node, second, allow_graceful=False)
            click.echo(
                f"A raylet killed: {killed(photos, mixture, model, max(numbers), count, end)}"
            )
        ray.shutdown()
        cluster.shutdown()


if __name__ == "__main__":
    sys.exit(run(scaling))
