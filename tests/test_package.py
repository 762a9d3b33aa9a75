"""The wheel, built for real, installed into an empty environment and run there without torch."""

import html
import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from email.parser import Parser
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

import adain
from adain import weights
from tools.browser import free_port

ROOT = Path(__file__).resolve().parents[1]
MODEL_FILES = {
    "MODEL_CARD.md",
    "vgg19-decoder.safetensors",
    *(name for name in weights.model_files("fast") if name.endswith(".onnx")),
} - set(weights.NOT_IN_WHEEL)
LARGEST = 25_000_000  # bytes of the wheel
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
    return run(*command, cwd=cwd, env=nothing_else(cwd))


def nothing_else(folder: Path) -> dict[str, str]:
    cleared = ("PYTHONPATH", "ADAIN_WEIGHTS", "XDG_CACHE_HOME")
    env = {name: value for name, value in os.environ.items() if name not in cleared}
    home = folder / "home"
    home.mkdir(exist_ok=True)
    nowhere = "http://127.0.0.1:9"
    return env | {"HOME": str(home), "http_proxy": nowhere, "https_proxy": nowhere}


def assert_stylized(folder: Path) -> None:
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
    assets = {
        path.relative_to(ROOT).as_posix()
        for kind in ("css", "html", "jpg", "js", "json", "svg", "txt", "webp")
        for path in ROOT.glob(f"adain/**/*.{kind}")
    }
    assert any(name.endswith("demo/web/studio.js") for name in assets) and modules >= assets
    examples = {f"adain/demo/examples/stylize.{kind}" for kind in ("py", "mjs")}
    others = modules - checkout - assets - examples
    assert others == {"adain/py.typed"}
    assert information + "licenses/LICENSE" in names
    assert wheel.stat().st_size < LARGEST


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


def test_what_the_index_shows_links_to_the_repository(metadata: Message) -> None:
    assert metadata["Description-Content-Type"] == "text/markdown"
    repository = "https://example.org/somebody/adain"
    environment = os.environ | {"ADAIN_REPOSITORY": f"{repository}/"}
    printed = run(sys.executable, "-m", "hatchling", "metadata", cwd=ROOT, env=environment)
    found = json.loads(printed)
    assert found["urls"]["Source"] == repository
    targets = re.findall(r"\]\(([^)]+)\)", found["readme"]["text"])
    assert f"{repository}/raw/HEAD/docs/figure.webp" in targets
    assert all(target.startswith(("https://", "#")) for target in targets)
    for target in targets:
        if target.startswith(repository):
            assert (ROOT / target.split("/HEAD/")[1]).exists(), target


