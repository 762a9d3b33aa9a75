"""Half-precision storage of ONNX weights, with the values they had.

Trained weights are float16. A float32 file need not hold them in 32 bits: a Cast, which runtimes
fold into a constant as they load the file, gives the same float32 numbers from half the bytes.
"""

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from adain.contract import IN_HALF

# Below this a node costs more than it saves.
_SMALLEST = 256


def stored_in_half(model: ModelProto) -> ModelProto:
    """The model with each float32 initializer that float16 holds exactly behind a Cast.

    The others, and small ones, stay as they are: the result computes the same to the bit.
    """
    packed = ModelProto()
    packed.CopyFrom(model)
    graph = packed.graph
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < _SMALLEST:
            continue
        values = numpy_helper.to_array(tensor)
        with np.errstate(over="ignore"):
            half = values.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), values):
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(half, name + IN_HALF))
        casts.append(
            helper.make_node(
                "Cast", [tensor.name], [name], name=f"{name}/Cast", to=TensorProto.FLOAT
            )
        )
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend([*casts, *nodes])
    return packed


def stored_in_full(model: ModelProto) -> ModelProto:
    """The model that `stored_in_half` was given: initializers in float32, without the Casts."""
    full = ModelProto()
    full.CopyFrom(model)
    graph = full.graph
    casts = {node.input[0]: node for node in graph.node if _is_storage(node)}
    for tensor in graph.initializer:
        if tensor.name in casts:
            values = numpy_helper.to_array(tensor).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(values, casts[tensor.name].output[0]))
    nodes = [node for node in graph.node if not _is_storage(node)]
    del graph.node[:]
    graph.node.extend(nodes)
    return full


def _is_storage(node: NodeProto) -> bool:
    return node.op_type == "Cast" and node.input[0] == node.output[0] + IN_HALF
