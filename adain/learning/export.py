"""Torch to ONNX: the files of a model, proven against torch before they are kept.

``encoder``, ``decoder`` and, where it is a network of its own, ``style`` are exported from torch.
``adain-<model>.onnx``, the file for other people's programs, joins them in ONNX with the few nodes
that turn uint8 pictures of any size into what they take, and back.
"""

import logging
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import onnx
import torch
from onnx import ModelProto, NodeProto, helper, parser
from torch import Tensor, nn

import adain
from adain import weights
from adain.errors import AdaINError
from adain.learning.networks import VGG19, Fast
from adain.learning.parity import Report, compare
from adain.learning.pretrained import (
    find_trained,
    load_model,
    load_vgg19_encoder,
    training_digest,
)
from adain.stylizer import SMALLEST

# ONNX Runtime's CUDA provider had no kernel for the Pad of opsets 19 to 23 for several releases.
OPSET = 18
# The IR version that came with opset 18's time; older runtimes refuse newer ones.
IR_VERSION = 8
CONTRACT = "1"


class _Decode(nn.Module):
    """The decoder as the contract has it: clipped to [0, 1]."""

    def __init__(self, decoder: nn.Module) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, features: Tensor, statistics: Tensor, style: Tensor, alpha: Tensor) -> Tensor:
        image: Tensor = self.decoder(features, statistics, style, alpha)
        return image.clamp(0, 1)


@dataclass(frozen=True)
class Part:
    """One exported network: its module, inputs by name with their axes' names, output names."""

    module: nn.Module
    inputs: Mapping[str, tuple[Tensor, tuple[str, ...]]]
    outputs: tuple[str, ...]


def parts(model: Fast | VGG19) -> dict[str, Part]:
    """The networks of a model as ``design``'s contract cuts them, ready for the exporter."""
    image = torch.rand(2, 3, 4 * model.stride, 6 * model.stride)
    with torch.no_grad():
        features, statistics = model.encoder(image)
        style = model.style(image)
    # Traced with maps of style and alpha: broadcasting [N, K, 1, 1] is then ONNX's own doing,
    # while a trace with [N, K, 1, 1] would have to assume that size.
    size = features.shape[2:]
    image_axes = ("N", "", "height", "width")
    map_axes = ("N", "", "h", "w")
    decoder_inputs = {
        "features": (features, map_axes),
        "statistics": (statistics, ("N", "", "", "")),
        "style": (style.expand(-1, -1, *size).contiguous(), map_axes),
        "alpha": (torch.rand(2, 1, *size), map_axes),
    }
    cut = {
        "encoder": Part(model.encoder, {"image": (image, image_axes)}, ("features", "statistics")),
        "decoder": Part(_Decode(model.decoder), decoder_inputs, ("image",)),
    }
    if isinstance(model.style, nn.Module):
        cut["style"] = Part(model.style, {"image": (image, image_axes)}, ("style",))
    return cut


