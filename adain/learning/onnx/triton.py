"""A model repository for NVIDIA Triton Inference Server: a model's ONNX files, and their configs.

Each file is a model of its own, called like the file, for Triton's ONNX Runtime backend. Configs
are text in the schema of Triton's ``model_config.proto``.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, ValueInfoProto

from adain import weights
from adain.files import make_folder, write_atomically
from adain.learning.onnx.describe import input_sizes
from adain.registry import EXPORTED

# ONNX's types in Triton's words.
_TYPES: dict[int, str] = {
    TensorProto.UINT8: "TYPE_UINT8",
    TensorProto.FLOAT: "TYPE_FP32",
    TensorProto.FLOAT16: "TYPE_FP16",
}
# Of files whose tensors all have the same first axis: pictures of one size that wait together.
_MOST_IN_BATCH = 8
# The sides of the pictures that a model is warmed up with.
_WARM = 512


def write_repository(model: str, folder: Path) -> list[Path]:
    """Write a model's files, in all precisions that are here, as models of Triton; their folders.

    Raises AdaINError where files are missing or the folder cannot be written.
    """
    weights.find_model(model)  # which says what brings it
    names = weights.onnx_files(weights.about(model), *EXPORTED)
    written = []
    for file in filter(None, map(weights.look_for, names)):
        place = folder / file.stem
        make_folder(place / "1")
        write_atomically(place / "1" / "model.onnx", file.read_bytes())
        write_atomically(place / "config.pbtxt", config(file).encode())
        written.append(place)
    return written


def config(file: Path) -> str:
    """The config of a file of ours, ``config.pbtxt``."""
    model = onnx.load(file)
    graph, about = model.graph, {entry.key: entry.value for entry in model.metadata_props}
    # Triton puts requests together along the first axis, and so wants it in all or none.
    batched = len({_axes(tensor)[0] for tensor in (*graph.input, *graph.output)}) == 1
    warm = input_sizes(graph, about, _WARM, _WARM)
    told: dict[str, Any] = {
        "name": file.stem,
        "backend": "onnxruntime",
        "max_batch_size": _MOST_IN_BATCH if batched else 0,
        "input": [_tensor(tensor, batched) for tensor in graph.input],
        "output": [_tensor(tensor, batched) for tensor in graph.output],
        # On each GPU, or on the CPU where there is none.
        "instance_group": [{"count": 1, "kind": _Word("KIND_AUTO")}],
        # HEURISTIC: else every new picture size costs a search of algorithms.
        "parameters": [
            {"key": "cudnn_conv_algo_search", "value": {"string_value": "1"}},
        ],
        "model_warmup": [
            {
                "name": f"{_WARM}x{_WARM}",
                "batch_size": 1,
                "inputs": [
                    {
                        "key": tensor.name,
                        "value": {
                            "data_type": _type(tensor),
                            "dims": list(warm[tensor.name][batched:]),
                            "zero_data": True,
                        },
                    }
                    for tensor in graph.input
                ],
            }
        ],
    }
    if batched:
        told["dynamic_batching"] = {}
    return "\n".join(_lines(told)) + "\n"


class _Word(str):
    """A name of the schema, which has no quotes."""


def _tensor(tensor: ValueInfoProto, batched: bool) -> dict[str, Any]:
    dims = [size if isinstance(size, int) else -1 for size in _axes(tensor)[batched:]]
    return {"name": tensor.name, "data_type": _type(tensor), "dims": dims}


def _type(tensor: ValueInfoProto) -> _Word:
    return _Word(_TYPES[tensor.type.tensor_type.elem_type])


def _axes(tensor: ValueInfoProto) -> list[int | str]:
    return [dim.dim_param or dim.dim_value for dim in tensor.type.tensor_type.shape.dim]


def _lines(message: dict[str, Any], indent: str = "") -> Iterator[str]:
    """A message in protobuf's text format; lists of messages and of numbers are repeated fields."""
    for name, value in message.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                yield f"{indent}{name} {{"
                yield from _lines(each, f"{indent}  ")
                yield f"{indent}}}"
            elif isinstance(each, bool):
                yield f"{indent}{name}: {str(each).lower()}"
            elif isinstance(each, str) and not isinstance(each, _Word):
                yield f'{indent}{name}: "{each}"'
            else:
                yield f"{indent}{name}: {each}"
