"""Time one stylisation on this machine's CPU; ``python -m benchmarks`` prints a Markdown table.

Every side does the same work: a uint8 picture in, a uint8 picture out, under a style that was
encoded before, strength 1. In each round every side runs once, on a picture that it has not seen.
"""

import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import TypeAlias

import click
import numpy as np
import numpy.typing as npt
import onnxruntime
import torch
from torch.utils.flop_counter import FlopCounterMode
from tqdm import tqdm

import adain
from adain.cli import run
from adain.errors import AdaINError
from adain.learning.evaluate import markdown_table
from adain.learning.networks import MODELS, VGG19, Fast, PaperDecoder

Pixels: TypeAlias = npt.NDArray[np.uint8]  # [H, W, 3]
Stylize: TypeAlias = Callable[[Pixels], object]

# The side of the product of two square matrices that stands for the machine's peak.
MATRIX_SIZE = 2048
EAGER = "paper, torch eager"
SIDES = {  # name of the side: the network that it runs
    EAGER: "paper",
    "paper, torch channels_last": "paper",
    "vgg19, ONNX Runtime": "vgg19",
    "fast, ONNX Runtime": "fast",
}


def make_network(name: str) -> VGG19 | Fast:
    """A network with random weights: neither speed nor MACs depend on them."""
    return VGG19(PaperDecoder()) if name == "paper" else MODELS[name]()


def count_macs(name: str, size: int) -> float:
    """Multiply-accumulates of encoder, AdaIN and decoder for a picture of size x size pixels."""
    # On the meta device nothing is computed; the counter knows two operations for each MAC.
    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        network = make_network(name)
        style = torch.empty(1, network.style_channels, 1, 1)
        alpha = torch.empty(1, 1, 1, 1)
        network.decoder(*network.encoder(torch.empty(1, 3, size, size)), style, alpha)
    return float(counter.get_total_flops()) / 2


def torch_side(network: VGG19 | Fast, memory_format: torch.memory_format, style: Pixels) -> Stylize:
    """The paper's pipeline in float32."""
    alpha = torch.ones(1, 1, 1, 1)

    def to_input(pixels: Pixels) -> torch.Tensor:
        image = torch.from_numpy(pixels).permute(2, 0, 1)[None].float().div(255)
        return image.contiguous(memory_format=memory_format)

    @torch.inference_mode()
    def stylize(content: Pixels) -> Pixels:
        image = network.decoder(*network.encoder(to_input(content)), encoded, alpha)
        levels = image.clamp(0, 1).mul(255).round().to(torch.uint8)
        pixels: Pixels = levels[0].permute(1, 2, 0).contiguous().numpy()
        return pixels

    with torch.inference_mode():
        encoded = network.style(to_input(style))
    return stylize


def make_sides(style: Pixels) -> tuple[dict[str, Stylize], dict[str, str]]:
    """The sides that can run here, and for each of the others the reason why not."""
    sides, missing = {}, {}
    for name, layout in zip(SIDES, (torch.contiguous_format, torch.channels_last), strict=False):
        network = make_network(SIDES[name]).eval().to(memory_format=layout)
        sides[name] = torch_side(network, layout, style)
    for name in list(SIDES)[2:]:
        try:
            sides[name] = onnx_side(SIDES[name], style)
        except AdaINError as error:
            missing[name] = str(error)
    return sides, missing


def onnx_side(model: str, style: Pixels) -> Stylize:
    stylizer = adain.Stylizer(model=model, device="cpu")
    encoded = stylizer.encode_style(style)
    return lambda content: stylizer.stylize(content, encoded, alpha=1.0)


def seconds(action: Callable[..., object], *arguments: object) -> float:
    # The threads of the side before go on spinning for a while, and would take this one's cores.
    time.sleep(0.05)
    started = time.perf_counter()
    action(*arguments)
    return time.perf_counter() - started


def measure(
    sides: dict[str, Stylize], size: int, runs: int, generator: np.random.Generator
) -> tuple[dict[str, list[float]], list[float]]:
    """Seconds of ``runs`` rounds for each side, and for one product of matrices per round."""
    matrix = torch.rand(MATRIX_SIZE, MATRIX_SIZE)
    times: dict[str, list[float]] = {name: [] for name in sides}
    products = []
    # The first round warms up. Interleaved, a slow moment of the machine hits all sides equally.
    for _ in tqdm(range(runs + 1), f"{size} px", unit="round", leave=False):
        # A new picture each time, as what belongs to a content may be cached.
        content = generator.integers(0, 256, (size, size, 3), np.uint8)
        for name, stylize in sides.items():
            times[name].append(seconds(stylize, content))
        products.append(seconds(torch.matmul, matrix, matrix))
    return {name: values[1:] for name, values in times.items()}, products[1:]


def cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def describe_machine(peak: float) -> str:
    """The lines above the table; ``peak`` in MAC/s."""
    return "\n".join(
        [
            f"- CPU: {cpu_name()}, {os.cpu_count()} logical cores,"
            f" {torch.get_num_threads()} threads in torch",
            f"- Versions: torch {torch.__version__}, onnxruntime {onnxruntime.__version__}",
            f"- Peak: {peak / 1e9:.1f} GMAC/s, the best product of two float32 matrices"
            f" {MATRIX_SIZE} x {MATRIX_SIZE} (torch)",
            "- ms: median; speed-up: over torch eager; floor: the MACs at the peak, in ms",
        ]
    )


def rows_of_size(size: int, times: dict[str, list[float]], peak: float) -> list[list[str]]:
    """The table's rows for one size; ``peak`` in MAC/s."""
    eager = median(times[EAGER])
    rows = []
    for name, values in times.items():
        taken, macs = median(values), count_macs(SIDES[name], size)
        figures = (f"{1e3 * taken:.1f}", f"{1 / taken:.2f}", f"{eager / taken:.2f}")
        rows.append([name, str(size), *figures, f"{macs / 1e9:.2f}", f"{1e3 * macs / peak:.1f}"])
    return rows


def report(sizes: Sequence[int], runs: int) -> str:
    """Measure everything; the report."""
    generator = np.random.default_rng(0)
    sides, missing = make_sides(generator.integers(0, 256, (512, 512, 3), np.uint8))
    times, products = {}, []
    for size in sizes:
        times[size], more = measure(sides, size, runs, generator)
        products += more
    peak = MATRIX_SIZE**3 / min(products)
    rows = [row for size in sizes for row in rows_of_size(size, times[size], peak)]
    header = ("side", "size", "ms", "pictures/s", "speed-up", "GMAC", "floor")
    left_out = [f"- Left out: {name}: {reason}" for name, reason in missing.items()]
    return "\n".join([describe_machine(peak), *left_out, "", markdown_table(header, rows)])


class Sizes(click.ParamType[list[int]]):
    """Sides in pixels with commas between."""

    name = "sizes"

    def convert(
        self, value: object, param: click.Parameter | None, context: click.Context | None
    ) -> list[int]:
        allowed = range(64, 4097, 16)
        parts = str(value).split(",")
        for part in parts:
            if not (part.isdecimal() and int(part) in allowed):
                self.fail(f"found {part!r}; allowed are multiples of 16 from 64 to 4096")
        return [int(part) for part in parts]


@click.command()
@click.option("--sizes", type=Sizes(), default="256,512,1024", show_default=True)
@click.option("--runs", type=click.IntRange(1, 1000), default=7, show_default=True)
def benchmark(sizes: list[int], runs: int) -> None:
    """Time one stylisation on the CPU, every side in one run."""
    click.echo(report(sizes, runs))


if __name__ == "__main__":
    sys.exit(run(benchmark))
