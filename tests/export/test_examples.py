"""The examples that embed the model without our package, against our runtime on the same files."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from example_files import EXAMPLES, difference, install, model_file, save

from adain import Stylizer

ALPHA = 0.7
# The same weights by another runtime may round a sample the other way.
LEVELS = 1
HEADERS = "onnxruntime_cxx_api.h"
RUNNING = ("stylize.py", "stylize.mjs", "stylize.cpp", "model.js", "worker.js", "planes.js")


@pytest.fixture(scope="module")
def wanted(stylizer: Stylizer, photo: np.ndarray, painting: np.ndarray) -> np.ndarray:
    return stylizer.stylize(photo[:93, :127], painting, ALPHA)


@pytest.fixture
def pictures(tmp_path: Path, photo: np.ndarray, painting: np.ndarray) -> Path:
    """A folder of photo and style, in sides that are no multiple of the stride, twice each."""
    for suffix in ("png", "ppm"):
        save(photo[:93, :127], tmp_path / f"photo.{suffix}")
        save(painting, tmp_path / f"style.{suffix}")
    return tmp_path


def stylize(*program: str | Path, folder: Path, suffix: str = "png") -> Path:
    """The picture that a program writes, run with nothing of ours to import."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    out = folder / f"out.{suffix}"
    arguments = [model_file(), f"photo.{suffix}", f"style.{suffix}", str(ALPHA), out]
    command = [*program, *arguments]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return out


def test_examples_are_short_and_need_nothing_of_ours() -> None:
    files = [file for file in EXAMPLES.glob("*/*") if file.name in RUNNING]
    assert sorted(file.name for file in files) == sorted(RUNNING)
    for file in files:
        text = file.read_text()
        assert len(text.splitlines()) < 70, file
        assert not re.search(r"^\s*(from|import) adain\b", text, re.MULTILINE), file


def test_python(pictures: Path, wanted: np.ndarray) -> None:
    found = stylize(sys.executable, EXAMPLES / "python" / "stylize.py", folder=pictures)
    assert difference(found, wanted) <= LEVELS


def test_python_says_how_it_is_called() -> None:
    command = [sys.executable, EXAMPLES / "python" / "stylize.py"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "usage: python stylize.py MODEL CONTENT STYLE ALPHA OUT\n"


@pytest.mark.parametrize("alpha", ["nan", "-0.1", "1.5", "strong"])
def test_python_refuses_other_strengths(pictures: Path, alpha: str) -> None:
    command = [sys.executable, EXAMPLES / "python" / "stylize.py", model_file(), "photo.png"]
    command += ["style.png", alpha, "out.png"]
    done = subprocess.run(command, cwd=pictures, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == f"ALPHA: found {alpha}; allowed: a number from 0 to 1\n"
    assert not (pictures / "out.png").exists()


def test_node(pictures: Path, wanted: np.ndarray) -> None:
    program = install("node") / "stylize.mjs"
    assert difference(stylize("node", program, folder=pictures), wanted) <= LEVELS


@pytest.mark.parametrize("alpha", ["nan", "-0.1", "1.5", "strong", ""])
def test_node_refuses_other_strengths(pictures: Path, alpha: str) -> None:
    program = install("node") / "stylize.mjs"
    command = ["node", program, model_file(), "photo.png", "style.png", alpha, "out.png"]
    done = subprocess.run(command, cwd=pictures, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == f"ALPHA: found {alpha}; allowed: a number from 0 to 1\n"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The C++ example, built; skips without a compiler, CMake, or ONNX Runtime's headers.

    ``ONNXRUNTIME_ROOT`` names a folder with ``include/``, as the release archive has it. The
    library is its own or, where it has headers alone, that of the Python package.
    """
    if not (shutil.which("cmake") and (shutil.which("c++") or shutil.which("g++"))):
        pytest.skip("no CMake with a C++ compiler on this machine")
    root = os.environ.get("ONNXRUNTIME_ROOT", "")
    prefixes = [Path(root)] if root else [Path("/usr"), Path("/usr/local")]
    folders = [prefix / "include" for prefix in prefixes]
    if not any(
        (folder / name / HEADERS).is_file() for folder in folders for name in ("", "onnxruntime")
    ):
        pytest.skip(f"no {HEADERS} in {' or '.join(map(str, folders))}; set ONNXRUNTIME_ROOT")
    work = tmp_path_factory.mktemp("cpp")
    settings = [f"-DCMAKE_PREFIX_PATH={';'.join(map(str, prefixes))}", "-DCMAKE_CXX_FLAGS=-Wall"]
    if root and not list(Path(root).glob("lib*/**/libonnxruntime.*")):
        settings.append(f"-DONNXRUNTIME_LIBRARY={python_library(work)}")
    for command in (
        ["cmake", "-S", EXAMPLES / "cpp", "-B", work / "build", *settings],
        ["cmake", "--build", work / "build"],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        assert "warning:" not in done.stderr
    return work / "build" / "stylize"


def python_library(folder: Path) -> Path:
    """The Python package's library under the name that programs linked to it look for."""
    capi = Path(onnxruntime.__file__).parent / "capi"
    library = next(iter(sorted(capi.glob("libonnxruntime.so.*"))), None)
    if library is None:
        pytest.skip(f"no libonnxruntime.so in {capi}")
    link = folder / "libonnxruntime.so.1"
    link.symlink_to(library)
    return link


def test_cpp(program: Path, pictures: Path, wanted: np.ndarray) -> None:
    assert difference(stylize(program, folder=pictures, suffix="ppm"), wanted) <= LEVELS


def test_cpp_refuses_what_is_no_ppm(program: Path, pictures: Path) -> None:
    command = [program, model_file(), "photo.png", "style.ppm", "1", "out.ppm"]
    done = subprocess.run(command, cwd=pictures, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "photo.png: not a binary PPM of 8 bits without comments\n"
    assert not (pictures / "out.ppm").exists()


@pytest.mark.parametrize("alpha", ["nan", "-0.1", "1.5", "strong"])
def test_cpp_refuses_other_strengths(program: Path, pictures: Path, alpha: str) -> None:
    command = [program, model_file(), "photo.ppm", "style.ppm", alpha, "out.ppm"]
    done = subprocess.run(command, cwd=pictures, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "ALPHA: not in 0 to 1\n")


def test_every_example_pins_its_packages() -> None:
    for name in ("node", "web"):
        about = json.loads((EXAMPLES / name / "package.json").read_text())
        for package, version in about["dependencies"].items():
            assert re.fullmatch(r"\d+\.\d+\.\d+", version), f"{name}: {package} {version}"


def test_readme_names_properties_and_values_that_the_files_have() -> None:
    text = (EXAMPLES / "README.md").read_text()
    table = text.partition("| property | what |")[2].partition("\n\n")[0]
    named = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert {"model", "part", "stride", "channels", "style_channels"} <= set(named)
    for part in ("", "-encoder", "-style", "-decoder"):
        session = onnxruntime.InferenceSession(
            model_file(f"adain-fast{part}.onnx"), providers=["CPUExecutionProvider"]
        )
        properties = session.get_modelmeta().custom_metadata_map
        assert set(named) <= set(properties)
        for value in (*session.get_inputs(), *session.get_outputs()):
            assert re.search(rf"`{value.name}[` ]", text), value.name
    for file in re.findall(r"\]\(([^)]+)\)", text):
        assert (EXAMPLES / file).exists(), file
