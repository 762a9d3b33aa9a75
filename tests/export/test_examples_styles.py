"""Styles in files, written and read by a program for Node.js without our package, and by ours."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from example_files import difference, install, model_file, save
from PIL import Image

from adain import Style, Stylizer
from adain.cli.main import cli
from adain.cli.run import run

ALPHA = 0.7
LEVELS = 1  # the same weights by another runtime may round a sample the other way


@pytest.fixture
def pictures(tmp_path: Path, photo: np.ndarray, painting: np.ndarray) -> Path:
    save(photo[:93, :127], tmp_path / "photo.png")
    save(painting, tmp_path / "style.png")
    return tmp_path


def node(command: str, *names: str, folder: Path) -> subprocess.CompletedProcess[str]:
    program = install("node") / "styles.mjs"
    models = model_file("adain-fast-style.onnx").parent
    line = ["node", program, command, models, *names]
    return subprocess.run(line, cwd=folder, capture_output=True, text=True)


def test_python_reads_what_the_program_wrote(pictures: Path, stylizer: Stylizer) -> None:
    done = node("encode", "style.png", "node.style", folder=pictures)
    assert done.returncode == 0, done.stderr
    found = Style.load(pictures / "node.style")
    wanted = stylizer.encode_style(pictures / "style.png")
    assert (found.model, found.weights) == (wanted.model, wanted.weights)
    np.testing.assert_allclose(found.vector, wanted.vector, rtol=1e-5, atol=1e-5)

    photo, style, out = (str(pictures / name) for name in ("photo.png", "node.style", "out.png"))
    assert run(cli, ["stylize", photo, style, "-o", out, "--alpha", str(ALPHA)]) == 0
    picture = np.asarray(stylizer.stylize(Image.open(photo), wanted, ALPHA))
    assert difference(Path(out), picture) <= LEVELS


def test_the_program_reads_what_python_wrote(pictures: Path, stylizer: Stylizer) -> None:
    style = stylizer.encode_style(pictures / "style.png")
    style.save(pictures / "python.style")
    done = node("stylize", "photo.png", "python.style", str(ALPHA), "out.png", folder=pictures)
    assert done.returncode == 0, done.stderr
    wanted = np.asarray(stylizer.stylize(Image.open(pictures / "photo.png"), style, ALPHA))
    assert difference(pictures / "out.png", wanted) <= LEVELS


def test_the_program_refuses_styles_of_other_weights_and_other_files(pictures: Path) -> None:
    Style(np.ones(4, np.float32), "mine", "ab").save(pictures / "other.style")
    for name, reason in {
        "other.style": "found adain style, model mine, of other weights",
        "photo.png": "found no safetensors header",
        "missing.style": "ENOENT",
    }.items():
        done = node("stylize", "photo.png", name, "1", "out.png", folder=pictures)
        assert done.returncode == 1 and not (pictures / "out.png").exists()
        assert done.stderr.startswith(f"{name}: no style of this model") and reason in done.stderr
    done = node("stylize", "photo.png", "other.style", folder=pictures)
    assert done.returncode == 1 and done.stderr.startswith("usage: ")
    done = node("encode", "style.png", "nowhere/a.style", folder=pictures)
    assert done.returncode == 1 and done.stderr.count("\n") == 1


def broken_styles(right: bytes) -> Iterator[tuple[bytes, str]]:
    """Files that are nearly ``right``, a style of 1920 numbers, and what is said of each."""
    size = 8 + int.from_bytes(right[:8], "little")
    header, numbers = json.loads(right[8:size]), right[size:]

    def file(about: object, numbers: bytes = numbers) -> bytes:
        text = json.dumps(about).encode()
        return len(text).to_bytes(8, "little") + text + numbers

    yield b"\x10", "found no safetensors header"
    yield file(None), "found another file"
    yield file({"style": header["style"]}), "found another file"
    for wrong in ({"dtype": "F16"}, {"shape": [3]}):
        yield file(header | {"style": header["style"] | wrong}), "found no 1920 float32 numbers"
    yield file(header, numbers[:100]), "found no 1920 float32 numbers"
    yield file(header, np.full(1920, np.nan, "<f4").tobytes()), "found a number that is not finite"


@pytest.mark.slow
def test_the_program_refuses_files_that_are_broken(pictures: Path, stylizer: Stylizer) -> None:
    stylizer.encode_style(pictures / "style.png").save(pictures / "right.style")
    for content, reason in broken_styles((pictures / "right.style").read_bytes()):
        (pictures / "broken.style").write_bytes(content)
        done = node("stylize", "photo.png", "broken.style", "1", "out.png", folder=pictures)
        line = f"broken.style: no style of this model ({reason})\n"
        assert (done.returncode, done.stderr) == (1, line)
        assert not (pictures / "out.png").exists()
