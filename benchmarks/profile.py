"""Where the time goes: ONNX Runtime's profile of a model, summed by operator or node by node.

``python -m benchmarks.profile --model fast --size 512`` runs the sessions that a Stylizer runs,
with the same settings, and prints a table for the encoder, the decoder and the style.
"""

import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np
import numpy.typing as npt
import onnxruntime

from adain import contract, weights
from adain.cli.parameters import MODEL
from adain.cli.run import run
from adain.errors import found_error
from adain.registry import DEFAULT_MODEL
from adain.sessions import Sessions
from adain.tables import markdown_table
from benchmarks.machine import describe_cpu, describe_versions
from benchmarks.sides import style_size

Array = npt.NDArray[Any]
BETWEEN = "between kernels"


@dataclass(frozen=True)
class Kernel:
    """One node of the graph that really ran, after ONNX Runtime's optimisation."""

    name: str
    operator: str
    shape: str


@dataclass(frozen=True)
class Profile:
    """``runs`` passes: the milliseconds of each kernel in each, and of each pass.

    ``plain`` are those of as many passes without the profiler, which has its price.
    """

    kernels: Mapping[Kernel, list[float]]
    passes: Sequence[float]
    plain: Sequence[float]

    def rows(self, *, layers: bool) -> list[list[str]]:
        """Milliseconds (median), share of a pass, and calls in a pass; the slowest first.

        By operator, or with ``layers`` node by node in the order of the graph.
        """
        whole = median(self.passes)
        groups: dict[tuple[str, ...], list[list[float]]] = {}
        for kernel, times in self.kernels.items():
            key = (kernel.name, kernel.operator, kernel.shape) if layers else (kernel.operator,)
            groups.setdefault(key, []).append(times)
        sums = {
            key: [sum(each) for each in zip(*times, strict=True)] for key, times in groups.items()
        }
        order = sums if layers else sorted(sums, key=lambda key: -median(sums[key]))
        rows = [_row(key, median(sums[key]), whole, str(len(groups[key]))) for key in order]
        kernels = [sum(each) for each in zip(*self.kernels.values(), strict=True)]
        between = median(a - b for a, b in zip(self.passes, kernels, strict=True))
        key = (BETWEEN, "", "") if layers else (BETWEEN,)
        return [*rows, _row(key, between, whole, "")]


def _row(key: tuple[str, ...], taken: float, whole: float, calls: str) -> list[str]:
    return [*key, f"{taken:.3f}", f"{100 * taken / whole:.1f} %", calls]


def profile_model(
    model: str, size: int, runs: int, precision: str = "fp32", threads: int | None = None
) -> dict[str, Profile]:
    """The profiles of a model's parts on the CPU for pictures of ``size`` x ``size`` pixels.

    Raises AdaINError where the model's files are missing or cannot take this size.
    """
    sessions = Sessions(weights.find_model(model, precision), "cpu", threads=threads)._sessions
    generator = np.random.default_rng(0)

    def image(side: int) -> Array:
        return generator.random((1, 3, side, side), np.float32)

    content = {contract.IMAGE: image(size)}
    style = {contract.IMAGE: image(style_size(size))}
    encoder = sessions[contract.ENCODER]
    names = [output.name for output in encoder.get_outputs()]
    encoded = dict(zip(names, encoder.run(None, content), strict=True))
    part, output = contract.style_source(sessions)
    vector = sessions[part].run([output], style)[0]
    one = np.ones((1, 1, 1, 1), np.float32)
    told = {contract.STYLE: vector, contract.ALPHA: one, contract.STRENGTH: one}
    feeds = {
        contract.ENCODER: content,
        contract.DECODER: content | encoded | told,
        contract.STYLE_NETWORK: style,
    }
    return {part: profile_session(sessions[part], feeds[part], runs) for part in sessions}


