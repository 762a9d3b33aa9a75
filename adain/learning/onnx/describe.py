"""Summary of a model file of ours, MACs included: ``python -m export --describe FILE``.

Sizes come from the tools of ONNX: the inputs' are set, ONNX Runtime folds what follows from them
into constants, and ONNX's shape inference knows all others.
"""

import math
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import onnx
import onnxruntime
from onnx import GraphProto, ModelProto, TensorProto, ValueInfoProto
from onnxruntime.tools.onnx_model_utils import make_input_shape_fixed

from adain.contract import WHOLE, Key
from adain.errors import failing, found_error
from adain.learning.models.weight_files import load_onnx

SIZE = 512

Shape = tuple[int | str, ...]


@dataclass(frozen=True)
class Description:
    """What ``describe`` finds.

    ``inputs`` and ``outputs`` are dtypes and axes by name, an axis being a size or the name of an
    open one; ``parameters`` how many numbers of each dtype are stored. ``macs`` are the
    multiply-accumulates of the convolutions for inputs of the sizes in ``sizes``.
    """

    path: Path
    producer: str
    opset: int
    inputs: Mapping[str, tuple[str, Shape]]
    outputs: Mapping[str, tuple[str, Shape]]
    metadata: Mapping[str, str]
    operators: Mapping[str, int]
    parameters: Mapping[str, int]
    sizes: Mapping[str, tuple[int, ...]]
    macs: int

    def __str__(self) -> str:
        size = f"{self.path.stat().st_size / 1e6:.2f} MB"
        width = max(map(len, self.operators))
        sizes = ", ".join(f"{name} {list(shape)}" for name, shape in self.sizes.items())
        lines = [
            f"{self.path}: {size}, opset {self.opset}, made by {self.producer}",
            *_section("inputs", _values(self.inputs)),
            *_section("outputs", _values(self.outputs)),
            *_section("metadata", [f"{name}: {text}" for name, text in self.metadata.items()]),
            *_section(
                f"operators: {sum(self.operators.values())} nodes",
                [f"{name:{width}}  {count}" for name, count in self.operators.items()],
            ),
            *_section(
                f"parameters: {sum(self.parameters.values()):,} numbers",
                [f"{dtype}: {count:,}" for dtype, count in self.parameters.items()],
            ),
            f"MACs: {self.macs / 1e9:.3f} G ({self.macs:,}), of convolutions",
            f"  at {sizes}",
        ]
        return "\n".join(lines)


def describe(path: Path, size: int = SIZE) -> Description:
    """Read a model file and count its work for square pictures of ``size`` pixels.

    Raises AdaINError where it is missing or no model file of ours, and for a size that a part does
    not take.
    """
    model = load_onnx(path)
    with failing(str(path), "a damaged file", "a model file of ours"):
        return _described(path, model, size)


def _described(path: Path, model: ModelProto, size: int) -> Description:
    graph = model.graph
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    if Key.STRIDE not in metadata:
        raise found_error(str(path), "a file without a stride in its metadata", "a file of ours")
    if Key.SIZE in metadata:
        size = int(metadata[Key.STRIDE])  # any that it takes: its own are fixed
    operators = Counter(node.op_type for node in graph.node)
    parameters: Counter[str] = Counter()
    for tensor in graph.initializer:
        parameters[_dtype(tensor.data_type)] += math.prod(tensor.dims)
    sizes = input_sizes(graph, metadata, size, size)
    return Description(
        path,
        f"{model.producer_name} {model.producer_version}".strip(),
        model.opset_import[0].version,
        {value.name: _value(value) for value in graph.input},
        {value.name: _value(value) for value in graph.output},
        metadata,
        dict(operators.most_common()),
        dict(parameters.most_common()),
        sizes,
        _count_macs(model, sizes),
    )


def input_sizes(
    graph: GraphProto, metadata: Mapping[str, str], height: int, width: int
) -> dict[str, tuple[int, ...]]:
    """The inputs' shapes for pictures of a size: one of each, one style and strength in all of it.

    Raises AdaINError for a size that a part does not take.
    """
    stride, feature_stride = int(metadata[Key.STRIDE]), int(metadata[Key.FEATURE_STRIDE])
    sides = {"height": height, "width": width, "H": height, "Hs": height}
    for axis, side in (("h", height), ("w", width)):
        if metadata[Key.PART] != WHOLE and side % stride:
            raise found_error("size", str(side), f"a multiple of {stride}")
        sides[axis] = side // feature_stride + 2 * int(metadata[Key.MARGIN])
        sides |= {f"{times}{axis}": times * (side // feature_stride) for times in (2, 4)}

    def resolved(position: int, axis: int | str) -> int:
        if isinstance(axis, int):
            return axis
        # Axes with a name before them, "style_h", are those of maps.
        return 1 if position == 0 or "_" in axis else sides.get(axis, width)

    return {
        value.name: tuple(resolved(*entry) for entry in enumerate(_value(value)[1]))
        for value in graph.input
    }


def _count_macs(model: ModelProto, sizes: Mapping[str, tuple[int, ...]]) -> int:
    """A convolution's borders count in full: what is padded is multiplied like all else."""
    fixed = ModelProto()
    fixed.CopyFrom(model)
    for name, shape in sizes.items():
        make_input_shape_fixed(fixed.graph, name, shape)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    with tempfile.TemporaryDirectory() as folder:
        options.optimized_model_filepath = str(Path(folder) / "folded.onnx")
        onnxruntime.InferenceSession(
            fixed.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        folded = onnx.load(options.optimized_model_filepath)
    graph = onnx.shape_inference.infer_shapes(folded, data_prop=True).graph
    shapes: dict[str, tuple[int, ...]] = {t.name: tuple(t.dims) for t in graph.initializer}
    for value in (*graph.value_info, *graph.output):
        shapes[value.name] = tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
    return sum(
        math.prod(shapes[node.output[0]]) * math.prod(shapes[node.input[1]][1:])
        for node in graph.node
        if node.op_type == "Conv"
    )


def _value(value: ValueInfoProto) -> tuple[str, Shape]:
    tensor = value.type.tensor_type
    axes = tuple(dim.dim_param or dim.dim_value for dim in tensor.shape.dim)
    return _dtype(tensor.elem_type), axes


def _dtype(number: int) -> str:
    name: str = TensorProto.DataType.Name(number).lower()
    return {"float": "float32"}.get(name, name)


def _values(values: Mapping[str, tuple[str, Shape]]) -> list[str]:
    return [
        f"{name}  {dtype}  [{', '.join(map(str, axes))}]" for name, (dtype, axes) in values.items()
    ]


def _section(title: str, lines: Iterable[str]) -> list[str]:
    return [title, *(f"  {line}" for line in lines)]
