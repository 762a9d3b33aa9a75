"""The ONNX file of one network per style: what PyTorch gives, smaller, without a style."""

import re
from pathlib import Path

import numpy as np
import pytest
from helpers import error_of

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

import onnxruntime
from PIL import Image
from safetensors.torch import save_file

from adain import contract
from adain.cli.run import run
from adain.learning.models.fast import Fast
from adain.learning.models.one_style import INNER_BLOCKS, OneStyle
from adain.learning.models.pretrained import load_model
from adain.learning.onnx import one_style
from adain.learning.onnx.describe import describe
from adain.learning.onnx.one_style import export_one_style
from adain.learning.onnx.parity import Difference, ParityReport
from benchmarks.one_style import one_style as one_style_beside_fast

WEIGHTS = Path(__file__).resolve().parents[3] / "weights"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run of no steps would have written."""
    fast = load_model("fast", WEIGHTS / "fast.safetensors")
    assert isinstance(fast, Fast)
    style = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        network = OneStyle.folded(fast, fast.style(style)).keep_inner(INNER_BLOCKS)
    path = tmp_path_factory.mktemp("run") / "weights.safetensors"
    tensors = {name: tensor.half() for name, tensor in network.state_dict().items()}
    save_file(tensors, path, {"model": "fast of one style", "training_digest": "abc"})
    return path


@pytest.fixture(scope="module")
def file(source: Path) -> Path:
    output = source.parent / "noise.onnx"
    report = export_one_style(source, output, "noise", "noise\udcff.jpg")
    assert report.count > 20 and report.differences["bytes"].largest <= 1
    return output


def test_the_file_takes_no_style_and_is_smaller(file: Path) -> None:
    found = describe(file, 64)
    assert found.inputs == {
        "content": ("uint8", ("N", "H", "W", 3)),
        "alpha": ("float32", (1,)),
    }
    assert found.outputs == {"stylized": ("uint8", ("N", "H", "W", 3))}
    assert found.metadata["model"] == "noise" and found.metadata["painting"] == "noise?.jpg"
    assert found.metadata["part"] == contract.ONE_STYLE and found.metadata["training"] == "abc"
    assert found.macs < describe(WEIGHTS / "adain-fast.onnx", 64).macs
    assert file.stat().st_size < (WEIGHTS / "adain-fast.onnx").stat().st_size / 4
    parts = (WEIGHTS / f"adain-fast-{part}.onnx" for part in ("encoder", "decoder"))
    assert file.stat().st_size < sum(part.stat().st_size for part in parts)


def test_any_size_and_the_photo_itself_at_strength_0(file: Path) -> None:
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0)

    def stylized(content: np.ndarray, alpha: float) -> np.ndarray:
        feeds = {"content": content, "alpha": np.array([alpha], np.float32)}
        found: np.ndarray = session.run(None, feeds)[0]
        return found

    for shape in ((1, 1, 1, 3), (2, 33, 70, 3), (1, 64, 64, 3)):
        content = random.integers(0, 256, shape, np.uint8)
        for nothing in (0.0, -1.0, float("nan")):
            assert np.array_equal(stylized(content, nothing), content)
        full = stylized(content, 1.0)
        assert full.shape == content.shape and full.dtype == np.uint8
        assert np.array_equal(full, stylized(content, 7.0))
        half = stylized(content, 0.5).astype(float)
        assert np.abs(half - (content.astype(float) + full) / 2).max() <= 1


def test_the_program_in_the_documentation_runs(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (WEIGHTS.parent / "docs" / "one-style.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wave.onnx").write_bytes(file.read_bytes())
    photo = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    Image.fromarray(photo).save("photo.jpg")
    exec(program, {})
    assert Image.open("out.png").size == (50, 40)


def test_the_benchmark_sets_it_beside_fast(
    file: Path, tmp_path: Path, vgg19_weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del vgg19_weights
    photo = np.random.default_rng(0).integers(0, 256, (64, 80, 3), np.uint8)
    Image.fromarray(photo).save(tmp_path / "photo.png")
    pictures = [str(tmp_path / "photo.png")] * 2
    assert run(one_style_beside_fast, [str(file), *pictures, "--size", "64", "--runs", "1"]) == 0
    told = capsys.readouterr().out
    for row in ("fast, whole file", "fast, style encoded before", "one style"):
        assert f"| {row}" in told


def test_a_file_that_differs_from_torch_is_not_kept(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    off = ParityReport(differences={"bytes": Difference(2.0, 4.0, 8)})
    monkeypatch.setattr(one_style, "measure", lambda *_: off)
    output = tmp_path / "noise.onnx"
    told = error_of(lambda: export_one_style(source, output, "noise", "noise.jpg"))
    assert "ONNX Runtime's bytes in fp32 differs from torch's" in told
    assert not list(tmp_path.iterdir())
