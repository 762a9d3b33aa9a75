"""``adain specialise``: from a painting and photos to one ONNX file, and what is refused before."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the learning side needs PyTorch")

import onnxruntime

from adain import load_image, save_image
from adain.cli.main import cli
from adain.cli.run import run
from adain.learning import specialise as learning
from adain.learning.models.pretrained import find_trained

pytestmark = pytest.mark.usefixtures("vgg19_weights")
TINY = ["--crop", "64", "--batch-size", "1", "--style-size", "64", "--device", "cpu"]


@pytest.fixture
def given(tmp_path: Path) -> tuple[Path, Path]:
    """A painting, and a folder of three photos."""
    rows, columns = np.mgrid[0:64, 0:80] / 80
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(3):
        photo = np.stack([rows, columns, np.full_like(rows, number / 3)], axis=2)
        save_image(photo.astype(np.float32), photos / f"{number}.png")
    stripes = np.repeat((np.sin(60 * (rows + columns)) > 0)[..., None], 3, axis=2)
    save_image(stripes.astype(np.float32), tmp_path / "stripes.png")
    return tmp_path / "stripes.png", photos


def command(given: tuple[Path, Path], output: Path, *more: str) -> list[str]:
    painting, photos = given
    return ["specialise", str(painting), "--content", str(photos), "-o", str(output), *TINY, *more]


def test_a_file_is_made_and_used_with_onnx_runtime_alone(
    given: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "stripes.onnx"
    assert run(cli, command(given, output, "--steps", "2")) == 0
    said = capsys.readouterr().out
    assert "on held-out photos: style loss" in said and "differences from torch" in said
    assert f"{output}: 0." in said
    content = load_image(given[1] / "0.png").to_array()[None, ..., :3]
    session = onnxruntime.InferenceSession(output, providers=["CPUExecutionProvider"])
    feeds = {"content": content, "alpha": np.ones(1, np.float32)}
    stylized = session.run(None, feeds)[0]
    assert stylized.shape == content.shape and not np.array_equal(stylized, content)
    assert (tmp_path / "stripes.run" / "checkpoint.pt").is_file()
    # The run is over: the same command writes the file again, and trains no more.
    before = output.read_bytes()
    output.unlink()
    (tmp_path / "stripes.run" / "log.jsonl").unlink()
    assert run(cli, command(given, output, "--steps", "2")) == 0
    assert output.read_bytes() == before
    assert run(cli, ["models", "add", str(tmp_path / "stripes.run"), "--name", "mine"]) == 2
    assert "a network of one style" in capsys.readouterr().err
    # It is no style either.
    picture = str(given[1] / "0.png")
    assert run(cli, ["stylize", picture, str(output), "-o", str(tmp_path / "out.png")]) == 2
    assert f"STYLE: found '{output}', a network; allowed: a picture" in capsys.readouterr().err


@pytest.fixture
def handlers() -> Iterator[None]:
    """Signals as a command finds them: Ray leaves a handler of its own behind in this process."""
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_the_same_command_goes_on(
    given: tuple[Path, Path],
    tmp_path: Path,
    number: signal.Signals,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "stripes.onnx"
    log = tmp_path / "stripes.run" / "log.jsonl"
    many = [sys.executable, "-m", "adain", *command(given, output, "--steps", "100000")]
    with subprocess.Popen(many, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        end = time.monotonic() + 300
        while not (log.exists() and '"train"' in log.read_text()):
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.05)
        process.send_signal(number)
        said = process.communicate()[0].decode()
    assert process.returncode == 128 + number
    assert not output.exists()
    kept = f"{output}: not written yet; {log.parent} keeps the training up to step "
    (line,) = said.splitlines()
    assert line.startswith(kept) and line.endswith(", and the same command goes on from there")
    # Where it comes while the file is made, the same is said.
    with monkeypatch.context() as patch:
        patch.setattr(learning, "export_one_style", lambda *_: signal.raise_signal(number))
        assert run(cli, command(given, output, "--steps", "1")) == 128 + number
    assert kept.removesuffix(" up to step ") in capsys.readouterr().out and not output.exists()
    # It has done more than one step, so that it is over at once.
    assert run(cli, command(given, output, "--steps", "1")) == 0 and output.is_file()


def test_what_is_wrong_is_said_before_the_work(
    given: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    painting, photos = given
    empty = tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "broken.png").write_bytes(b"not an image")
    output = tmp_path / "out.onnx"

    def told(*arguments: str) -> str:
        assert run(cli, ["specialise", *arguments]) == 2
        said: str = capsys.readouterr().err
        assert said.startswith("Error: ") and said.count("\n") == 1
        return said

    def with_content(folder: Path, to: Path = output, style: Path = painting) -> list[str]:
        return [str(style), "--content", str(folder), "-o", str(to), "--steps", "1", *TINY]

    assert "broken.png" in told(*with_content(photos, style=tmp_path / "broken.png"))
    assert "none.png" in told(*with_content(photos, style=tmp_path / "none.png"))
    assert "no image found" in told(*with_content(empty))
    assert "not a folder" in told(*with_content(tmp_path / "none"))
    save_image(load_image(painting), empty / "one.png")
    assert "2 or more" in told(*with_content(empty))
    assert "found a name that ends in '.png'; allowed: one in .onnx" in told(
        *with_content(photos, tmp_path / "out.png")
    )
    assert "no folder" in told(*with_content(photos, tmp_path / "none" / "out.onnx"))
    assert "style_size" in told(*with_content(photos), "--style-size", "8")
    assert "either steps or hours" in told(*with_content(photos), "--hours", "1")
    weights = find_trained("vgg19")
    assert "not weights of this model" in (
        said := told(*with_content(photos), "--weights", str(weights))
    )
    assert len(said) < 400
    assert f"{photos}: not a readable .safetensors file" in told(
        *with_content(photos), "--weights", str(photos)
    )
    assert "seed: found" in told(*with_content(photos), "--seed", str(10**20))
    assert "a folder or device" in told(*with_content(photos, Path(".")))
    assert "found the file to write" in told(*with_content(photos), "--run", str(output))
    assert "found the file to write" in told(*with_content(photos), "--run", str(output / "run"))
    assert "not UTF-8" in told(*with_content(photos), "--run", os.fsdecode(b"\xff.run"))
    # Not even the folder of the run is left.
    assert not output.exists() and not output.with_suffix(".run").exists()


def test_the_loss_network_is_looked_for_first(given: tuple[Path, Path], tmp_path: Path) -> None:
    """Without VGG-19 nothing is trained: one line says how to get it."""
    environment = {k: v for k, v in os.environ.items() if k != "ADAIN_WEIGHTS"}
    environment |= {"XDG_CACHE_HOME": str(tmp_path / "cache"), "ADAIN_WEIGHTS": str(tmp_path)}
    output = tmp_path / "stripes.onnx"
    done = subprocess.run(
        [sys.executable, "-m", "adain", *command(given, output, "--steps", "1")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2 and "vgg19" in done.stderr
    assert not output.exists() and not output.with_suffix(".run").exists()
