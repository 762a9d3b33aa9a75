"""Weights of ONNX files in half precision: the same numbers from half the bytes."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the learning side needs onnx")

import onnxruntime
from onnx import ModelProto, TensorProto, helper, numpy_helper

from adain.learning.onnx.storage import stored_in_full, stored_in_half

SIZE = 64


def model(weights: np.ndarray) -> ModelProto:
    """``y = x W``, with weights ``[SIZE, SIZE]``."""
    shape = ["N", SIZE]
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "product",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(weights, "w")],
    )
    opset = [helper.make_opsetid("", 18)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8)


def run(proto: ModelProto, x: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"x": x})[0]


@pytest.fixture
def x() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(3, SIZE)).astype(np.float32)


def test_weights_that_are_float16_take_half_and_compute_the_same(x: np.ndarray) -> None:
    weights = np.random.default_rng(0).normal(size=(SIZE, SIZE)).astype(np.float16)
    plain = model(weights.astype(np.float32))
    packed = stored_in_half(plain)
    onnx.checker.check_model(packed, full_check=True)
    assert packed.ByteSize() < 0.52 * plain.ByteSize()
    assert np.array_equal(run(packed, x), run(plain, x))
    assert stored_in_full(packed) == plain


@pytest.mark.parametrize("value", [1 / 3, 1e6, 1e-9, np.nan])
def test_weights_that_float16_cannot_hold_stay(value: float, x: np.ndarray) -> None:
    weights = np.ones((SIZE, SIZE), np.float32)
    weights[3, 5] = value
    plain = model(weights)
    assert stored_in_half(plain) == plain
    assert stored_in_full(plain) == plain


def test_onnx_runtime_folds_the_casts_as_it_loads(tmp_path) -> None:
    weights = np.random.default_rng(0).normal(size=(SIZE, SIZE)).astype(np.float16)
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    packed = stored_in_half(model(weights.astype(np.float32))).SerializeToString()
    onnxruntime.InferenceSession(packed, options, providers=["CPUExecutionProvider"])
    kinds = [node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node]
    assert "Cast" not in kinds
