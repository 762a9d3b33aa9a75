"""What ``python -m export --describe`` finds, beside graphs counted by hand and our own files."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from helpers import error_of
from onnx import helper, numpy_helper, parser

from adain import weights
from adain.cli.export import export
from adain.cli.run import run
from adain.learning.onnx.describe import Tensors, count_macs, describe

FAST = {
    part: weights.find(weights.onnx_file("fast", part), get="")
    for part in ("encoder", "decoder", "style", "whole")
}
# A strided convolution, its transpose and both kinds of matrix product.
MIXED = """
<ir_version: 8, opset_import: ["" : 18], producer_name: "somebody", producer_version: "2">
mixed (float[batch, 3, rows, columns] photo) => (float[batch, 7] scores) {
    thin = Conv <strides = [2, 2], pads = [1, 1, 1, 1]> (photo, kernel)
    grouped = Conv <group = 4> (thin, depthwise)
    wide = ConvTranspose <strides = [2, 2]> (grouped, up)
    pooled = GlobalAveragePool (wide)
    flat = Flatten (pooled)
    hidden = Gemm <transB = 1> (flat, first)
    scores = MatMul (hidden, second)
}
"""
MIXED_WEIGHTS = {
    "kernel": (4, 3, 3, 3),
    "depthwise": (4, 1, 1, 1),
    "up": (4, 6, 2, 2),
    "first": (5, 6),
    "second": (5, 7),
}


def save(path: Path, text: str, stored: dict[str, np.ndarray]) -> Path:
    model = parser.parse_model(text)
    tensors = [numpy_helper.from_array(array, name) for name, array in stored.items()]
    model.graph.initializer.extend(tensors)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
    return path


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    stored = {name: np.ones(shape, np.float32) for name, shape in MIXED_WEIGHTS.items()}
    return save(tmp_path / "mixed.onnx", MIXED, stored)


def test_macs_are_those_counted_by_hand(mixed: Path) -> None:
    work = describe(mixed, 20).work
    assert not isinstance(work, str), work
    conv = 4 * 10 * 10 * 3 * 9 + 4 * 10 * 10  # the strided one gives 10 x 10, and so the next
    # Each of the 4 x 10 x 10 inputs is multiplied with 6 kernels of 2 x 2.
    assert work.macs == {
        "Conv": conv,
        "ConvTranspose": 4 * 10 * 10 * 6 * 4,
        "Gemm": 6 * 5,
        "MatMul": 5 * 7,
    }
    assert work.total == count_macs(mixed, 20)
    assert (work.inputs, work.outputs) == ({"photo": (1, 3, 20, 20)}, {"scores": (1, 7)})
    assert not work.left_out


def test_somebody_elses_file_is_described(mixed: Path) -> None:
    found = describe(mixed)
    assert (found.producer, found.opsets, found.ir_version) == ("somebody 2", {"ai.onnx": 18}, 8)
    assert str(found.inputs[0]) == "photo  float32  [batch, 3, rows, columns]"
    assert [value.axes for value in found.outputs] == [("batch", 7)]
    assert found.metadata == {}
    assert found.operators["Conv"] == 2 and sum(found.operators.values()) == 7
    count = sum(int(np.prod(shape)) for shape in MIXED_WEIGHTS.values())
    assert found.parameters == {"float32": Tensors(count, 4 * count)}


def test_a_transposed_product_sums_over_rows(tmp_path: Path) -> None:
    text = """
    <ir_version: 8, opset_import: ["" : 18]>
    g (float[6, 3] a) => (float[3, 5] c) { c = Gemm <transA = 1> (a, b) }
    """
    path = save(tmp_path / "g.onnx", text, {"b": np.ones((6, 5), np.float32)})
    assert count_macs(path) == 6 * 3 * 5


def quantised(path: Path) -> Path:
    """A convolution as QDQ, as an integer operator and inside a branch."""
    text = """
    <ir_version: 8, opset_import: ["" : 18]>
    q (uint8[1, 3, rows, columns] x, bool far) => (float[1, 3, h, w] y, uint8[1, 3, h, w] z) {
        real = DequantizeLinear (x, one, none)
        kernel = DequantizeLinear (weights, one, zero)
        inner = Conv (real, kernel)
        y = If (far) <
            then_branch = a () => (float[1, 3, h, w] p) { p = Conv (inner, point) },
            else_branch = b () => (float[1, 3, h, w] r) { r = Identity (inner) }
        >
        z = QLinearConv (x, one, none, weights, one, zero, one, none)
    }
    """
    stored = {
        "one": np.float32(1),
        "none": np.uint8(0),
        "zero": np.int8(0),
        "weights": np.ones((3, 3, 3, 3), np.int8),
        "point": np.ones((3, 3, 1, 1), np.float32),
    }
    return save(path, text, {name: np.asarray(value) for name, value in stored.items()})


def test_quantised_convolutions_count_and_branches_are_named(tmp_path: Path) -> None:
    found = describe(quantised(tmp_path / "q.onnx"), 10)
    assert not isinstance(found.work, str), found.work
    macs = 3 * 8 * 8 * 3 * 9
    assert found.work.macs == {"Conv, quantised": macs, "QLinearConv": macs}
    assert found.work.left_out == {"Conv in a branch or loop": 1}
    assert found.parameters["int8"] == Tensors(3 * 3 * 9 + 1, 3 * 3 * 9 + 1)
    assert found.operators["Conv"] == 2


def test_functions_are_counted_where_they_are_called(tmp_path: Path) -> None:
    text = """
    <ir_version: 8, opset_import: ["" : 18, "own" : 1]>
    f (float[1, 8] x) => (float[1, 8] z) { y = own.twice (x, w) z = own.twice (y, w) }
    <domain: "own", opset_import: ["" : 18]>
    twice (a, m) => (c) { b = MatMul (a, m) c = MatMul (b, m) }
    """
    path = save(tmp_path / "f.onnx", text, {"w": np.eye(8, dtype=np.float32)})
    found = describe(path)
    assert found.operators == {"MatMul": 4}
    assert count_macs(path) == 4 * 8 * 8


def test_fast_is_its_parts() -> None:
    parts = [count_macs(FAST[part], 64) for part in ("encoder", "decoder", "style")]
    assert all(parts)
    assert count_macs(FAST["whole"], 64) == sum(parts)


def test_fast_multiplies_as_often_as_torch_says() -> None:
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    from adain.learning.models.pretrained import find_trained, load_model

    if describe(FAST["whole"]).metadata["weights_sha256"] != weights.sha256(find_trained("fast")):
        pytest.skip("the exported files are of other weights than fast.safetensors")
    model = load_model("fast", find_trained("fast"))
    image, alpha = torch.rand(1, 3, 96, 96), torch.ones(1, 1, 1, 1)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(image, image, alpha)
    assert count_macs(FAST["whole"], 96) == counter.get_total_flops() / 2


def test_a_decoder_gets_the_features_its_picture_needs() -> None:
    work = describe(FAST["decoder"], 72).work
    assert not isinstance(work, str), work
    assert work.outputs == {"image": (1, 3, 72, 72)}
    encoded = describe(FAST["encoder"], 72).work
    assert not isinstance(encoded, str), encoded
    assert work.inputs["features"] == encoded.outputs["features"]
    refused = describe(FAST["decoder"], 73).work
    assert isinstance(refused, str) and refused.startswith("size: found 73; allowed: ")


def test_the_command_prints_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(export, ["--describe", str(FAST["whole"]), "--size", "32"]) == 0
    text = capsys.readouterr().out
    for line in (
        "  content  uint8  [N, H, W, 3]",
        "  stylized  uint8  [N, H, W, 3]",
        "  model: fast",
        "  licence: MIT",
        f"MACs: {count_macs(FAST['whole'], 32) / 1e9:.3f} G",
        "content [1, 32, 32, 3], style [1, 32, 32, 3], alpha [1], giving stylized [1, 32, 32, 3]",
    ):
        assert line in text
    graph = onnx.load(FAST["whole"]).graph
    assert f"operators: {len(graph.node)} nodes" in text


def test_what_cannot_run_is_described_all_the_same(tmp_path: Path) -> None:
    node = helper.make_node("Sparkle", ["x"], ["y"], domain="elsewhere")
    x, y = (helper.make_tensor_value_info(name, 1, [1, "n"]) for name in "xy")
    opsets = [helper.make_opsetid("elsewhere", 1), helper.make_opsetid("", 18)]
    model = helper.make_model(
        helper.make_graph([node], "g", [x], [y]), opset_imports=opsets, ir_version=8
    )
    onnx.save(model, tmp_path / "s.onnx")
    found = describe(tmp_path / "s.onnx")
    assert found.operators == {"elsewhere.Sparkle": 1}
    assert isinstance(found.work, str) and "Sparkle" in found.work
    assert "MACs: not known: ONNX Runtime cannot run it (" in str(found)
    assert "Sparkle" in error_of(lambda: count_macs(tmp_path / "s.onnx"))


@pytest.mark.parametrize(
    "content", [b"", b"no ONNX file\n", json.dumps({"a": 1}).encode(), b"\x08\x08", bytes(4096)]
)
def test_a_bad_file_is_one_line_and_status_2(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    assert run(export, ["--describe", str(path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"Error: ...{str(path)[-197:]}" if len(str(path)) > 200 else "Error: ")
    assert "bad.onnx: found a file " in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--describe", "nowhere.onnx"], "nowhere.onnx: found no such file"),
        (["--describe", "."], ".: found a file that cannot be read as ONNX"),
        (["--describe", "nowhere.onnx", "--size", "3"], "Invalid value for '--size'"),
        ([], "--model with --output, or --describe"),
        (["--model", "fast"], "Missing option '--output'"),
    ],
)
def test_mistakes_are_one_line_and_status_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(export, arguments) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1


def test_truncated_files_of_ours_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.onnx"
    path.write_bytes(FAST["encoder"].read_bytes()[:5000])
    assert "cannot be read as ONNX" in error_of(lambda: describe(path))
