"""What the tests of the examples share: their programs, installed once, and pictures on disk."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adain import weights

EXAMPLES = Path(__file__).resolve().parents[1] / "export" / "examples"
WHOLE = "adain-fast.onnx"
INSTALL_TIME = 300.0  # seconds that npm may take


def model_file(name: str = WHOLE) -> Path:
    """A file of ``fast`` where the Python runtime finds it, so that both run the same weights."""
    return weights.find(name, get="python -m export --model fast makes it")


def need_or_skip(reason: str) -> None:
    """Skip, but fail where CI is true: there, what the examples need must be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}, and CI=true says it must work")
    pytest.skip(reason)


def install(example: str, kind: str = "dependencies") -> Path:
    """The folder of a Node.js example with its packages; skips without node or the packages."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("no Node.js with npm on this machine")
    folder = EXAMPLES / example
    wanted = json.loads((folder / "package.json").read_text())[kind]
    if all(installed_version(folder, name) == version for name, version in wanted.items()):
        return folder
    command = ["npm", "install", "--prefer-offline", "--no-audit", "--no-fund"]
    command += ["--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_TIME
        )
    except subprocess.TimeoutExpired:
        need_or_skip(f"npm could not install {example}'s packages in {INSTALL_TIME:.0f} s")
    else:
        if done.returncode:
            errors = [line for line in done.stderr.splitlines() if line.startswith("npm error")]
            need_or_skip(f"npm could not install {example}'s packages: {''.join(errors[:1])}")
    return folder


def installed_version(folder: Path, package: str) -> str | None:
    try:
        text = (folder / "node_modules" / package / "package.json").read_text()
    except OSError:
        return None
    return str(json.loads(text)["version"])


def save(picture: np.ndarray, path: Path) -> Path:
    Image.fromarray(picture).save(path)
    return path


def difference(found: Path | np.ndarray, wanted: np.ndarray) -> int:
    """The largest difference of two pictures of one size, in levels of 255."""
    levels = np.asarray(Image.open(found).convert("RGB")) if isinstance(found, Path) else found
    assert levels.shape == wanted.shape
    return int(np.abs(levels.astype(int) - wanted.astype(int)).max())
