"""The benchmarks' arithmetic on known times, and the real thing at sizes that take no time."""

import dataclasses
import re
import time

import numpy as np
import pytest
from helpers import error_of

from adain import Stylizer, weights
from adain.cli.run import run
from adain.errors import AdaINError
from adain.learning.onnx.describe import describe
from adain.learning.peak_memory import peak_memory
from adain.sessions import Sessions
from benchmarks import profile as profiling
from benchmarks.__main__ import benchmark
from benchmarks.coldstart import cold_starts
from benchmarks.machine import busy_line, cuda_missing, load, peak
from benchmarks.memory import measure_memory, print_peak
from benchmarks.pipeline import Pixels
from benchmarks.report import Plan, alpha_table, report, table
from benchmarks.sides import CPU_SIDES, EAGER, Side, open_sides
from benchmarks.timing import Times, measure, moving_alpha

FAST = Side("fast", "fast", "onnx")


def cells(text: str) -> list[list[str]]:
    """The cells of the Markdown tables in a text, without their headers."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


class Recorder:
    """A pipeline that takes known times: 20 ms for a new content, 5 ms for the last one."""

    def __init__(self) -> None:
        self.contents: list[bytes] = []
        self.styles: list[bytes] = []
        self.alphas: list[float] = []

    def encode_style(self, pixels: Pixels) -> bytes:
        self.styles.append(pixels.tobytes())
        return self.styles[-1]

    def stylize(self, content: Pixels, style: bytes, alpha: float = 1.0) -> Pixels:
        known = self.contents[-1:] == [content.tobytes()]
        self.contents.append(content.tobytes())
        self.alphas.append(alpha)
        time.sleep(0.005 if known else 0.02)
        return content


class Failing(Recorder):
    def stylize(self, content: Pixels, style: bytes, alpha: float = 1.0) -> Pixels:
        raise AdaINError("found no memory")


def test_every_run_has_new_pictures_and_the_first_does_not_count() -> None:
    recorder = Recorder()
    times = measure({"it": recorder, "broken": Failing()}, 64, 2)
    assert len(set(recorder.contents)) == len(recorder.contents) == 2 * 3
    # One style is encoded before, and one in each run that encodes its own.
    assert len(set(recorder.styles)) == len(recorder.styles) == 1 + 3
    assert len(times["it"].cached) == len(times["it"].fresh) == 2
    assert all(0.02 <= taken < 1 for taken in times["it"].cached)
    assert times["broken"].failure == "found no memory" and times["broken"].cached == []


def test_another_strength_is_timed_on_the_picture_before() -> None:
    recorder = Recorder()
    moved, full = moving_alpha({"it": recorder}, 64, 3)["it"]
    assert 0.005 <= moved < full and full >= 0.02
    assert moving_alpha({"broken": Failing()}, 64, 3) == {}
    assert set(recorder.alphas[::2]) == {1.0} and set(recorder.alphas[1::2]) == {0.25, 0.5, 0.75}


def test_the_table_is_the_arithmetic_of_its_times() -> None:
    results = {
        64: {
            EAGER.name: Times([0.3, 0.1, 0.2], [0.4, 0.4, 0.4]),
            "fast": Times([0.05, 0.04, 0.07], [0.08, 0.1, 0.2]),
            "vgg19": Times(failure="no memory"),
        }
    }
    sides = [EAGER, FAST, Side("vgg19", "vgg19", "onnx"), Side("8-bit", "fast", "onnx", "int8")]
    text = table(sides, results, {"8-bit": "get it"}, {"fp32": 1e9}, memory=False)
    macs = {
        side.name: [side.macs(64, fresh=fresh) / 1e9 for fresh in (False, True)] for side in sides
    }
    paper, fast = macs[EAGER.name], macs["fast"]

    def work(gmac: float) -> list[str]:
        return [f"{gmac:.2f}", f"{1e3 * gmac:.1f}"]

    assert cells(text) == [
        [EAGER.name, "64", "cached", "200.0", "5.00", "1.00", "-", *work(paper[0])],
        ["fast", "64", "cached", "50.0", "20.00", "4.00", "-", *work(fast[0])],
        [EAGER.name, "64", "fresh", "400.0", "2.50", "1.00", "-", *work(paper[1])],
        ["fast", "64", "fresh", "100.0", "10.00", "4.00", "-", *work(fast[1])],
        ["vgg19: failed", "64", *["-"] * 7],
        ["8-bit: not here", *["-"] * 8],
    ]
    assert text.endswith("- 8-bit: get it\n- vgg19 at 64 px: no memory")


def test_macs_of_the_paper_and_of_the_shipped_files() -> None:
    # What README.md and design say: the pipeline cannot run faster than its 127 GMAC allow.
    assert EAGER.macs(512, fresh=False) / 1e9 == pytest.approx(126.53, abs=0.01)
    files = {part: weights.find(weights.onnx_file("fast", part), get="") for part in
             ("encoder", "decoder", "style")}  # fmt: skip
    counted = {part: describe(file, 64).macs for part, file in files.items()}
    assert FAST.macs(64, fresh=False) == counted["encoder"] + counted["decoder"]
    assert FAST.macs(64, fresh=True) == sum(counted.values())


def test_a_side_that_is_not_here_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "search_folders", list)
    pipelines, missing = open_sides(CPU_SIDES)
    assert list(pipelines) == ["paper, torch eager", "paper, torch channels_last"]
    assert missing["vgg19"] == f"no adain-vgg19-encoder.onnx; {weights.about('vgg19').get}"
    assert missing["paper"] == "no adain-paper-encoder.onnx; `adain models get paper` gets it"
    assert missing["fast"] == f"no adain-fast-encoder.onnx; {weights.about('fast').get}"
    for network in ("fast", "vgg19"):
        reason = missing[f"{network}, 8-bit"]
        kept = "int8" in weights.precisions(network)
        assert (f"no adain-{network}-encoder-int8.onnx; " if kept else "no int8 files") in reason


def test_torch_gives_the_same_picture_in_both_layouts(photo: Pixels, painting: Pixels) -> None:
    import torch

    results = []
    for side in CPU_SIDES[:2]:
        torch.manual_seed(0)
        pipeline = side.open()
        results.append(
            pipeline.stylize(photo.copy(), pipeline.encode_style(painting.copy())).astype(int)
        )
    assert results[0].shape == photo.shape and results[0].std() > 0
    assert np.abs(results[0] - results[1]).max() <= 1


def test_the_report_measures_every_side_that_is_here() -> None:
    plan = Plan(sizes=(64,), runs=1, starts=0, memory=False, alpha_size=64,
                sides=(EAGER, FAST), cuda_sizes=(64,))  # fmt: skip
    text = report(plan)
    rows = cells(text[: text.index("moving the strength")])
    assert [row[:3] for row in rows if row[0] in (EAGER.name, "fast")] == [
        [name, "64", style] for style in ("cached", "fresh") for name in (EAGER.name, "fast")
    ]
    for row in rows[:4]:
        assert float(row[3]) > 0 and float(row[4]) == pytest.approx(1e3 / float(row[3]), rel=0.1)
    assert re.search(r"- Peak: [\d.]+ GMAC/s in fp32", text)
    reason = cuda_missing()
    if reason is not None:
        assert text.endswith(f"CUDA, 512 to 4096 px: not measured ({reason})")


def test_strength_table_gives_shares_and_the_goal() -> None:
    side = dataclasses.replace(FAST, name="vgg19")
    plan = Plan(runs=3, alpha_size=64, sides=(EAGER, side))
    ((name, size, moved, full, share, goal),) = cells(alpha_table(plan, {"vgg19": Recorder()}))
    assert (name, size, goal) == ("vgg19", "64", "0.55")
    assert float(share) == pytest.approx(float(moved) / float(full), abs=0.01)


def test_peak_memory_is_that_of_a_process_of_its_own() -> None:
    if peak_memory() is None:
        assert measure_memory("fast", 64) is None
        pytest.skip("this system tells no peak memory of a process")
    small, large = (measure_memory("fast", size) for size in (64, 1024))
    assert small is not None and large is not None
    # This process holds torch; the one that measures does not.
    assert 20 < small < large < 1000
    # The picture alone takes 12 MB as float32 and 16 as features.
    assert large - small > 28


def test_a_process_that_cannot_measure_gives_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAIN_WEIGHTS", "")
    monkeypatch.setattr("benchmarks.memory.environment", lambda: {"PATH": ""})
    assert measure_memory("fast", 32) is None


def test_cold_starts_are_those_of_whole_processes() -> None:
    (taken,) = cold_starts(1, size=64)
    assert 0.1 < taken < 60
    message = error_of(lambda: cold_starts(1, size=64, model="slow"))
    assert message.startswith("adain stylize: found a failure (Error: Invalid value for '--model'")


def test_the_peak_is_that_of_a_matrix_product() -> None:
    assert 1e8 < peak("cpu", seconds=0.05) < 1e14


def test_a_busy_machine_is_no_secret() -> None:
    assert busy_line(0.1) == "" and busy_line(8.24).startswith("- Load 8.2 before the first run")
    assert load() >= 0


def test_a_profile_is_the_sum_of_its_kernels() -> None:
    def event(name: str, start: float, taken: float, **arguments: object) -> dict[str, object]:
        cat = "Node" if arguments else "Session"
        return {"name": name, "cat": cat, "ts": start, "dur": taken, "args": arguments}

    def node(name: str, operator: str, start: float, taken: float) -> dict[str, object]:
        shape = [{"float": [1, 3, 8, 8]}]
        kernel = f"{name}_kernel_time"
        return event(kernel, start, taken, op_name=operator, output_type_shape=shape)

    events: list[dict[str, object]] = []
    for start, factor in ((0, 9), (10_000, 1), (20_000, 2), (40_000, 3)):
        events += [
            node("a", "Conv", start + 100 * factor, 500 * factor),
            node("b", "Pad", start + 700 * factor, 100 * factor),
            node("c", "Conv", start + 800 * factor, 300 * factor),
            event("model_run", start, 1000 * factor),
        ]
    found = profiling._read(events, [1.0])
    assert list(found.passes) == [1.0, 2.0, 3.0]  # the first pass warms up
    assert found.rows(layers=False) == [
        ["Conv", "1.600", "80.0 %", "2"],
        ["Pad", "0.200", "10.0 %", "1"],
        ["between kernels", "0.200", "10.0 %", ""],
    ]
    assert [row[:5] for row in found.rows(layers=True)][:2] == [
        ["a", "Conv", "1x3x8x8", "1.000", "50.0 %"],
        ["b", "Pad", "1x3x8x8", "0.200", "10.0 %"],
    ]


def test_fast_is_profiled_part_by_part(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(profiling.profile, ["--model", "fast", "--size", "64", "--runs", "2"]) == 0
    text = capsys.readouterr().out
    parts = re.findall(r"^(\w+): [\d.]+ ms, median of 2 passes", text, re.MULTILINE)
    assert sorted(parts) == ["decoder", "encoder", "style"]
    calls = sum(int(row[3]) for row in cells(text) if row[0] == "Conv")
    file = weights.find(weights.onnx_file("fast", "whole"), get="")
    assert calls == describe(file, 64).operators["Conv"]


def test_layers_come_in_their_order() -> None:
    profiles = profiling.profile_model("fast", 64, 1)
    text = profiling.report({"encoder": profiles["encoder"]}, layers=True)
    rows = cells(text)
    assert rows[0][1] == "Pad" and rows[-1][0] == profiling.BETWEEN
    assert "style: the encoder itself" in text  # as for vgg19, where there is no other network


def test_the_profile_can_know_the_settings_of_a_session() -> None:
    file = weights.find(weights.onnx_file("fast", "encoder"), get="")
    session = Sessions({"encoder": file}, "cpu", threads=1)._sessions["encoder"]
    options = session.get_session_options()
    assert options.intra_op_num_threads == 1 and not options.enable_mem_pattern
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


@pytest.mark.parametrize(
    ("command", "arguments", "words"),
    [
        (benchmark, ["--sizes", "100"], "found '100'; allowed are multiples of 16"),
        (benchmark, ["--runs", "0"], "Invalid value for '--runs'"),
        (profiling.profile, ["--size", "100"], "--size: found 100; allowed: a multiple of 8"),
        (profiling.profile, ["--precision", "int4"], "precision: found 'int4'; allowed: fp32"),
        (profiling.profile, ["--model", "slow"], "Invalid value for '--model'"),
        (print_peak, ["sideways", "64"], "Invalid value for "),
    ],
)
def test_mistakes_are_one_line_and_status_2(
    command: object, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command, arguments) == 2  # type: ignore[arg-type]
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1


def test_a_stylizer_is_a_pipeline(stylizer: Stylizer, photo: Pixels) -> None:
    pipelines, missing = open_sides([FAST])
    assert not missing
    pipeline = pipelines["fast"]
    ours = pipeline.stylize(photo, pipeline.encode_style(photo))
    assert np.array_equal(ours, stylizer.stylize(photo, stylizer.encode_style(photo)))
