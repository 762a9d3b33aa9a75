"""What the tests of the npm package share: it is packed, and installed into an empty folder."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from example_files import EXAMPLES, install, model_file

NPM = EXAMPLES.parent / "npm"
# `put` below wrote what `picture` reads; `keep` writes what `kept` reads.
PRELUDE = """
import fs from 'node:fs';
import { Stylizer, Style, AdaINError } from 'adain';
import { Stylizer as Remote } from 'adain/worker';
const given = JSON.parse(process.argv[1]);
const picture = (name) => {
  const { data, ...size } = JSON.parse(fs.readFileSync(name));
  return { data: Uint8Array.from(data), ...size };
};
const keep = (name, { data }) => fs.writeFileSync(name, data);
"""


def run(*command: str | Path, folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def packed() -> Path:
    """The tarball of the package, with the model files that the Python runtime finds."""
    weights = model_file("adain-fast-decoder-fp16.onnx").parent
    return Path(run("node", "pack.mjs", weights, folder=NPM).splitlines()[-1])


def link(folder: Path, example: str, package: str) -> None:
    """A package of an example's, which is large, without a copy."""
    (folder / "node_modules" / package).symlink_to(install(example) / "node_modules" / package)


def install_packed(folder: Path) -> None:
    install("node")  # or skip
    (folder / "package.json").write_text('{"private": true}')
    options = ["--offline", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund"]
    run("npm", "install", *options, packed(), folder=folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the package and onnxruntime-node are installed, and nothing else is."""
    folder = tmp_path_factory.mktemp("installed")
    install_packed(folder)
    link(folder, "node", "onnxruntime-node")
    return folder


def node(folder: Path, program: str, given: object = None) -> str:
    """What a program prints, which finds ``given`` under this name."""
    command = ["node", "--input-type=module", "-e", PRELUDE + program, json.dumps(given)]
    return run(*command, folder=folder)


def put(folder: Path, name: str, array: np.ndarray) -> None:
    height, width = array.shape[:2]
    size = {"width": width, "height": height}
    (folder / name).write_text(json.dumps({"data": array.reshape(-1).tolist(), **size}))


def kept(folder: Path, name: str, like: np.ndarray) -> np.ndarray:
    """RGBA of the size of a picture."""
    return np.fromfile(folder / name, np.uint8).reshape(*like.shape[:2], 4)
