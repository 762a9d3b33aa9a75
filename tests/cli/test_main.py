"""The commands gathered, where ONNX Runtime is not installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import adain

# As if it were not there, for this process alone.
MAIN = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "onnxruntime":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
from adain.cli.main import main
main()
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"PYTHONPATH": str(Path(adain.__file__).parents[1])}
    command = [sys.executable, "-c", MAIN, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=env)


@pytest.mark.parametrize(
    "arguments", [("--help",), ("stylize", "--help"), ("models", "--help"), ("models",)]
)
def test_without_a_runtime_there_is_help(arguments):
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout


def test_without_a_runtime_work_is_refused_in_one_line(tmp_path):
    done = run("stylize", "photo.png", "style.png", "-o", str(tmp_path / "out.png"))
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "ONNX Runtime, which is not installed: pip install 'adain[cpu]'" in done.stderr
