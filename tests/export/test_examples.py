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
NO_STRENGTHS = "nan", "-0.1", "1.5", "strong", "", " "
# The same weights by another runtime may round a sample the other way.
LEVELS = 1
HEADERS = "onnxruntime_cxx_api.h"
# C says at each step what else an exception would, Java which exception; the last writes and reads.
LONGEST = {"stylize.c": 90, "Stylize.java": 95, "styles.mjs": 100}
RUNNING = (
    "stylize.py",
    "stylize.mjs",
    "styles.mjs",
    "stylize.cpp",
    "stylize.c",
    "Stylize.java",
    "model.js",
    "worker.js",
    "planes.js",
)


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
        assert len(text.splitlines()) < LONGEST.get(file.name, 70), file
        assert not re.search(r"^\s*(from|import) adain\b", text, re.MULTILINE), file


def test_python(pictures: Path, wanted: np.ndarray) -> None:
    found = stylize(sys.executable, EXAMPLES / "python" / "stylize.py", folder=pictures)
    assert difference(found, wanted) <= LEVELS


def test_python_says_how_it_is_called() -> None:
    command = [sys.executable, EXAMPLES / "python" / "stylize.py"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "usage: python stylize.py MODEL CONTENT STYLE ALPHA OUT\n"


@pytest.mark.parametrize("alpha", NO_STRENGTHS)
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


@pytest.mark.parametrize("alpha", NO_STRENGTHS)
def test_node_refuses_other_strengths(pictures: Path, alpha: str) -> None:
    program = install("node") / "stylize.mjs"
    command = ["node", program, model_file(), "photo.png", "style.png", alpha, "out.png"]
    done = subprocess.run(command, cwd=pictures, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == f"ALPHA: found {alpha}; allowed: a number from 0 to 1\n"


@pytest.fixture(scope="module", params=["cpp", "c"])
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The C++ and the C example, built; skips without compiler, CMake, or ONNX Runtime's headers.

    ``ONNXRUNTIME_ROOT`` names a folder with ``include/``, as the release archive has it; `make
    headers` puts one into the virtual environment. The library is its own or, where it has headers
    alone, that of the Python package.
    """
    if not (shutil.which("cmake") and (shutil.which("c++") or shutil.which("g++"))):
        pytest.skip("no CMake with a C++ compiler on this machine")
    root = os.environ.get("ONNXRUNTIME_ROOT", "")
    prefixes = [root] if root else [f"{sys.prefix}/onnxruntime", "/usr", "/usr/local"]
    found = [p for p in map(Path, prefixes) if any(p.glob(f"include/**/{HEADERS}"))]
    if not found:
        pytest.skip(f"no {HEADERS} in {' or '.join(prefixes)}: `make headers` gets it")
    work = tmp_path_factory.mktemp(request.param)
    if request.param == "c":
        return built_by_cc(found[0], work)
    settings = [f"-DCMAKE_PREFIX_PATH={found[0]}", "-DCMAKE_CXX_FLAGS=-Wall"]
    if not any(found[0].glob("lib*/**/libonnxruntime.*")):
        settings.append(f"-DONNXRUNTIME_LIBRARY={python_library(work)}")
    for command in (
        ["cmake", "-S", EXAMPLES / "cpp", "-B", work / "build", *settings],
        ["cmake", "--build", work / "build"],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        assert "warning:" not in done.stderr
    return work / "build" / "stylize"


def built_by_cc(prefix: Path, work: Path) -> Path:
    """The C example, by the command that its documentation says."""
    libraries = [*prefix.glob("lib*/**/libonnxruntime.so")] or [python_library(work)]
    (header,) = list(prefix.glob("include/**/onnxruntime_c_api.h"))[:1]
    source, program = EXAMPLES / "c" / "stylize.c", work / "stylize"
    library = libraries[0]
    command = ["cc", "-Wall", "-Wextra", "-pedantic", "-std=c11", "-O2", "-isystem", header.parent]
    done = subprocess.run(
        [*command, source, library, f"-Wl,-rpath,{library.parent}", "-o", program],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and "warning:" not in done.stderr, done.stderr
    return program


def python_library(folder: Path) -> Path:
    """The Python package's library under the name that programs linked to it look for."""
    capi = Path(onnxruntime.__file__).parent / "capi"
    library = next(iter(sorted(capi.glob("libonnxruntime.so.*"))), None)
    if library is None:
        pytest.skip(f"no libonnxruntime.so in {capi}")
    link = folder / "libonnxruntime.so.1"
    link.symlink_to(library)
    return link


def test_c_and_cpp(program: Path, pictures: Path, wanted: np.ndarray) -> None:
    assert difference(stylize(program, folder=pictures, suffix="ppm"), wanted) <= LEVELS


def test_c_and_cpp_refuse_what_is_no_ppm(program: Path, pictures: Path) -> None:
    command = [program, model_file(), "photo.png", "style.ppm", "1", "out.ppm"]
    done = subprocess.run(command, cwd=pictures, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "photo.png: not a binary PPM of 8 bits without comments\n"
    assert not (pictures / "out.ppm").exists()


@pytest.mark.parametrize("alpha", NO_STRENGTHS)
def test_c_and_cpp_refuse_other_strengths(program: Path, pictures: Path, alpha: str) -> None:
    command = [program, model_file(), "photo.ppm", "style.ppm", alpha, "out.ppm"]
    done = subprocess.run(command, cwd=pictures, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "ALPHA: not in 0 to 1\n")


@pytest.fixture(scope="module")
def java(tmp_path_factory: pytest.TempPathFactory) -> list[str | Path]:
    """The command of the Java example, compiled; skips without a JDK or ONNX Runtime's jar.

    ``ONNXRUNTIME_JAR`` names the jar; `make jar` puts one into the virtual environment.
    """
    if not (shutil.which("java") and shutil.which("javac")):
        pytest.skip("no JDK on this machine")
    jar = Path(os.environ.get("ONNXRUNTIME_JAR") or f"{sys.prefix}/onnxruntime.jar")
    if not jar.is_file():
        pytest.skip(f"no {jar}: `make jar` gets it")
    work = tmp_path_factory.mktemp("java")
    source = EXAMPLES / "java" / "Stylize.java"
    command = ["javac", "-Xlint:all", "-Werror", "-cp", jar, "-d", work, source]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return ["java", "-cp", os.pathsep.join(map(str, (jar, work))), "Stylize"]


def test_java(java: list[str | Path], pictures: Path, wanted: np.ndarray) -> None:
    assert difference(stylize(*java, folder=pictures), wanted) <= LEVELS


@pytest.mark.parametrize(
    ("content", "alpha", "out", "reason"),
    [
        ("photo.png", "nan", "out.png", "ALPHA: found nan; allowed: a number from 0 to 1\n"),
        ("photo.png", "1.5", "out.png", "ALPHA: found 1.5; allowed: a number from 0 to 1\n"),
        ("photo.png", " ", "out.png", "ALPHA: found  ; allowed: a number from 0 to 1\n"),
        ("missing.png", "1", "out.png", "missing.png: no picture that Java reads\n"),
        (".", "1", "out.png", ".: no picture that Java reads\n"),
        ("photo.png", "1", "out.xyz", "out.xyz: no format that Java writes\n"),
        ("photo.png", "1", "no/out.png", "no/out.png: its folder is not there\n"),
    ],
)
def test_java_refuses(
    java: list[str | Path], pictures: Path, content: str, alpha: str, out: str, reason: str
) -> None:
    command = [*java, model_file(), content, "style.png", alpha, out]
    done = subprocess.run(command, cwd=pictures, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, reason)
    assert not (pictures / out).exists()


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
