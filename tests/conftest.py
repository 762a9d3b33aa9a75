"""What tests share: where the pretrained weights are, a Stylizer, two pictures and a browser."""

import os
import shutil
import signal
from collections import Counter
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pytest
from exporting import exported, imported, vgg19_files

from adain import Stylizer, weights
from adain.errors import AdaINError
from adain.published import PUBLISHED_VGG19

__all__ = ["exported", "imported", "vgg19_files"]  # fixtures, found here by name

# Where the pretrained weights lie beside the checkout.
BESIDE = Path(__file__).resolve().parents[2] / "shared" / "weights"
if BESIDE.is_dir() and not os.environ.get("ADAIN_WEIGHTS"):
    os.environ["ADAIN_WEIGHTS"] = str(BESIDE)
# A shell's background job ignores Ctrl-C, and so would the programs that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# What `make quick` leaves out: tests that start servers, browsers, trainings and other processes,
# or optimise, export or install.
SLOW_FILES = (
    "batch/test_ray_engine.py",
    "benchmarks/*",
    "cli/test_camera.py",
    "cli/test_demo.py",
    "cli/test_gatys.py",
    "cli/test_serve.py",
    "cli/test_serve_ray.py",
    "cli/test_specialise.py",
    "cli/test_video.py",
    "demo/*",
    "export/*",
    "integrations/test_comfyui_server.py",
    "learning/comparison/*",
    "learning/evaluation/test_artefacts.py",
    "learning/gatys/test_run*.py",
    "learning/onnx/test_export*.py",
    "learning/onnx/test_fixed.py",
    "learning/onnx/test_importing.py",
    "learning/onnx/test_one_style.py",
    "learning/onnx/test_quantize.py",
    "learning/training/test_loop*.py",
    "learning/training/test_long_run.py",
    "learning/training/test_one_style.py",
    "learning/training/test_processes.py",
    "learning/training/test_trainer.py",
    "server/*",
    "test_package.py",
    "test_telemetry.py",
)
# Made by exporting, which takes minutes.
SLOW_FIXTURES = {"exported", "imported", "vgg19_files"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        file = item.path.relative_to(Path(__file__).parent)
        listed = any(fnmatch(file.as_posix(), pattern) for pattern in SLOW_FILES)
        fixtures = set(getattr(item, "fixturenames", ()))
        # Where a model is a fixture's parameter, that of vgg19 asks for its files.
        asks = "machine" in fixtures and "vgg19" in item.name
        if listed or asks or SLOW_FIXTURES & fixtures:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def vgg19_weights() -> Path:
    """The published VGG-19 encoder; without it the test is skipped."""
    try:
        return weights.find(*PUBLISHED_VGG19.names, get="")
    except AdaINError:
        pytest.skip(f"no {PUBLISHED_VGG19.names[0]} on this machine; {PUBLISHED_VGG19.get}")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium; without one the test is skipped, but fails where CI is true."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    if os.environ.get("CI") == "true":
        pytest.fail("no Chromium on this machine, and CI=true says there must be one")
    pytest.skip("no Chromium on this machine")


@pytest.fixture(scope="session")
def stylizer() -> Stylizer:
    """``fast`` on the CPU."""
    return Stylizer(device="cpu")


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> tuple[Stylizer, Counter[str]]:
    """A Stylizer with empty caches, and how often each of its models has run."""
    fresh, counter = Stylizer(device="cpu"), Counter()
    run = fresh._sessions.run

    def count(part: str, *arguments, **options):
        counter[part] += 1
        return run(part, *arguments, **options)

    monkeypatch.setattr(fresh._sessions, "run", count)
    return fresh, counter


@pytest.fixture(scope="session")
def photo() -> np.ndarray:
    """A content, uint8 [96, 128, 3]: soft colours, a disc with a sharp edge, a little grain."""
    y, x = np.mgrid[0:96, 0:128]
    disc = (y - 40) ** 2 + (x - 70) ** 2 < 28**2
    levels = np.stack([40 + y, np.where(disc, 220, 90), 200 - x], axis=-1)
    levels += np.random.default_rng(0).integers(-8, 9, levels.shape)
    return read_only(levels.astype(np.uint8))


@pytest.fixture(scope="session")
def painting() -> np.ndarray:
    """A style, uint8 [128, 96, 3]: orange and dark blue strokes."""
    y, x = np.mgrid[0:128, 0:96]
    stroke = (np.sin(x / 3 + np.sin(y / 9) * 3) > 0)[..., None]
    return read_only(np.where(stroke, (250, 140, 20), (10, 25, 110)).astype(np.uint8))


def read_only(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array
