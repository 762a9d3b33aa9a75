"""How many multiply-accumulates an ONNX model takes, from the shapes of a real run.

Every tensor that a convolution or matrix product reads or writes gets a ``Shape`` node, and the
model runs once in ONNX Runtime with those shapes as its only outputs: no size is guessed, and no
feature map has to be kept.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import onnx
import onnxruntime
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper

from adain.errors import found_error

Shape: TypeAlias = tuple[int, ...]
# What an axis is: a size, or the name of one that the caller chooses.
Axes: TypeAlias = tuple[int | str, ...]

# Where the weights stand among the inputs of each kind of convolution.
CONVOLUTIONS = {"Conv": 1, "FusedConv": 1, "ConvInteger": 1, "QLinearConv": 3}
TRANSPOSED = {"ConvTranspose": 1}
# The same for matrix products; the first input's columns are what is summed over.
PRODUCTS = {
    **dict.fromkeys(("Gemm", "MatMul", "MatMulInteger", "FusedGemm", "FusedMatMul"), 1),
    **dict.fromkeys(("DynamicQuantizeMatMul", "MatMulIntegerToFloat"), 1),
    **dict.fromkeys(("QGemm", "QLinearMatMul"), 3),
}
DOMAINS = ("", "ai.onnx", "com.microsoft")
WEIGHTS = CONVOLUTIONS | TRANSPOSED | PRODUCTS
# They multiply too, but not in a way that one formula over shapes would count.
UNCOUNTED = {
    *("Attention", "DeformConv", "Einsum", "GRU", "GroupQueryAttention", "LSTM", "MatMulBnb4"),
    *("MatMulNBits", "MultiHeadAttention", "QAttention", "QLinearConvTranspose", "RNN"),
}
# Pictures have as many channels.
PICTURE = (1, 3, 4)
PROBES = (16, 32)


@dataclass(frozen=True)
class Work:
    """``macs`` by operator for ``inputs`` of these shapes, which give ``outputs`` of those.

    ``left_out`` counts the nodes that multiply as well and are not in ``macs``.
    """

    inputs: Mapping[str, Shape]
    outputs: Mapping[str, Shape]
    macs: Mapping[str, int]
    left_out: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.macs.values())


def axes_of(value: ValueInfoProto) -> Axes | None:
    """The axes of a tensor, None where it is none or its rank is open."""
    if not value.type.HasField("tensor_type") or not value.type.tensor_type.HasField("shape"):
        return None
    dims = value.type.tensor_type.shape.dim
    # Sizes of 0 and -1 are how some exporters write an open one.
    return tuple(
        dim.dim_value if dim.dim_value > 0 else dim.dim_param or f"{value.name}.{axis}"
        for axis, dim in enumerate(dims)
    )


def graph_inputs(graph: GraphProto) -> list[ValueInfoProto]:
    """The inputs a caller has to give: old files list their weights among them."""
    stored = {tensor.name for tensor in graph.initializer}
    return [value for value in graph.input if value.name not in stored]


def count_work(model: ModelProto, size: int) -> Work:
    """The work for pictures of ``size`` x ``size`` pixels, where the model leaves a size open.

    A batch is 1, and so is what may be 1, like the maps of style and strength. Where features go
    in and a picture comes out, the features are as large as that picture needs. Raises AdaINError
    where a size cannot be had, and whatever ONNX Runtime raises where it cannot run the model.
    """
    counter = _Counter(model)
    inputs = counter.inputs
    pictures = [name for name, axes in inputs.items() if _picture_sides(axes)]
    features = [a for axes in inputs.values() if len(axes) == 4 for a in _open(axes[2:])]
    drawn = next((n for n, axes in counter.outputs.items() if _picture_sides(axes)), None)
    if pictures or not features or drawn is None:
        return counter.count(_shapes(inputs, size))

    first, second = (
        int(_picture_sides(counter.run(_shapes(inputs, side))[drawn])[0]) for side in PROBES
    )
    # Each row of features gives as many rows of the picture; a margin may be cut off.
    scale = max(1, (second - first) // (PROBES[1] - PROBES[0]))
    side, rest = divmod(size - first, scale)
    if rest or PROBES[0] + side < 1:
        allowed = f"{first} and whole steps of {scale} from it"
        raise found_error("size", str(size), allowed)
    return counter.count(_shapes(inputs, PROBES[0] + side))


def _picture_sides(axes: Sequence[int | str]) -> Sequence[int | str]:
    """Height and width of a picture's axes, nothing where they are not a picture's."""
    if len(axes) != 4:
        return ()
    for channels, sides in ((axes[3], axes[1:3]), (axes[1], axes[2:])):
        if channels in PICTURE and not any(_may_be_one(side) or side == 1 for side in sides):
            return sides
    return ()


def _may_be_one(axis: int | str) -> bool:
    return isinstance(axis, str) and axis.endswith(" or 1")


def _open(axes: Sequence[int | str]) -> list[str]:
    return [axis for axis in axes if isinstance(axis, str) and not _may_be_one(axis)]


def _shapes(inputs: Mapping[str, Axes], size: int) -> dict[str, Shape]:
    """Sizes for open axes: 1 for the first and what may be 1, ``size`` for all others."""
    chosen: dict[str, int] = {}

    def resolve(position: int, axis: int | str) -> int:
        if isinstance(axis, int):
            return axis
        return chosen.setdefault(axis, 1 if position == 0 or _may_be_one(axis) else size)

    return {
        name: tuple(resolve(position, axis) for position, axis in enumerate(axes))
        for name, axes in inputs.items()
    }


class _Counter:
    """A session that tells the shapes of the tensors that count, and the sum over them."""

    def __init__(self, model: ModelProto) -> None:
        graph = model.graph
        self.inputs: dict[str, Axes] = {}
        self._dtypes = {}
        for value in graph_inputs(graph):
            axes = axes_of(value)
            if axes is None:
                raise found_error(
                    f"input {value.name}", "no tensor of a stated rank", "a tensor of known rank"
                )
            self.inputs[value.name] = axes
            self._dtypes[value.name] = helper.tensor_dtype_to_np_dtype(
                value.type.tensor_type.elem_type
            )
        self.outputs = {value.name: axes_of(value) or () for value in graph.output}
        known = [node for node in graph.node if node.domain in DOMAINS]
        self._nodes = [node for node in known if node.op_type in WEIGHTS]
        self._left_out = Counter(node.op_type for node in known if node.op_type in UNCOUNTED)
        for node in nodes_within(graph):
            if node.op_type in WEIGHTS or node.op_type in UNCOUNTED:
                self._left_out[f"{node.op_type} in a branch or loop"] += 1
        made = {name: node.op_type for node in graph.node for name in node.output}
        self._quantised = {
            id(node) for node in self._nodes if made.get(_weight(node)) == "DequantizeLinear"
        }
        self._session = self._open(model)

    def _open(self, model: ModelProto) -> onnxruntime.InferenceSession:
        tensors = [value.name for value in model.graph.output]
        for node in self._nodes:
            tensors += [node.input[0], _weight(node), node.output[0]]
        self._names = list(dict.fromkeys(tensors))
        probe = onnx.ModelProto()
        probe.CopyFrom(model)
        del probe.graph.output[:]
        for number, name in enumerate(self._names):
            shape = f"shape of {number}"
            probe.graph.node.append(helper.make_node("Shape", [name], [shape]))
            probe.graph.output.append(helper.make_tensor_value_info(shape, TensorProto.INT64, None))
        if not any(opset.domain in ("", "ai.onnx") for opset in probe.opset_import):
            probe.opset_import.append(helper.make_opsetid("", 18))
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        return onnxruntime.InferenceSession(
            probe.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def run(self, inputs: Mapping[str, Shape]) -> dict[str, Shape]:
        """The shape of every tensor that counts, and of the outputs, for inputs of these."""
        feeds = {name: np.ones(shape, self._dtypes[name]) for name, shape in inputs.items()}
        shapes = self._session.run(None, feeds)
        return {
            name: tuple(map(int, shape)) for name, shape in zip(self._names, shapes, strict=True)
        }

    def count(self, inputs: Mapping[str, Shape]) -> Work:
        shapes = self.run(inputs)
        macs: Counter[str] = Counter()
        for node in self._nodes:
            operator = f"{node.op_type}, quantised" if id(node) in self._quantised else node.op_type
            macs[operator] += _node_macs(node, lambda name: shapes[name])
        outputs = {name: shapes[name] for name in self.outputs}
        return Work(dict(inputs), outputs, dict(macs.most_common()), dict(self._left_out))


def nodes_within(graph: GraphProto) -> list[NodeProto]:
    """The nodes of branches and loops, which may run never or many times."""
    nodes: list[NodeProto] = []
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                nodes += [*inner.node, *nodes_within(inner)]
    return nodes


def _weight(node: NodeProto) -> str:
    return str(node.input[WEIGHTS[node.op_type]])


def _node_macs(node: NodeProto, shape_of: Callable[[str], Shape]) -> int:
    """A convolution's borders count in full: what is padded is multiplied like all else."""
    first, weight = shape_of(node.input[0]), shape_of(_weight(node))
    result = shape_of(node.output[0])
    if node.op_type in CONVOLUTIONS:
        return math.prod(result) * math.prod(weight[1:])
    if node.op_type in TRANSPOSED:
        return math.prod(first) * math.prod(weight[1:])
    turned = any(a.name == "transA" and a.i for a in node.attribute)
    return math.prod(result) * (first[-2] if turned else first[-1])