def test_what_is_no_address_of_a_repository_ends_the_build() -> None:
    command = [sys.executable, "-m", "hatchling", "metadata"]
    environment = os.environ | {"ADAIN_REPOSITORY": "somebody/adain"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode and "ADAIN_REPOSITORY: found 'somebody/adain'; allowed" in done.stderr


def test_onnxruntime_is_named_by_the_extras_cpu_and_gpu_alone(metadata: Message) -> None:
    naming = [line for line in metadata.get_all("Requires-Dist", []) if "onnxruntime" in line]
    extras = {
        re.split(r"[\[>=; ]", line, maxsplit=1)[0]: re.findall(r"extra == .(\w+)", line)
        for line in naming
    }
    assert len(naming) == 2
    assert extras == {"onnxruntime": ["cpu"], "onnxruntime-gpu": ["gpu"]}


def test_the_servers_extras(metadata: Message) -> None:
    extras: dict[str, set[str]] = {"server": set(), "demo": set()}
    for line in metadata.get_all("Requires-Dist", []):
        requirement, _, condition = line.partition(";")
        for name, requirements in extras.items():
            if re.search(rf"extra == .{name}\b", condition):
                requirements.add(requirement.strip())
    assert extras["server"] < extras["demo"]
    assert not any(line.startswith("gradio") for line in extras["server"])
    # Private parts of these are used.
    for package in ("gradio", "h11", "uvicorn"):
        [bounds] = [line for line in extras["demo"] if re.match(rf"{package}\b", line)]
        assert "<" in bounds and ">=" in bounds


def test_stylizer_runs_from_the_wheel(environment: Path, elsewhere: Path) -> None:
    printed = run_elsewhere(environment / "python", "-c", STYLIZE, cwd=elsewhere)
    assert Path(printed.strip()).is_relative_to(environment.parent)
    assert_stylized(elsewhere)


def test_command_runs_from_the_wheel(environment: Path, elsewhere: Path) -> None:
    command = [environment / "adain", "stylize", "photo.png", "style.png"]
    run_elsewhere(*command, "-o", "out.png", "--alpha", "0.7", cwd=elsewhere)
    assert_stylized(elsewhere)
    (elsewhere / "out.png").unlink()
    command[-1] = "great-wave"  # one of the package's own
    run_elsewhere(*command, "-o", "out.png", cwd=elsewhere)
    assert_stylized(elsewhere)
    said = run_elsewhere(environment / "adain", "models", cwd=elsewhere)
    fast, _, others = said.partition("vgg19: ")
    assert all(f"  {name} " in fast for name in weights.NOT_IN_WHEEL)
    assert "missing" not in fast and "missing" in others
    said = run_elsewhere(environment / "adain", "doctor", cwd=elsewhere)
    assert "adain[cpu]: onnxruntime 1." in said and "cpu: runs" in said
    assert re.search(r"^fast: 512 x 512 pixels in [0-9.]+ s on cpu", said, re.MULTILINE)


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_without_its_extra_a_server_says_what_to_install(
    environment: Path, elsewhere: Path, command: str
) -> None:
    options = run_elsewhere(environment / "adain", command, "--help", cwd=elsewhere)
    assert "--max-upload" in options and ("--mcp" in options) is (command == "demo")
    done = subprocess.run(
        [environment / "adain", command],
        cwd=elsewhere,
        env=nothing_else(elsewhere),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    extra = "server" if command == "serve" else "demo"
    assert f"pip install 'adain[{extra}]'" in done.stderr


@pytest.fixture(scope="module")
def with_extras(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `environment`, with the packages of the one that runs the tests behind the wheel."""
    pytest.importorskip("gradio")
    folder = tmp_path_factory.mktemp("extras")
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    pip = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python"]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    run(*pip, "install", "--quiet", "--no-deps", wheel, cwd=folder, env=env)
    [packages] = folder.glob("lib/python*/site-packages")
    # A path of a .pth file comes last, and the .pth files in it are not read: no checkout.
    (packages / "others.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return folder / "bin"


@contextmanager
def running(*command: str | Path, cwd: Path) -> Iterator[httpx.Client]:
    """A client of a server that runs with nothing to find but what was installed."""
    process = subprocess.Popen(
        [*command, "--port", str(free_port())],
        cwd=cwd,
        env=nothing_else(cwd),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("Running on "), process.communicate()[1]
        with httpx.Client(base_url=line.split()[2], trust_env=False, timeout=600) as client:
            yield client
    finally:
        process.terminate()
        _, errors = process.communicate()
    assert (process.returncode, "Traceback" in errors) == (0, False), errors


def test_the_service_runs_from_the_wheel(with_extras: Path, elsewhere: Path) -> None:
    with running(with_extras / "adain", "serve", cwd=elsewhere) as client:
        names = ("content", "photo.png"), ("style", "style.png")
        files = {name: (elsewhere / file).read_bytes() for name, file in names}
        answer = client.post("/v1/stylize", files=files)
        assert answer.status_code == 200, answer.text
        (elsewhere / "out.png").write_bytes(answer.content)
        assert_stylized(elsewhere)
        drawn = client.post(
            "/v1/stylize", files={"content": files["content"]}, data={"style_id": "night"}
        )
        assert drawn.status_code == 200, drawn.text


def test_the_page_runs_from_the_wheel(with_extras: Path, elsewhere: Path) -> None:
    with running(with_extras / "adain", "demo", cwd=elsewhere) as client:
        assert client.get("/").status_code == 200
        page = client.get("/config").text
        for asset in ("studio.css", "studio.js", "gallery.js", "painter.js"):
            source = ROOT / "adain" / "demo" / "web" / asset
            assert client.get(f"/web/{asset}").content == source.read_bytes(), asset
        for example in ("python/stylize.py", "node/stylize.mjs"):
            text = (ROOT / "export" / "examples" / example).read_text(encoding="utf-8")
            assert json.dumps(html.escape(text))[1:60] in page, example


def test_importing_the_package_loads_no_library() -> None:
    """As `import adain` takes 10 ms and NumPy alone more than 100."""
    code = (
        "import sys, adain; assert not {'numpy', 'PIL', 'onnxruntime'} & set(sys.modules)\n"
        "assert {'Style', 'load_image'} <= set(dir(adain)) and not hasattr(adain, 'style_of')\n"
        "from adain import *; print(Stylizer.__module__, load_image.__name__, adain.Style is Style)"
    )
    found = run(sys.executable, "-c", code, cwd=ROOT)
    assert found.split() == ["adain.stylizer", "load_image", "True"]


def test_classifiers_are_those_of_the_index() -> None:
    known = pytest.importorskip("trove_classifiers").classifiers
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert set(tomllib.loads(text)["project"]["classifiers"]) <= known