def profile_session(
    session: onnxruntime.InferenceSession, feeds: Mapping[str, Array], runs: int
) -> Profile:
    """Profile a session's model in a second session with the same settings."""
    plain = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        session.run(None, feeds)
        plain.append(1e3 * (time.perf_counter() - started))
    options = session.get_session_options()
    with tempfile.TemporaryDirectory() as folder:
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        profiled = onnxruntime.InferenceSession(
            session._model_path, options, providers=session.get_providers(), enable_fallback=False
        )
        for _ in range(runs + 1):
            profiled.run(None, feeds)
        events = json.loads(Path(profiled.end_profiling()).read_text(encoding="utf-8"))
    return _read(events, plain[1:])


def _read(events: Sequence[Mapping[str, Any]], plain: Sequence[float]) -> Profile:
    """The profile from ONNX Runtime's events, without the first pass, which warms up."""
    passes = sorted((e for e in events if e["name"] == "model_run"), key=lambda e: e["ts"])[1:]
    kernels: dict[Kernel, list[float]] = {}
    ours = (e for e in events if e["cat"] == "Node" and e["name"].endswith("_kernel_time"))
    for event in sorted(ours, key=lambda e: e["ts"]):
        arguments = event["args"]
        shapes = [next(iter(shape.values())) for shape in arguments["output_type_shape"]]
        kernel = Kernel(
            event["name"].removesuffix("_kernel_time"),
            arguments["op_name"],
            "x".join(map(str, shapes[0])) if shapes else "",
        )
        for number, whole in enumerate(passes):
            if whole["ts"] <= event["ts"] < whole["ts"] + whole["dur"]:
                times = kernels.setdefault(kernel, [0.0] * len(passes))
                times[number] += event["dur"] / 1e3
    if not kernels:
        raise found_error("profile", "no kernels", "a session of ONNX Runtime with a profiler")
    return Profile(kernels, [whole["dur"] / 1e3 for whole in passes], plain)


def report(profiles: Mapping[str, Profile], *, layers: bool) -> str:
    """A Markdown table for each part."""
    first = ("node", "operator", "output") if layers else ("operator",)
    parts = []
    for part, profile in profiles.items():
        title = (
            f"{part}: {median(profile.passes):.2f} ms, median of {len(profile.passes)} passes"
            f" ({median(profile.plain):.2f} ms without the profiler)"
        )
        rows = profile.rows(layers=layers)
        parts.append(f"{title}\n\n{markdown_table((*first, 'ms', 'share', 'calls'), rows)}")
    if "style" not in profiles:
        parts.append("style: the encoder itself, which gives the statistics that are the style")
    return "\n\n".join(parts)


@click.command(
    epilog="\b\nExamples:\n"
    "  python -m benchmarks.profile --model fast --size 512\n"
    "  python -m benchmarks.profile --model vgg19 --size 512 --precision int8 --layers\n"
)
@click.option("--model", type=MODEL, default=DEFAULT_MODEL, show_default=True)
@click.option("--size", type=click.IntRange(16, 4096), default=512, show_default=True)
@click.option("--precision", default="fp32", show_default=True, help="fp32, fp16 or int8.")
@click.option("--threads", type=click.IntRange(1, 1024), help="[default: a Stylizer's]")
@click.option("--runs", type=click.IntRange(1, 1000), default=10, show_default=True)
@click.option("--layers", is_flag=True, help="Node by node and not by operator.")
def profile(
    model: str, size: int, precision: str, threads: int | None, runs: int, layers: bool
) -> None:
    """Print where the time of a model goes on the CPU, kernel by kernel."""
    stride = 8
    if size % stride:
        raise found_error("--size", str(size), f"a multiple of {stride}")
    profiles = profile_model(model, size, runs, precision, threads)
    click.echo(
        f"{model} {precision} at {size} x {size} px, {describe_cpu()}, {describe_versions()}\n"
    )
    click.echo(report(profiles, layers=layers))


if __name__ == "__main__":
    sys.exit(run(profile))
