"""The tables that ``python -m benchmarks`` prints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from adain.errors import AdaINError
from adain.tables import markdown_table
from benchmarks import machine
from benchmarks.coldstart import GOAL, cold_starts
from benchmarks.memory import measure_memory
from benchmarks.pipeline import Pipeline
from benchmarks.sides import CPU_SIDES, CUDA_SIDES, Side, open_sides
from benchmarks.timing import Times, measure, moving_alpha

HEADER = ("side", "size", "style", "ms", "pictures/s", "speed-up", "peak MB", "GMAC", "floor ms")
ALPHA_HEADER = ("moving the strength", "size", "ms", "full pass ms", "share", "goal")
# Of a full pass: the decoder alone is what another strength costs.
ALPHA_GOALS = {"vgg19": "0.55"}
LEGEND = """\
- ms: median of a whole call, uint8 picture in and out, on pictures not seen before. speed-up: over
  the first side at the same size and style. style: encoded before (cached) or in the call (fresh),
  as large as the content but 512 px at most
- peak MB: VmHWM, the most memory that a process ever held which opens the side, encodes a style and
  stylises two pictures; nothing is taken off for the interpreter and the libraries
- floor: the multiply-accumulates at the peak in float32 (float16 for float16); 8-bit may beat it"""


@dataclass(frozen=True)
class Plan:
    """What to measure: sizes in pixels, runs of each side, processes of a cold start.

    ``sides`` are those on the CPU, and the first is what the others are compared with. ``memory``
    says whether each side and size gets a process of its own for its peak.
    """

    sizes: Sequence[int] = (256, 512, 1024)
    runs: int = 7
    starts: int = 5
    memory: bool = True
    alpha_size: int = 512
    sides: Sequence[Side] = CPU_SIDES
    cuda_sizes: Sequence[int] = (512, 1024, 2048, 4096)


def report(plan: Plan) -> str:
    """Measure everything; the tables, with what one has to know to read them."""
    busy = machine.busy_line(machine.load())
    about = (
        f"- CPU: {machine.describe_cpu()}, {machine.torch_threads()}\n"
        f"- Versions: {machine.describe_versions('torch')}"
    )
    pipelines, missing = open_sides(plan.sides)
    results, peaks = time_sides(plan.sides, pipelines, plan.sizes, plan.runs)
    parts = [
        "\n".join(line for line in (about, busy, _peak_lines(peaks), LEGEND) if line),
        table(plan.sides, results, missing, peaks, memory=plan.memory),
        alpha_table(plan, pipelines),
        cold_start_line(plan.starts) if plan.starts else "",
        cuda_report(plan),
    ]
    return "\n\n".join(part for part in parts if part)


def time_sides(
    sides: Sequence[Side], pipelines: Mapping[str, Pipeline], sizes: Sequence[int], runs: int
) -> tuple[dict[int, dict[str, Times]], dict[str, float]]:
    """The times by size and side, and the peak in MAC/s for each precision among the sides."""
    kinds = {(side.device, floor_precision(side)) for side in sides}
    peaks: dict[str, float] = {}
    results = {}
    for size in sizes:
        # Anew at each size, and the best kept, as a peak belongs to no moment.
        for device, kind in sorted(kinds):
            peaks[kind] = max(peaks.get(kind, 0.0), machine.peak(device, kind))
        results[size] = measure(pipelines, size, runs)
    return results, peaks


def floor_precision(side: Side) -> str:
    return "fp16" if side.precision == "fp16" else "fp32"


def table(
    sides: Sequence[Side],
    results: Mapping[int, Mapping[str, Times]],
    missing: Mapping[str, str],
    peaks: Mapping[str, float],
    *,
    memory: bool,
) -> str:
    """A row for each size, style and side; one for a side that is not here, and how to get it."""
    rows: list[list[str]] = []
    notes = [f"- {name}: {reason}" for name, reason in missing.items()]
    for size, times in results.items():
        here = [side for side in sides if side.name in times]
        failed = [side for side in here if times[side.name].failure is not None]
        running = [side for side in here if side not in failed]
        held = {side: measure_memory(side.name, size) if memory else None for side in running}
        for style in ("cached", "fresh"):
            medians = {side: median(getattr(times[side.name], style)) for side in running}
            base = medians.get(sides[0])
            rows += [
                _row(side, size, style, taken, base, held[side], peaks)
                for side, taken in medians.items()
            ]
        rows += [[f"{side.name}: failed", str(size), *["-"] * 7] for side in failed]
        notes += [f"- {side.name} at {size} px: {times[side.name].failure}" for side in failed]
    rows += [[f"{name}: not here", *["-"] * 8] for name in missing]
    return "\n".join([markdown_table(HEADER, rows), *(["", *notes] if notes else [])])


def _row(
    side: Side,
    size: int,
    style: str,
    taken: float,
    base: float | None,
    held: float | None,
    peaks: Mapping[str, float],
) -> list[str]:
    """``taken`` and ``base``, that of the first side, in seconds; ``held`` in MB."""
    macs = side.macs(size, fresh=style == "fresh")
    floor = macs / peaks[floor_precision(side)]
    return [
        *(side.name, str(size), style, f"{1e3 * taken:.1f}", f"{1 / taken:.2f}"),
        "-" if base is None else f"{base / taken:.2f}",
        "-" if held is None else f"{held:.0f}",
        *(f"{macs / 1e9:.2f}", f"{1e3 * floor:.1f}"),
    ]


def alpha_table(plan: Plan, pipelines: Mapping[str, Pipeline]) -> str:
    """What another strength costs where the content's features are kept."""
    keepers = [side.name for side in plan.sides if side.keeps_features]
    keeping = {name: pipelines[name] for name in keepers if name in pipelines}
    rows = []
    for name, (moved, full) in moving_alpha(keeping, plan.alpha_size, plan.runs).items():
        figures = (f"{1e3 * moved:.1f}", f"{1e3 * full:.1f}", f"{moved / full:.2f}")
        rows.append([name, str(plan.alpha_size), *figures, ALPHA_GOALS.get(name, "-")])
    return markdown_table(ALPHA_HEADER, rows) if rows else ""


def cold_start_line(starts: int) -> str:
    try:
        times = cold_starts(starts)
    except AdaINError as error:
        # All that was measured before is worth printing.
        return f"Cold start: not measured ({error})"
    return (
        f"Cold start, `adain stylize` with fast at 512 px on the CPU, process start to file"
        f" written: median {median(times):.2f} s of {len(times)}, longest {max(times):.2f} s"
        f" (goal: under {GOAL} s; program and model come from memory, not from the disk)"
    )


def cuda_report(plan: Plan) -> str:
    """The same table on CUDA, or one line that says why there is none."""
    reason = machine.cuda_missing()
    if reason is not None:
        return f"CUDA, 512 to 4096 px: not measured ({reason})"
    pipelines, missing = open_sides(CUDA_SIDES)
    results, peaks = time_sides(CUDA_SIDES, pipelines, plan.cuda_sizes, plan.runs)
    rows = table(CUDA_SIDES, results, missing, peaks, memory=False)
    return (
        f"- CUDA: {machine.cuda_name()}; float32 of ONNX Runtime may be TF32 and beat its floor\n"
        f"{_peak_lines(peaks)}\n\n{rows}"
    )


def _peak_lines(peaks: Mapping[str, float]) -> str:
    return "\n".join(
        f"- Peak: {peak / 1e9:.1f} GMAC/s in {kind}, the best product of two large matrices"
        for kind, peak in peaks.items()
    )
