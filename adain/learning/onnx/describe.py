"""What is in an ONNX file, ours or anybody's: ``python -m export --describe FILE``."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import onnx
from onnx import GraphProto, ModelProto, TensorProto, ValueInfoProto, helper, inliner

from adain.errors import AdaINError, failing, found_error
from adain.learning.onnx.macs import Axes, Work, axes_of, count_work, graph_inputs, nodes_within
from adain.providers import reason_of

SIZE = 512


@dataclass(frozen=True)
class Tensors:
    """How many numbers of one kind a file holds, and the bytes they take."""

    count: int
    size: int


@dataclass(frozen=True)
class Value:
    """An input or output; ``axes`` is None where no rank is stated."""

    name: str
    dtype: str
    axes: Axes | None

    def __str__(self) -> str:
        axes = "of any shape" if self.axes is None else f"[{', '.join(map(str, self.axes))}]"
        return f"{self.name}  {self.dtype}  {axes}"


@dataclass(frozen=True)
class Description:
    """What ``describe`` finds. ``work`` is a line that says why where it could not be counted."""

    path: Path
    producer: str
    opsets: Mapping[str, int]
    ir_version: int
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    metadata: Mapping[str, str]
    operators: Mapping[str, int]
    parameters: Mapping[str, Tensors]
    work: Work | str

    def __str__(self) -> str:
        opsets = ", ".join(f"{name} {number}" for name, number in self.opsets.items())
        count = sum(tensors.count for tensors in self.parameters.values())
        size = sum(tensors.size for tensors in self.parameters.values())
        lines = [
            f"{self.path}: {_megabytes(self.path.stat().st_size)}, opset {opsets},"
            f" IR version {self.ir_version}, made by {self.producer or 'an unnamed program'}",
            *_section("inputs", self.inputs),
            *_section("outputs", self.outputs),
            *_section("metadata", [f"{name}: {text}" for name, text in self.metadata.items()]),
            *_section(f"operators: {sum(self.operators.values())} nodes", _table(self.operators)),
            *_section(
                f"parameters: {count:,} numbers, {_megabytes(size)}",
                [
                    f"{dtype}: {tensors.count:,}, {_megabytes(tensors.size)}"
                    for dtype, tensors in self.parameters.items()
                ],
            ),
            *_work_lines(self.work),
        ]
        return "\n".join(lines)


def describe(path: Path, size: int = SIZE) -> Description:
    """Read an ONNX file and count its work for pictures of ``size`` x ``size`` pixels.

    Raises AdaINError where the file is missing or is no ONNX file.
    """
    model = load(path)
    graph = model.graph
    every_node = [*graph.node, *nodes_within(graph)]
    operators = Counter(
        f"{node.domain}.{node.op_type}" if node.domain not in ("", "ai.onnx") else node.op_type
        for node in every_node
    )
    return Description(
        path,
        f"{model.producer_name} {model.producer_version}".strip(),
        {opset.domain or "ai.onnx": opset.version for opset in model.opset_import},
        model.ir_version,
        tuple(_value(value) for value in graph_inputs(graph)),
        tuple(_value(value) for value in graph.output),
        {entry.key: entry.value for entry in model.metadata_props},
        dict(operators.most_common()),
        _parameters(graph),
        _work(model, size),
    )


def load(path: Path) -> ModelProto:
    """An ONNX file, its functions written out; AdaINError where it is missing or none."""
    if not path.exists():
        raise found_error(str(path), "no such file", "an ONNX file")
    with failing(str(path), "a file that cannot be read as ONNX", "an ONNX file"):
        model = inliner.inline_local_functions(onnx.load(path, format="protobuf"))
    # Bytes of other kinds, and none at all, may pass for a message that says nothing.
    if not (model.ir_version and model.graph.output):
        raise found_error(str(path), "a file without a graph", "an ONNX file")
    return model


def count_macs(path: Path, size: int = SIZE) -> int:
    """Multiply-accumulates of an ONNX file for pictures of ``size`` x ``size`` pixels.

    Raises AdaINError where the file cannot be read or run at this size.
    """
    work = _work(load(path), size)
    if isinstance(work, str):
        raise found_error(str(path), work, f"a model that runs on pictures of {size} x {size}")
    return work.total


def _work(model: ModelProto, size: int) -> Work | str:
    try:
        return count_work(model, size)
    except AdaINError as error:
        return str(error)
    except Exception as error:
        # Other people's models may need what is not installed, and ONNX Runtime raises anything.
        return f"ONNX Runtime cannot run it ({reason_of(error)})"


def _value(value: ValueInfoProto) -> Value:
    kind = value.type.WhichOneof("value") or "unknown"
    if kind == "tensor_type":
        return Value(value.name, _dtype(value.type.tensor_type.elem_type), axes_of(value))
    return Value(value.name, kind.removesuffix("_type"), None)


def _dtype(number: int) -> str:
    name: str = TensorProto.DataType.Name(number).lower()
    return {"float": "float32", "double": "float64"}.get(name, name)


def _tensors(graph: GraphProto) -> Iterator[TensorProto]:
    """Everything stored: weights, and the constants that some exporters write instead."""
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield sparse.values
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Constant" and attribute.HasField("t"):
                yield attribute.t
            for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                yield from _tensors(inner)


def _parameters(graph: GraphProto) -> dict[str, Tensors]:
    counts: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for tensor in _tensors(graph):
        dtype, count = _dtype(tensor.data_type), math.prod(tensor.dims)
        counts[dtype] += count
        if dtype == "string":
            sizes[dtype] += sum(map(len, tensor.string_data))
        elif dtype.endswith("int4") or dtype.startswith("float4"):
            sizes[dtype] += -(-count // 2)  # two to a byte
        else:
            sizes[dtype] += count * helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    return {dtype: Tensors(count, sizes[dtype]) for dtype, count in counts.most_common()}


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.2f} MB"


def _section(title: str, lines: Iterable[object]) -> list[str]:
    entries = [f"  {line}" for line in lines]
    return [title, *entries] if entries else [f"{title}: none"]


def _table(counts: Mapping[str, int]) -> list[str]:
    width = max(map(len, counts), default=0)
    return [f"{name:{width}}  {count}" for name, count in counts.items()]


def _work_lines(work: Work | str) -> list[str]:
    if isinstance(work, str):
        return [f"MACs: not known: {work}"]
    shapes = ", ".join(f"{name} {list(shape)}" for name, shape in work.inputs.items())
    results = ", ".join(f"{name} {list(shape)}" for name, shape in work.outputs.items())
    lines = [
        f"MACs: {work.total / 1e9:.3f} G ({work.total:,}), of convolutions and matrix products",
        f"  at {shapes or 'no input'}, giving {results}",
        *(f"  {name}: {macs / 1e9:.3f} G" for name, macs in work.macs.items()),
    ]
    if work.left_out:
        counts = ", ".join(f"{count} x {name}" for name, count in work.left_out.items())
        lines.append(f"  not counted: {counts}")
    return lines
