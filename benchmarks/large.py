"""Large pictures: ``python -m benchmarks.large``, time and memory in one piece and in tiles.

Each row is a process of its own, from a JPEG of soft shapes and grain to a stylized JPEG. Memory is
the most that the process ever held (VmHWM).
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import numpy as np

from adain.cli.run import run
from adain.images.streaming import pyvips
from adain.tables import markdown_table
from benchmarks import machine
from benchmarks.memory import environment

# Megapixels by the sides of what cameras, phones and scanners make.
SIZES = {12: (4000, 3000), 48: (8000, 6000), 108: (12000, 9000), 400: (20000, 20000)}
HOWS = ("whole", "held", "streamed", "sample")
HEADER = ("model", "MP", "how", "s", "MP/s", "peak MB")

WORK = """
import sys
from pathlib import Path
import adain.large, adain.images.streaming as streaming, adain.images.windows as windows
from adain import Stylizer, footprint, save_image
from adain.learning.peak_memory import peak_memory
model, how, content, style, output = sys.argv[1:]
stylizer = Stylizer(model, "cpu", cached_contents=0)
if how == "whole":
    footprint.tile_side = lambda *_: None
    picture = stylizer.stylize(content, style)
    stylizer.give_back_memory()
    save_image(picture, output)
else:
    if how == "held":
        adain.large.is_here = streaming.is_here = lambda: False
    source = "sample" if how == "sample" else "picture"
    stylizer.stylize_large(content, style, output, statistics_from=source)
print(peak_memory())
"""


def drawn(width: int, height: int, path: Path) -> None:
    """A JPEG of soft shapes and grain, written row by row."""
    vips = pyvips()
    small = np.random.default_rng(0).integers(0, 256, (height // 100 + 2, width // 100 + 2, 3))
    image = vips.Image.new_from_array(small.astype(np.uint8)).resize(101, kernel="cubic")
    grain = vips.Image.gaussnoise(width, height, mean=0, sigma=6, seed=1)
    image = (image.crop(0, 0, width, height) + grain).cast("uchar")
    image.copy(interpretation="srgb").jpegsave(str(path), Q=90)


@click.command()
@click.option("--model", default="fast", show_default=True)
@click.option("--megapixels", default="12,48,108", show_default=True)
@click.option("--hows", default=",".join(HOWS), show_default=True)
def large(model: str, megapixels: str, hows: str) -> None:
    """Print time and memory of stylizing pictures of 12 to 400 MP, from file to file."""
    click.echo(f"- CPU: {machine.describe_cpu()}")
    click.echo(f"- Versions: {machine.describe_versions('numpy', 'pyvips')}")
    click.echo(machine.busy_line(machine.load()) or "- The machine was free")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        content, style, output = (Path(folder) / f"{n}.jpg" for n in ("in", "style", "out"))
        drawn(512, 512, style)
        for size in map(int, megapixels.split(",")):
            drawn(*SIZES[size], content)
            for how in hows.split(","):
                started = time.perf_counter()
                command = [sys.executable, "-c", WORK, model, how]
                command += map(str, (content, style, output))
                done = subprocess.run(command, env=environment(), capture_output=True, text=True)
                seconds = time.perf_counter() - started
                if done.returncode:
                    why = done.stderr.strip().splitlines()[-1:] or [f"signal {-done.returncode}"]
                    rows.append((model, str(size), f"{how}: {why[0][:60]}", "-", "-", "-"))
                else:
                    figures = f"{seconds:.1f}", f"{size / seconds:.2f}"
                    peak = f"{int(done.stdout) / 1e6:.0f}"
                    rows.append((model, str(size), how, *figures, peak))
                click.echo(" | ".join(rows[-1]), err=True)
    click.echo("\n" + markdown_table(HEADER, rows))


if __name__ == "__main__":
    sys.exit(run(large))
