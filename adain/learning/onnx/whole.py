"""Graph composition: a model's parts joined in one ONNX file, for other people's programs.

A few nodes around them turn uint8 pictures of any size into what the parts take, and back.
"""

from collections.abc import Mapping, Sequence

import onnx
from onnx import ModelProto, NodeProto, helper, parser

import adain
from adain import contract
from adain.contract import DECODER, ENCODER, STYLE_NETWORK

# ONNX Runtime's CUDA provider had no kernel for the Pad of opsets 19 to 23 for several releases.
OPSET = 18
# The IR version that came with opset 18's time; older runtimes refuse newer ones.
IR_VERSION = 8

# uint8 NHWC to float NCHW in [0, 1], reflected at the bottom and right up to the stride.
_PREPARE = """
prepare (uint8[N, H, W, 3] picture) => (float[N, 3, height, width] image) {
    size = Shape <start = 1, end = 3> (picture)
    stride = Constant <value = int64[1] {STRIDE}> ()
    rest = Mod (size, stride)
    short = Sub (stride, rest)
    missing = Mod (short, stride)
    none = Constant <value = int64[6] {0, 0, 0, 0, 0, 0}> ()
    pads = Concat <axis = 0> (none, missing)
    float = Cast <to = 1> (picture)
    planar = Transpose <perm = [0, 3, 1, 2]> (float)
    white = Constant <value = float {255.0}> ()
    unit = Div (planar, white)
    image = Pad <mode = "reflect"> (unit, pads)
}
"""
# Back to uint8 NHWC, cut to the content's size. Casting cuts off what is behind the point; Round is
# missing in some runtimes of browsers.
_FINISH = """
finish (float[N, 3, height, width] image, uint8[N, H, W, 3] content)
    => (uint8[N, H, W, 3] stylized) {
    size = Shape <start = 1, end = 3> (content)
    start = Constant <value = int64[2] {0, 0}> ()
    axes = Constant <value = int64[2] {2, 3}> ()
    cut = Slice (image, start, size, axes)
    white = Constant <value = float {255.0}> ()
    scaled = Mul (cut, white)
    half = Constant <value = float {0.5}> ()
    above = Add (scaled, half)
    byte = Cast <to = 2> (above)
    stylized = Transpose <perm = [0, 2, 3, 1]> (byte)
}
"""
_SPREAD = """
spread (float[A] alpha) => (float[A, 1, 1, 1] strength) {
    shape = Constant <value = int64[4] {-1, 1, 1, 1}> ()
    strength = Reshape (alpha, shape)
}
"""
_WHOLE = f"""
adain (uint8[N, H, W, 3] {contract.WHOLE_CONTENT}, uint8[M, Hs, Ws, 3] {contract.WHOLE_STYLE},
    float[A] {contract.WHOLE_ALPHA}) => (uint8[N, H, W, 3] {contract.WHOLE_STYLIZED}) {{}}
"""


def join(cut: Mapping[str, ModelProto], stride: int, skips: Sequence[str]) -> ModelProto:
    """The parts as one model from uint8 pictures to a uint8 picture; weights are stored once.

    ``skips`` are the features that the decoder takes beside ``features``.
    """
    prepare = parser.parse_graph(_PREPARE.replace("STRIDE", str(stride)))
    spread, finish = parser.parse_graph(_SPREAD), parser.parse_graph(_FINISH)
    whole = parser.parse_graph(_WHOLE)
    style_part, style_output = contract.style_source(cut)
    for name in (ENCODER, DECODER, *([STYLE_NETWORK] if style_part == STYLE_NETWORK else [])):
        model = cut[name]
        for tensor in model.graph.initializer:
            whole.initializer.add().CopyFrom(tensor)
            whole.initializer[-1].name = f"{name}.{tensor.name}"

    def place(graph: onnx.GraphProto, weights_of: str, label: str, values: dict[str, str]) -> None:
        names = dict(values)
        names.update({t.name: f"{weights_of}.{t.name}" for t in graph.initializer})
        for node in graph.node:
            copy: NodeProto = whole.node.add()
            copy.CopyFrom(node)
            copy.name = f"{label}/{node.name or node.output[0]}"
            for field in (copy.input, copy.output):
                field[:] = [names.get(name, f"{label}/{name}") if name else "" for name in field]

    content, stylized = contract.WHOLE_CONTENT, contract.WHOLE_STYLIZED
    place(prepare, "", "content", {"picture": content, "image": "content image"})
    place(prepare, "", "style", {"picture": contract.WHOLE_STYLE, "image": "style image"})
    place(spread, "", "alpha", {"alpha": contract.WHOLE_ALPHA, "strength": "strength"})
    features = {name: name for name in contract.encoder_outputs(skips)}
    encoded = {contract.IMAGE: "content image", **features}
    place(cut[ENCODER].graph, ENCODER, "encode content", encoded)
    condition = {contract.IMAGE: "style image", style_output: "style vector"}
    place(cut[style_part].graph, style_part, "encode style", condition)
    decoded = {**features, contract.STYLE: "style vector"}
    decoded |= {contract.ALPHA: "strength", contract.IMAGE: "stylized image"}
    place(cut[DECODER].graph, DECODER, "decode", decoded)
    finished = {"image": "stylized image", "content": content, "stylized": stylized}
    place(finish, "", "finish", finished)
    return plain_model(whole)


def plain_model(graph: onnx.GraphProto) -> ModelProto:
    """A model of the operators that every runtime has, and of nothing else."""
    return helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="adain",
        producer_version=adain.__version__,
    )
