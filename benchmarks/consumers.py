"""Which other runtimes take the files, and whether their pictures are ours: the table of the page.

``python -m benchmarks.consumers`` makes an environment for each runtime in a temporary folder,
installs it there by pip, and compares its pictures with those of the ONNX Runtime that is here.
``--consumer onnxruntime==1.20.1`` chooses; ``--model`` takes another model's whole file.
"""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
import onnxruntime

from adain import weights
from adain.cli.parameters import MODEL
from adain.cli.run import run
from adain.contract import WHOLE
from adain.registry import DEFAULT_MODEL
from adain.tables import markdown_table

Array = npt.NDArray[np.generic]

# What a runtime is asked to do: the name of its package, and a program for it. Each is run with the
# file, the inputs and the outputs as paths, and gives the pictures of each case.
PROGRAMS = {
    "onnxruntime": """
import onnxruntime
options = onnxruntime.SessionOptions()
options.log_severity_level = 3
session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
version = onnxruntime.__version__
compute = lambda feeds: session.run(None, feeds)[0]
""",
    "openvino": """
import openvino
core = openvino.Core()
# Without it some processors compute in bfloat16.
compiled = core.compile_model(file, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
version = openvino.__version__.partition("-")[0]
compute = lambda feeds: compiled(feeds)[0]
""",
    "mnn": """
import _tools, MNN, os
from MNN import expr
# The converter itself: the command around it reports to its makers.
converted = os.path.join(os.path.dirname(made), "whole.mnn")
given_to = {"-f": "ONNX", "--modelFile": file, "--MNNModel": converted, "--bizCode": "adain"}
_tools.mnnconvert(["mnnconvert", *(word for pair in given_to.items() for word in pair)])
runtime = MNN.nn.create_runtime_manager(({"backend": "CPU", "precision": "high", "numThread": 1},))
names = ["content", "style", "alpha"]
network = MNN.nn.load_module_from_file(converted, names, ["stylized"], runtime_manager=runtime)
kinds = {"uint8": expr.uint8, "float32": expr.float}
version = MNN.version()
def compute(feeds):
    arrays = [feeds[name] for name in names]
    given = [expr.const(a, list(a.shape), expr.NCHW, kinds[a.dtype.name]) for a in arrays]
    return network.forward(given)[0].read().copy()
""",
    "onnx": """
import onnx
from onnx.reference import ReferenceEvaluator
evaluator = ReferenceEvaluator(file)
version = onnx.__version__
compute = lambda feeds: evaluator.run(None, feeds)[0]
""",
}
FRAME = """
import sys
import numpy
file, given, made = sys.argv[1:]
{program}
cases = numpy.load(given)
results = {{}}
for case in sorted({{name.partition(".")[0] for name in cases.files}}):
    names = ("content", "style", "alpha")
    results[case] = compute({{name: cases[f"{{case}}.{{name}}"] for name in names}})
numpy.savez(made, **results)
print(version)
"""
# What each is installed with; older versions were built for the older NumPy.
DEFAULTS = (
    "onnxruntime==1.15.1 numpy<2",
    "onnxruntime==1.17.3 numpy<2",
    "onnxruntime==1.19.2",
    "onnxruntime==1.21.1",
    "onnxruntime==1.23.2",
    "onnxruntime",
    "openvino",
    "mnn",
    "onnx",
)


def cases() -> dict[str, dict[str, Array]]:
    """Inputs of the whole file by case: sizes, batches and strengths that runtimes trip over."""
    random = np.random.default_rng(0)

    def case(content: tuple[int, ...], style: tuple[int, ...], *alpha: float) -> dict[str, Array]:
        drawn = (random.integers(0, 256, (*shape, 3), np.uint8) for shape in (content, style))
        named = dict(zip(("content", "style"), drawn, strict=True))
        return named | {"alpha": np.array(alpha, np.float32)}

    return {
        "plain": case((1, 48, 64), (1, 40, 32), 1.0),
        "unpadded": case((1, 37, 51), (1, 33, 29), 0.7),
        "tiny": case((1, 3, 5), (1, 1, 1), 0.8),
        "batch": case((3, 24, 32), (1, 32, 24), 0.6),
        "styles": case((1, 24, 32), (3, 32, 24), 0.5),
        "content": case((1, 24, 32), (1, 32, 24), 0.0),
        "nan": case((1, 24, 32), (1, 32, 24), np.nan),
    }


@dataclass(frozen=True)
class Outcome:
    """What became of one runtime: its version, and by case the largest difference or none."""

    version: str
    differences: dict[str, int]
    trouble: str = ""

    def row(self, name: str, columns: list[str]) -> list[str]:
        found = [str(self.differences.get(case, "")) for case in columns]
        return [name, self.version, *found, self.trouble or "yes"]


def ours(file: Path, inputs: dict[str, dict[str, Array]]) -> dict[str, Array]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    return {case: session.run(None, feeds)[0] for case, feeds in inputs.items()}


def tried(
    requirements: str, python: str, file: Path, expected: dict[str, Array], folder: Path
) -> Outcome:
    """Run a runtime by an interpreter that has it; ``folder`` holds ``inputs.npz``."""
    package = requirements.split()[0].partition("=")[0]
    made = folder / f"{package}.npz"
    program = FRAME.format(program=PROGRAMS[package])
    command = [python, "-c", program, str(file), str(folder / "inputs.npz"), str(made)]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    if done.returncode:
        return Outcome("", {}, f"no: {done.stderr.strip().splitlines()[-1][:100]}")
    found = np.load(made)
    differences = {
        case: int(np.abs(found[case].astype(int) - wanted.astype(int)).max())
        if found[case].shape == wanted.shape
        else 255
        for case, wanted in expected.items()
    }
    worst = max(differences.values())
    version = done.stdout.splitlines()[-1]  # below what converters say
    return Outcome(version, differences, "" if worst <= 1 else f"no: {worst} off")


def environment(requirements: str, folder: Path) -> str:
    """The interpreter of a new environment with these packages; "" where pip cannot install."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    command = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    done = subprocess.run([*command, "numpy", *requirements.split()], check=False)
    return "" if done.returncode else python


@click.command()
@click.option("--model", type=MODEL, default=DEFAULT_MODEL, show_default=True)
@click.option(
    "--consumer", "consumers", multiple=True, help=f"PACKAGE==VERSION of {', '.join(PROGRAMS)}."
)
def main(model: str, consumers: tuple[str, ...]) -> None:
    """Print the table of runtimes: largest differences from ours, in levels of 255."""
    name = weights.onnx_file(model, WHOLE)
    file = weights.find(name, get=weights.how_to_get(weights.about(model)))
    inputs = cases()
    expected = ours(file, inputs)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        flat = {f"{case}.{name}": a for case, feeds in inputs.items() for name, a in feeds.items()}
        np.savez(scratch / "inputs.npz", **flat)  # type: ignore[arg-type]
        for number, requirements in enumerate(consumers or DEFAULTS):
            python = environment(requirements, scratch / str(number))
            outcome = Outcome("", {}, "not installed")
            if python:
                outcome = tried(requirements, python, file, expected, scratch)
            rows.append(outcome.row(requirements.split()[0].partition("=")[0], list(inputs)))
    click.echo(markdown_table(("runtime", "version", *inputs, "same pictures"), rows))


if __name__ == "__main__":
    sys.exit(run(main))
