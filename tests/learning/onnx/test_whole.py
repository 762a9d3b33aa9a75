"""The file for other programs: what tools and runtimes ask of it, beyond its pictures."""

import re
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import onnxruntime
import pytest

onnx = pytest.importorskip("onnx", reason="the learning side needs onnx")

from onnx import ModelProto, TensorProto

from adain import Stylizer, weights
from adain.padding import reflected

PARTS = ("encoder", "decoder", "style", "whole")


def load(part: str, precision: str = "fp32") -> ModelProto:
    return onnx.load(weights.find(weights.onnx_file("fast", part, precision), get=""))


@pytest.fixture(scope="module")
def whole() -> ModelProto:
    return load("whole")


def session(model: ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def pictures(count: int, height: int, width: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), np.uint8)


def test_bytes_are_at_the_very_ends_alone(whole: ModelProto) -> None:
    """TensorRT takes uint8 from a Cast of an input, and to one that gives an output."""
    for name in ("content", "style"):
        readers = [node for node in whole.graph.node if name in node.input]
        assert [node.op_type for node in readers] == ["Cast"]
    (last,) = (node for node in whole.graph.node if "stylized" in node.output)
    assert last.op_type == "Cast"
    to_bytes = [
        node.output[0]
        for node in whole.graph.node
        if node.op_type == "Cast" and node.attribute[0].i == TensorProto.UINT8
    ]
    assert to_bytes == ["stylized"]


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 3), (8, 8), (9, 15), (16, 17), (40, 23)])
def test_every_size_is_padded_as_the_stylizer_does(
    whole: ModelProto, stylizer: Stylizer, size: tuple[int, int]
) -> None:
    content, style = pictures(1, *size, 0), pictures(1, *reversed(size), 1)
    feeds = {"content": content, "style": style, "alpha": np.array([0.8], np.float32)}
    opened = session(whole)
    first, second = (opened.run(None, feeds)[0] for _ in range(2))
    assert np.array_equal(first, second)
    ours = stylizer.stylize(content[0], style[0], 0.8)
    assert np.abs(ours.astype(int) - first[0]).max() <= 1
    # As a picture that has the padding already.
    rows, columns = (reflected(side, 8) for side in size)
    feeds["content"] = content[:, rows][:, :, columns]
    padded = opened.run(None, feeds)[0][:, : size[0], : size[1]]
    assert np.abs(padded.astype(int) - first).max() <= 1


BATCHES = [(1, 1, 1), (3, 1, 1), (3, 3, 1), (3, 1, 3), (1, 3, 1), (1, 1, 3), (3, 3, 3)]


def feeds_of(contents: int, styles: int, strengths: int) -> dict[str, np.ndarray]:
    return {
        "content": pictures(contents, 41, 50, 0),
        "style": pictures(styles, 33, 29, 1),
        "alpha": np.linspace(0.3, 1, strengths, dtype=np.float32),
    }


@pytest.mark.parametrize("counts", BATCHES)
def test_each_is_there_once_or_for_every_picture(
    whole: ModelProto, counts: tuple[int, int, int]
) -> None:
    opened, feeds = session(whole), feeds_of(*counts)
    (batch,) = opened.run(None, feeds)
    assert batch.shape == (max(counts), 41, 50, 3)
    for i, picture in enumerate(batch):
        one = {name: value[min(i, len(value) - 1)][None] for name, value in feeds.items()}
        assert np.abs(opened.run(None, one)[0][0].astype(int) - picture).max() <= 1


@pytest.mark.parametrize("counts", [(2, 3, 1), (3, 2, 1), (2, 1, 3)])
def test_other_numbers_are_refused(whole: ModelProto, counts: tuple[int, int, int]) -> None:
    with pytest.raises(Exception, match="out of data bounds"):
        session(whole).run(None, feeds_of(*counts))


def test_batches_survive_tools_that_infer_shapes(
    whole: ModelProto, capfd: pytest.CaptureFixture[str]
) -> None:
    """They take axes that meet in an operator for one; M and A must not become N."""
    pytest.importorskip("sympy", reason="ONNX Runtime's tool needs it")
    from onnxruntime.tools.symbolic_shape_infer import SymbolicShapeInference

    inferred = SymbolicShapeInference.infer_shapes(whole, auto_merge=True)
    assert list(inferred.graph.input) == list(whole.graph.input)
    plain, tooled = session(whole), session(inferred)
    for counts in BATCHES:
        feeds = feeds_of(*counts)
        expected, found = plain.run(None, feeds)[0], tooled.run(None, feeds)[0]
        assert np.abs(expected.astype(int) - found).max() <= 1
    # ONNX Runtime warns where a shape was inferred that is not so.
    assert "mismatch" not in capfd.readouterr().err


def names_of(model: ModelProto) -> Iterator[str]:
    for node in model.graph.node:
        yield node.name
        yield from node.output
    yield from (tensor.name for tensor in model.graph.initializer)
    for value in (*model.graph.input, *model.graph.output):
        yield from (dim.dim_param for dim in value.type.tensor_type.shape.dim if dim.dim_param)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_names_say_something(part: str, precision: str) -> None:
    model = load(part, precision)
    for name in names_of(model):
        assert re.fullmatch(r"[\w./]+", name) and not re.search(r"(val|scalar\w*)_\d", name), name
    nodes = sorted(node.name for node in model.graph.node)
    assert all(a != b for a, b in pairwise(nodes))
    if part == "encoder":
        assert "layers.2.spatial/Conv" in nodes


@pytest.mark.parametrize("part", PARTS)
def test_everything_is_described(part: str) -> None:
    model = load(part)
    assert model.doc_string and model.graph.doc_string == model.doc_string
    for value in (*model.graph.input, *model.graph.output):
        assert value.doc_string.endswith("."), value.name
    strengths = [v for v in model.graph.input if v.name in ("alpha", "strength")]
    assert all("NaN counts as 0" in value.doc_string for value in strengths)


@pytest.mark.parametrize("part", ["encoder", "decoder", "style"])
def test_parts_have_no_shape_arithmetic(part: str) -> None:
    """It would run on the CPU, whatever the device; `strict` refuses it."""
    kinds = {node.op_type for node in load(part).graph.node}
    assert not kinds & {"Shape", "Range", "Expand", "ConstantOfShape", "NonZero", "Size"}
