"""Other runtimes against ours, here by the interpreter that runs the tests."""

import sys
from pathlib import Path

import numpy as np
import pytest

from adain import weights
from benchmarks import consumers

WHOLE = weights.find(weights.onnx_file("fast", "whole"), get="")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inputs = {k: v for k, v in consumers.cases().items() if k in ("tiny", "styles", "nan")}
    flat = {f"{case}.{name}": a for case, feeds in inputs.items() for name, a in feeds.items()}
    np.savez(tmp_path / "inputs.npz", **flat)
    return tmp_path


def expected() -> dict[str, np.ndarray]:
    inputs = consumers.cases()
    return consumers.ours(WHOLE, {case: inputs[case] for case in ("tiny", "styles", "nan")})


@pytest.mark.parametrize("package", ["onnxruntime", "onnx"])
def test_pictures_are_the_same(folder: Path, package: str) -> None:
    pytest.importorskip(package)
    outcome = consumers.tried(f"{package}==1", sys.executable, WHOLE, expected(), folder)
    assert set(outcome.differences) == {"tiny", "styles", "nan"}
    assert max(outcome.differences.values()) <= 1 and not outcome.trouble
    assert outcome.row(package, ["nan"]) == [package, outcome.version, "0", "yes"]


def test_what_differs_or_fails_is_said(folder: Path) -> None:
    other = {case: picture ^ 64 for case, picture in expected().items()}
    outcome = consumers.tried("onnxruntime", sys.executable, WHOLE, other, folder)
    assert outcome.trouble == "no: 64 off"
    missing = consumers.tried("onnxruntime", sys.executable, folder / "no.onnx", other, folder)
    assert missing.trouble.startswith("no: ") and missing.row("it", ["nan"])[2] == ""
