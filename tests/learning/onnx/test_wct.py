"""The transform in ONNX Runtime against torch, and the command that exports it."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from torch import Tensor, nn

from adain import contract
from adain.cli.export import export as command
from adain.cli.run import run
from adain.learning.models.layers import adain, channel_statistics
from adain.learning.models.networks import VGG19, PaperDecoder
from adain.learning.models.wct import WCT, WCTDecoder, covariance
from adain.learning.onnx import wct
from adain.learning.onnx.describe import describe
from adain.learning.onnx.export import Part, export_part
from adain.learning.onnx.parity_cases import Case

CHANNELS = 16


class Bottleneck(nn.Module):
    """A decoder without layers: what AdaIN makes of the features."""

    def forward(self, features: Tensor, statistics: Tensor, style: Tensor, alpha: Tensor) -> Tensor:
        return adain(features, statistics, style, alpha)


def told(features: Tensor) -> Tensor:
    matrix = covariance(features).flatten(1)[:, :, None, None]
    return torch.cat((channel_statistics(features), matrix), dim=1)


@pytest.mark.slow
def test_a_graph_of_any_size_gives_what_torch_gives() -> None:
    torch.manual_seed(0)
    module = WCTDecoder(Bottleneck(), CHANNELS, 2 * CHANNELS)

    def inputs(count: int, height: int, width: int) -> tuple[Tensor, ...]:
        # Rank-deficient where there are few places.
        features = 3 * torch.rand(count, CHANNELS, height, width)
        style = torch.randn(count, CHANNELS, 3, 4)
        return features, told(features), told(style), torch.rand(count, 1, 1, 1)

    names = (contract.FEATURES, contract.STATISTICS, contract.STYLE, contract.ALPHA)
    axes = (("N", "", "h", "w"), *[("N", "", "", "")] * 3)
    traced = dict(zip(names, zip(inputs(2, 4, 6), axes, strict=True), strict=True))
    part = Part(module.eval(), traced, (contract.STYLIZED,))
    model = export_part(part, WCT(VGG19(PaperDecoder())))
    opened = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    for shape in ((1, 2, 2), (3, 5, 9), (1, 30, 17)):
        given = inputs(*shape)
        feeds = {name: value.numpy() for name, value in zip(names, given, strict=True)}
        (found,) = opened.run(None, feeds)
        np.testing.assert_allclose(found, module(*given), rtol=0, atol=1e-3)


@pytest.mark.slow
@pytest.mark.usefixtures("vgg19_weights")
def test_the_command_writes_one_file_that_is_torchs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(wct, "cases", lambda count: [Case(20, 36, 32, 24, 2, 0.8)])
    monkeypatch.setattr(wct, "HOSTILE", [Case(1, 1, 1, 1, 1, 1.0)])
    assert run(command, ["--model", "vgg19", "--transform", "wct", "-o", str(tmp_path)]) == 0
    (path,) = tmp_path.iterdir()
    assert path.name == "adain-vgg19-wct.onnx"
    said = capsys.readouterr().out
    assert str(path) in said and "fp32: 2 cases" in said
    about = describe(path)
    assert about.inputs["content"] == ("uint8", ("N", "H", "W", 3))
    assert about.metadata["model"] == "vgg19-wct"
    assert about.metadata["style_channels"] == str(1920 + 512 * 512)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "fast"], "--transform: found wct for fast; allowed: wct for a model on VG"),
        (["--model", "vgg19", "--size", "64"], "--size: found --transform wct; allowed: one of"),
        (["--model", "vgg19", "--triton", "x"], "--triton: found --transform wct; allowed: one"),
        (["--model", "vgg19", "--opset", "17"], "--opset: found --transform wct; allowed: one of"),
        ([], "--transform wct: allowed is with --model and --output"),
    ],
)
def test_mistakes_are_one_line(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    assert run(command, ["--transform", "wct", "-o", str(output), *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1
    assert not output.exists()
