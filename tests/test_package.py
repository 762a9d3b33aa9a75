"""The wheel, built for real, installed into an empty environment and run there without torch."""

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import adain
from adain import weights

ROOT = Path(__file__).resolve().parents[1]
MODEL_FILES = {
    "MODEL_CARD.md",
    "fast.safetensors",
    "vgg19-decoder.safetensors",
    *(name for name in weights.model_files("fast") if name.endswith(".onnx")),
}
STYLIZE = """
import importlib.util
import adain
from adain import weights
assert importlib.util.find_spec("torch") is None
adain.Stylizer(device="cpu").stylize("photo.png", "style.png", alpha=0.7).save("out.png")
print(adain.__file__)
"""


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def build(source: Path, target: Path, *kinds: str) -> None:
    options = [option for kind in kinds for option in ("-t", kind)]
    run(sys.executable, "-m", "hatchling", "build", "-d", target, *options, cwd=source)


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution and the wheel of this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    build(ROOT, folder, "sdist", "wheel")
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    return dist / f"adain-{adain.__version__}-py3-none-any.whl"


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    text = contents(wheel)[f"adain-{adain.__version__}.dist-info/METADATA"]
    return Parser().parsestr(text.decode())


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs' folder of an environment that holds the wheel with its cpu extra alone."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    pip = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python"]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    run(*pip, "install", "--quiet", f"{wheel}[cpu]", cwd=folder, env=env)
    return folder / "bin"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder with a content and a style image, far from the checkout."""
    down, across = np.mgrid[0:97, 0:131]
    photo = np.stack([across, 2 * down, 255 - across], axis=-1).astype(np.uint8)
    style = np.where((across + down)[..., None] // 8 % 2, (250, 120, 10), (10, 30, 120))
    Image.fromarray(photo).save(tmp_path / "photo.png")
    Image.fromarray(style.astype(np.uint8)).save(tmp_path / "style.png")
    return tmp_path


def run_elsewhere(*command: str | Path, cwd: Path) -> str:
    """Run with nothing to find but what was installed: no checkout, no weights, no network."""
    cleared = ("PYTHONPATH", "ADAIN_WEIGHTS", "XDG_CACHE_HOME")
    env = {name: value for name, value in os.environ.items() if name not in cleared}
    home = cwd / "home"
    home.mkdir()
    nowhere = "http://127.0.0.1:9"
    env |= {"HOME": str(home), "http_proxy": nowhere, "https_proxy": nowhere}
    return run(*command, cwd=cwd, env=env)


def assert_stylised(folder: Path) -> None:
    with Image.open(folder / "out.png") as out, Image.open(folder / "photo.png") as photo:
        assert out.size == photo.size == (131, 97)
        difference = np.asarray(out.convert("RGB"), float) - np.asarray(photo, float)
    assert np.abs(difference).mean() > 1


def test_wheel_holds_the_package_and_the_model_files_alone(wheel: Path) -> None:
    names = set(contents(wheel))
    information = f"adain-{adain.__version__}.dist-info/"
    outside = {name for name in names if not name.startswith(("adain/", information))}
    assert not outside
    folder = "adain/model_files/"
    found = {name.removeprefix(folder) for name in names if name.startswith(folder)}
    assert found == MODEL_FILES
    modules = {name for name in names if name.startswith("adain/") and not name.startswith(folder)}
    checkout = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("adain/**/*.py")}
    assert modules >= checkout
    kinds = (".py", ".typed", ".html", ".js", ".json")
    assert not [name for name in modules if not name.endswith(kinds)]
    assert information + "licenses/LICENSE" in names


def test_source_distribution_builds_the_same_wheel(dist: Path, wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(dist / f"adain-{adain.__version__}.tar.gz") as archive:
        # Python 3.11 has filters from 3.11.4 on.
        safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archive.extractall(tmp_path, **safe)
    build(tmp_path / f"adain-{adain.__version__}", tmp_path, "wheel")
    assert contents(tmp_path / wheel.name) == contents(wheel)


def test_metadata(metadata: Message) -> None:
    assert metadata["Name"] == "adain"
    assert metadata["Version"] == adain.__version__
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "MIT"


def test_onnxruntime_is_named_by_the_extras_cpu_and_gpu_alone(metadata: Message) -> None:
    naming = [line for line in metadata.get_all("Requires-Dist", []) if "onnxruntime" in line]
    extras = {
        re.split(r"[\[>=; ]", line, maxsplit=1)[0]: re.findall(r"extra == .(\w+)", line)
        for line in naming
    }
    assert len(naming) == 2
    assert extras == {"onnxruntime": ["cpu"], "onnxruntime-gpu": ["gpu"]}


def test_stylizer_runs_from_the_wheel(environment: Path, elsewhere: Path) -> None:
    printed = run_elsewhere(environment / "python", "-c", STYLIZE, cwd=elsewhere)
    assert Path(printed.strip()).is_relative_to(environment.parent)
    assert_stylised(elsewhere)


def test_command_runs_from_the_wheel(environment: Path, elsewhere: Path) -> None:
    command = [environment / "adain", "stylize", "photo.png", "style.png"]
    run_elsewhere(*command, "-o", "out.png", "--alpha", "0.7", cwd=elsewhere)
    assert_stylised(elsewhere)
