"""What ``python -m export --describe`` finds in our own files."""

import json
from pathlib import Path

import onnx
import pytest
from helpers import error_of

pytest.importorskip("torch", reason="the learning side needs PyTorch")

from adain import weights
from adain.cli.export import export
from adain.cli.run import run
from adain.learning.onnx.describe import describe

FAST = {
    part: weights.find(weights.onnx_file("fast", part), get="")
    for part in ("encoder", "decoder", "style", "whole")
}


def test_a_file_is_described() -> None:
    found = describe(FAST["encoder"], 64)
    assert found.inputs == {"image": ("float32", ("N", 3, "height", "width"))}
    assert list(found.outputs) == ["features", "statistics"]
    assert found.metadata["model"] == "fast" and found.metadata["part"] == "encoder"
    graph = onnx.load(FAST["encoder"]).graph
    assert sum(found.operators.values()) == len(graph.node)
    assert found.operators["Conv"] == sum(node.op_type == "Conv" for node in graph.node)
    assert sum(found.parameters.values()) == sum(
        onnx.numpy_helper.to_array(tensor).size for tensor in graph.initializer
    )
    assert found.sizes == {"image": (1, 3, 64, 64)}


def test_macs_are_those_counted_by_hand() -> None:
    """Convolutions of ``fast``'s style network in all its sizes, and those of its statistics."""
    graph = onnx.load(FAST["style"]).graph
    shapes = {tensor.name: tensor.dims for tensor in graph.initializer}
    casts = [node for node in graph.node if node.op_type == "Cast"]
    shapes |= {n.output[0]: shapes[n.input[0]] for n in casts if n.input[0] in shapes}
    margins = {t.name: onnx.numpy_helper.to_array(t) for t in graph.initializer if t.dims == [8]}
    sides, macs = {"image": 64}, 0
    for node in graph.node:
        side = sides.get(node.input[0], 1)
        sizes = {a.name: a.ints[0] for a in node.attribute if a.name in ("kernel_shape", "strides")}
        if node.op_type == "Pad":
            before, after = margins[node.input[1]][[3, 7]]
            side += before + after
        if node.op_type in ("Conv", "MaxPool"):
            side = (side - sizes["kernel_shape"]) // sizes["strides"] + 1
        if node.op_type == "Conv":
            out, inner, *kernel = shapes[node.input[1]]
            macs += out * inner * kernel[0] * kernel[1] * side * side
        if node.op_type in ("Conv", "MaxPool", "Relu", "Add", "Sub", "Mul", "Pad"):
            sides[node.output[0]] = side
    assert describe(FAST["style"], 64).macs == macs


def test_fast_is_its_parts() -> None:
    parts = [describe(FAST[part], 64).macs for part in ("encoder", "decoder", "style")]
    assert all(parts)
    assert describe(FAST["whole"], 64).macs == sum(parts)


@pytest.mark.parametrize("part", ["encoder", "decoder", "style", "whole"])
def test_precision_does_not_change_the_work(part: str) -> None:
    half = weights.find(weights.onnx_file("fast", part, "fp16"), get="")
    assert describe(half, 64).macs == describe(FAST[part], 64).macs


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
    assert describe(FAST["whole"], 96).macs == counter.get_total_flops() / 2


def test_a_decoder_gets_the_features_its_picture_needs() -> None:
    session = pytest.importorskip("onnxruntime").InferenceSession(FAST["encoder"])
    image = session.get_inputs()[0]
    assert image.name == "image"
    (features, _) = session.run(None, {"image": _zeros(1, 3, 72, 72)})
    assert describe(FAST["decoder"], 72).sizes["features"] == features.shape
    message = error_of(lambda: describe(FAST["decoder"], 73))
    assert message == "size: found 73; allowed: a multiple of 8"


def _zeros(*shape: int) -> object:
    return pytest.importorskip("numpy").zeros(shape, "float32")


def test_vgg19s_decoder_gets_its_skips(vgg19_files: Path) -> None:
    found = describe(vgg19_files / weights.onnx_file("vgg19", "decoder"), 64)
    assert found.sizes["relu3_1"] == (1, 256, 16, 16)
    assert found.sizes["relu2_1"] == (1, 128, 32, 32)
    parts = [
        describe(vgg19_files / weights.onnx_file("vgg19", part), 64).macs
        for part in ("encoder", "decoder", "whole")
    ]
    # The style goes through the encoder, too.
    assert 2 * parts[0] + parts[1] == parts[2]


def test_the_command_prints_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(export, ["--describe", str(FAST["whole"]), "--size", "32"]) == 0
    text = capsys.readouterr().out
    for line in (
        "  content  uint8  [N, H, W, 3]",
        "  stylized  uint8  [N, H, W, 3]",
        "  model: fast",
        "  licence: MIT",
        f"MACs: {describe(FAST['whole'], 32).macs / 1e9:.3f} G",
        "  at content [1, 32, 32, 3], style [1, 32, 32, 3], alpha [1]",
    ):
        assert line in text
    graph = onnx.load(FAST["whole"]).graph
    assert f"operators: {len(graph.node)} nodes" in text


def test_somebody_elses_file_is_refused(tmp_path: Path) -> None:
    model = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 18]> g (float[1] x) => (float[1] y) { y = Neg (x) }'
    )
    onnx.save(model, tmp_path / "theirs.onnx")
    message = error_of(lambda: describe(tmp_path / "theirs.onnx"))
    assert "found a file without a stride in its metadata; allowed: a file of ours" in message


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
        ([], "--model with --output, --hub or --triton, or --describe"),
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