def export_part(part: Part, model: Fast | VGG19) -> ModelProto:
    """One network as an ONNX model with symbolic sizes."""
    # A size is a whole number of strides, and the smallest image's at least.
    least = SMALLEST // model.stride
    rows, columns = (torch.export.Dim(name, min=least, max=65536) for name in ("rows", "columns"))
    per_stride = model.stride // model.feature_stride
    sizes = {
        "N": torch.export.Dim("N", min=1, max=65536),
        "height": model.stride * rows,
        "width": model.stride * columns,
        "h": per_stride * rows + 2 * model.margin,
        "w": per_stride * columns + 2 * model.margin,
    }
    shapes = tuple(
        {axis: sizes[name] for axis, name in enumerate(axes) if name}
        for _, axes in part.inputs.values()
    )
    with _quiet():
        program = torch.onnx.export(
            part.module,
            tuple(tensor for tensor, _ in part.inputs.values()),
            dynamic_shapes=shapes,
            input_names=list(part.inputs),
            output_names=list(part.outputs),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    return _clean(program.model_proto)


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter's progress and deprecation talk is not the user's concern."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)


def _clean(model: ModelProto) -> ModelProto:
    """Drop what the exporter notes about its own run, and fix the axes' names."""
    graph = model.graph
    for node in graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    for tensor in graph.initializer:
        tensor.ClearField("metadata_props")
        tensor.ClearField("doc_string")
    # Intermediate shapes were noted for the traced case; runtimes infer them for the real one.
    graph.ClearField("value_info")
    model.ClearField("metadata_props")
    model.ClearField("functions")
    graph.ClearField("metadata_props")
    maps = {"style", "alpha"} if "features" in {value.name for value in graph.input} else set()
    for value in (*graph.input, *graph.output):
        value.ClearField("metadata_props")
        shape = value.type.tensor_type.shape.dim
        size = ("height", "width") if value.name == "image" else ("h", "w")
        for axis, name in zip((0, 2, 3), ("N", *size), strict=True):
            if shape[axis].dim_param:
                shape[axis].dim_param = f"{name} or 1" if value.name in maps else name
    return _model(graph)


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
# Back to uint8 NHWC, cut to the content's size.
_FINISH = """
finish (float[N, 3, height, width] image, uint8[N, H, W, 3] content)
    => (uint8[N, H, W, 3] stylized) {
    size = Shape <start = 1, end = 3> (content)
    start = Constant <value = int64[2] {0, 0}> ()
    axes = Constant <value = int64[2] {2, 3}> ()
    cut = Slice (image, start, size, axes)
    white = Constant <value = float {255.0}> ()
    scaled = Mul (cut, white)
    whole = Round (scaled)
    byte = Cast <to = 2> (whole)
    stylized = Transpose <perm = [0, 2, 3, 1]> (byte)
}
"""
_SPREAD = """
spread (float[A] alpha) => (float[A, 1, 1, 1] strength) {
    shape = Constant <value = int64[4] {-1, 1, 1, 1}> ()
    strength = Reshape (alpha, shape)
}
"""
_WHOLE = """
adain (uint8[N, H, W, 3] content, uint8[M, Hs, Ws, 3] style, float[A] alpha)
    => (uint8[N, H, W, 3] stylized) {}
"""


def join(cut: dict[str, ModelProto], stride: int) -> ModelProto:
    """The parts as one model from uint8 pictures to a uint8 picture; weights are stored once."""
    prepare = parser.parse_graph(_PREPARE.replace("STRIDE", str(stride)))
    spread, finish = parser.parse_graph(_SPREAD), parser.parse_graph(_FINISH)
    whole = parser.parse_graph(_WHOLE)
    encoder, decoder = cut["encoder"].graph, cut["decoder"].graph
    style_part = "style" if "style" in cut else "encoder"
    for name, model in cut.items():
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

    place(prepare, "", "content", {"picture": "content", "image": "content image"})
    place(prepare, "", "style", {"picture": "style", "image": "style image"})
    place(spread, "", "alpha", {"alpha": "alpha", "strength": "strength"})
    encoded = {"image": "content image", "features": "features", "statistics": "statistics"}
    place(encoder, "encoder", "encode content", encoded)
    output = "style" if style_part == "style" else "statistics"
    condition = {"image": "style image", output: "style vector"}
    place(cut[style_part].graph, style_part, "encode style", condition)
    decoded = {"features": "features", "statistics": "statistics", "style": "style vector"}
    decoded |= {"alpha": "strength", "image": "stylized image"}
    place(decoder, "decoder", "decode", decoded)
    place(
        finish,
        "",
        "finish",
        {"image": "stylized image", "content": "content", "stylized": "stylized"},
    )
    return _model(whole)


def _model(graph: onnx.GraphProto) -> ModelProto:
    return helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="adain",
        producer_version=adain.__version__,
    )


def build(model: Fast | VGG19) -> dict[str, ModelProto]:
    """Every ONNX model of ``model``: ``encoder``, ``decoder``, perhaps ``style``, and ``whole``."""
    cut = {name: export_part(part, model) for name, part in parts(model).items()}
    return {**cut, "whole": join(cut, model.stride)}


def export_model(
    name: str, folder: str | os.PathLike[str], *, source: Path | None = None
) -> Report:
    """Write a model's ONNX files into ``folder``, each checked and proven against torch first.

    ``source`` is a safetensors file of ``adain train``; by default the shipped weights. Raises
    AdaINError, and leaves ``folder`` as it was, where ONNX Runtime's result is not torch's.
    """
    if source is None:
        source = find_trained(name)
    model = load_model(name, source)
    about = {
        "model": name,
        "version": adain.__version__,
        "contract": CONTRACT,
        "stride": str(model.stride),
        "channels": str(model.channels),
        "style_channels": str(model.style_channels),
        "weights_sha256": weights.sha256(source),
        "training": training_digest(source),
        "licence": weights.LICENCES[name],
    }
    models = build(model)
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target, prefix=".export-") as scratch:
        files = {}
        for part, onnx_model in models.items():
            helper.set_model_props(onnx_model, about | {"part": part})
            onnx.checker.check_model(onnx_model, full_check=True)
            files[part] = Path(scratch) / weights.onnx_file(name, part)
            onnx.save(onnx_model, files[part])
        report = compare(model, files)
        report.require()
        for file in files.values():
            os.replace(file, target / file.name)
    return report


def install_vgg19(report: Callable[[str], object]) -> None:
    """Fetch the VGG-19 encoder if it is not here, and build ``vgg19``'s files in the cache."""
    cache = weights.cache_folder()
    if weights.look_for(*weights.VGG19_FILES) is None:
        path = cache / weights.VGG19_FILES[1]
        weights.download(weights.VGG19_URL, path, report)
        try:
            load_vgg19_encoder()
        except AdaINError:
            path.unlink()
            raise
    report("building and checking the ONNX files of vgg19, which takes a minute")
    report(str(export_model("vgg19", cache)))
