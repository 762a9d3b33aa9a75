"""What people see who open a file in a viewer such as Netron: names, and descriptions."""

import ast
import re
from collections import Counter
from collections.abc import Mapping

import onnx
from onnx import GraphProto, ModelProto, NodeProto

from adain import contract

# What the sides of inputs and outputs are called, where they are not those of the features.
_SIDES = {
    contract.IMAGE: ("height", "width"),
    contract.STRENGTH: ("height", "width"),
    contract.STYLIZED: ("height", "width"),
    "relu3_1": ("2h", "2w"),
    "relu2_1": ("4h", "4w"),
}
# The modules that the exported networks are wrapped in, which say nothing.
_WRAPPERS = re.compile(r"^(network|decoder)(\.|$)")

_PICTURES = "uint8 0 to 255, RGB, upright sRGB without alpha channel"
_PLANES = "float32 0 to 1, RGB; sides are multiples of the stride in the metadata, 16 and more"
_STRENGTH = "0 is the content, 1 the full style; NaN counts as 0, others are clipped"
_DOCS = {
    contract.WHOLE: {
        contract.WHOLE_CONTENT: f"Photos of any size, {_PICTURES}.",
        contract.WHOLE_STYLE: f"One style for all, or one for each photo, {_PICTURES}.",
        contract.WHOLE_ALPHA: f"The strength, one for all or one for each photo: {_STRENGTH}.",
        contract.WHOLE_STYLIZED: f"The photos in the style, exactly as large, {_PICTURES}.",
    },
    contract.ONE_STYLE: {
        contract.WHOLE_CONTENT: f"Photos of any size, {_PICTURES}.",
        contract.WHOLE_ALPHA: f"The strength, one for all photos: {_STRENGTH}.",
        contract.WHOLE_STYLIZED: f"The photos in the style, exactly as large, {_PICTURES}.",
    },
    contract.ENCODER: {
        contract.IMAGE: f"The content, {_PLANES}.",
        contract.FEATURES: "For the decoder.",
        contract.STATISTICS: "Means, then standard deviations, of each channel: for the decoder;"
        " and the style, where no other file gives one.",
    },
    contract.STYLE_NETWORK: {
        contract.IMAGE: f"The style picture, {_PLANES}.",
        contract.STYLE: "For the decoder. Weighted sums of styles are their mixtures.",
    },
    contract.DECODER: {
        contract.IMAGE: f"The content that the encoder took, {_PLANES}.",
        contract.STRENGTH: f"One number, or one for each pixel: {_STRENGTH}.",
        contract.FEATURES: "As the encoder gave them.",
        contract.STATISTICS: "As the encoder gave them, of this content and no other.",
        contract.STYLE: "Of a style picture, or one for each of the features.",
        contract.ALPHA: f"The same strength, one number or one for each of the features: "
        f"{_STRENGTH}.",
        contract.STYLIZED: "The content in the style, float32 0 to 1, RGB.",
    },
}
_PARTS = {
    contract.WHOLE: "Style transfer in one file: a photo, a style picture and a strength in, the"
    " photo in the style out.",
    contract.ONE_STYLE: "One style: a photo and a strength in, the photo in the style out.",
    contract.ENCODER: "Encodes a content, once for each.",
    contract.STYLE_NETWORK: "Encodes a style picture, once for each.",
    contract.DECODER: "Makes the picture of an encoded content, a style and a strength.",
}
_SKIP = "Further features, as the encoder gave them: for the decoder."


def describe_in_place(model: ModelProto, part: str) -> None:
    """Give a model of a part, its inputs and its outputs their doc strings."""
    model.graph.doc_string = model.doc_string = _PARTS[part]
    for value in (*model.graph.input, *model.graph.output):
        value.doc_string = _DOCS[part].get(value.name, _SKIP)


def readable_graph(graph: GraphProto) -> GraphProto:
    """The graph that the exporter wrote, without its notes, and with names that tell something."""
    _name(graph)
    for node in graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    for tensor in graph.initializer:
        tensor.ClearField("metadata_props")
        tensor.ClearField("doc_string")
    # Intermediate shapes were noted for the traced case; runtimes infer them for the real one.
    graph.ClearField("value_info")
    graph.ClearField("metadata_props")
    decodes = contract.FEATURES in {value.name for value in graph.input}
    maps = {contract.STYLE, contract.ALPHA, contract.STRENGTH} if decodes else set()
    for value in (*graph.input, *graph.output):
        value.ClearField("metadata_props")
        shape = value.type.tensor_type.shape.dim
        size = _SIDES.get(value.name, ("h", "w"))
        for axis, name in zip((0, 2, 3), ("N", *size), strict=True):
            if shape[axis].dim_param:
                # Names of their own: of sides that are named alike, a runtime takes one for the
                # other, and a style may be a map where the strength is not.
                own = f"{value.name}_{name}"
                shape[axis].dim_param = own if value.name in maps else name
    return graph


def _name(graph: GraphProto) -> None:
    """Name the nodes and values of an exported graph after the modules that they come from.

    ``blocks3.0.a/Conv`` is the convolution of that module, and what it gives; ``.../Pad/pads`` the
    constant that a Pad is told. Inputs and outputs keep their names.
    """
    kept = {value.name for value in (*graph.input, *graph.output)}
    names = {tensor.name: _WRAPPERS.sub("", tensor.name) for tensor in graph.initializer}
    counts: Counter[str] = Counter()
    constants = {t.name for t in graph.initializer if re.match(r"(val|scalar)_", t.name)}
    for node in graph.node:
        node.name = _unique("/".join(filter(None, (_module(node), node.op_type))), counts)
        for position, value in enumerate(node.input):
            if value in constants:
                constants.remove(value)
                names[value] = f"{node.name}/{_role(node, position)}"
        for position, value in enumerate(node.output):
            if value not in kept:
                several = len(node.output) > 1
                names[value] = f"{node.name}/{position}" if several else node.name
    for node in graph.node:
        for field in (node.input, node.output):
            field[:] = [names.get(value, value) for value in field]
    for tensor in graph.initializer:
        tensor.name = names.get(tensor.name, tensor.name)


def _module(node: NodeProto) -> str:
    notes: Mapping[str, str] = {entry.key: entry.value for entry in node.metadata_props}
    scopes = ast.literal_eval(notes.get("pkg.torch.onnx.name_scopes", "[]"))
    # The last is the operation's own.
    return _WRAPPERS.sub("", scopes[-2]) if len(scopes) > 1 else ""


def _unique(name: str, counts: Counter[str]) -> str:
    counts[name] += 1
    return name if counts[name] == 1 else f"{name}_{counts[name]}"


def _role(node: NodeProto, position: int) -> str:
    """What an operator's definition calls one of its inputs."""
    inputs = onnx.defs.get_schema(node.op_type).inputs
    # The last of the definition may stand for any number of them.
    return str(inputs[min(position, len(inputs) - 1)].name)
