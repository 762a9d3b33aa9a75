"""Export from PyTorch to ONNX: the files of a model, proven against torch before they are kept.

``encoder``, ``decoder`` and, where it is a network of its own, ``style`` are exported from torch.
``adain-<model>.onnx``, the file for other programs, joins them (`adain.learning.onnx.whole`).
"""

import copy
import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import onnx
import onnxscript
import torch
from onnx import ModelProto, helper
from torch import Tensor, nn

import adain
from adain import contract, registry, weights
from adain.contract import Key
from adain.files import scratch_folder
from adain.learning.models.fast import Fast
from adain.learning.models.layers import as_strength, blended
from adain.learning.models.networks import VGG19
from adain.learning.models.one_style import OneStyle
from adain.learning.models.pretrained import find_trained, load_model
from adain.learning.models.wct import WCT
from adain.learning.models.weight_files import training_digest, weights_digest
from adain.learning.onnx.parity import ParityReport, measure_parity
from adain.learning.onnx.readable import describe_in_place, readable_graph
from adain.learning.onnx.storage import stored_in_half
from adain.learning.onnx.whole import OPSET, join, plain_model
from adain.style import VGG19_STATISTICS

_PICTURES = "pictures uint8 0 to 255, RGB; alpha 0 to 1"
RANGES = {
    contract.WHOLE: _PICTURES,
    contract.ONE_STYLE: _PICTURES,
    "part": "image float32 0 to 1, RGB; alpha and strength 0 to 1",
}


class _OfImage(nn.Module):
    """The encoder, or a network of the style, as the contract has it: float32 images come in."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor | tuple[Tensor, ...]:
        dtype = next(self.network.parameters()).dtype
        return cast(Tensor | tuple[Tensor, ...], self.network(image.to(dtype)))


class _Decode(nn.Module):
    """The decoder as the contract has it: clipped to [0, 1], float32, the content at strength 0."""

    def __init__(self, decoder: nn.Module) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(
        self,
        image: Tensor,
        strength: Tensor,
        features: Tensor,
        statistics: Tensor,
        style: Tensor,
        alpha: Tensor,
        *skips: Tensor,
    ) -> Tensor:
        decoded: Tensor = self.decoder(features, statistics, style, as_strength(alpha), *skips)
        return blended(decoded.clamp(0, 1).float(), image, as_strength(strength))


def features_per_pixel(model: Fast | VGG19) -> float:
    """How many values a decoder takes of a content, for each of its pixels."""
    side = 256
    with torch.device("meta"):
        features, _, *skips = copy.deepcopy(model.encoder).to("meta")(torch.empty(1, 3, side, side))
    margin = 2 * model.margin
    values = features.shape[1] * (features.shape[2] - margin) * (features.shape[3] - margin)
    total: int = values + sum(skip.numel() for skip in skips)
    return total / side**2


@dataclass(frozen=True)
class Part:
    """One exported network: its module, inputs by name with their axes' names, output names."""

    module: nn.Module
    inputs: Mapping[str, tuple[Tensor, tuple[str, ...]]]
    outputs: tuple[str, ...]


def parts(model: Fast | VGG19 | WCT) -> dict[str, Part]:
    """The networks of a model as the contract cuts them, ready for the exporter.

    Of a model in half precision, features are float16; all else that goes in or out is float32.
    ``whole`` is the decoder for one style and one strength in the whole picture: what serves maps
    too takes nodes that not every program has.
    """
    image = torch.rand(2, 3, 4 * model.stride, 6 * model.stride)
    encode = _OfImage(model.encoder)
    with torch.no_grad():
        features, statistics, *skips = encode(image)
        style = model.style(image.to(features.dtype))
    # Traced with maps of style and alpha: broadcasting [N, K, 1, 1] is then ONNX's own doing,
    # while a trace with [N, K, 1, 1] would have to assume that size.
    size = features.shape[2:]
    image_axes = ("N", "", "height", "width")
    map_axes = ("N", "", "h", "w")
    one_axes = ("N", "", "", "")
    encoded = {
        contract.FEATURES: (features, map_axes),
        contract.STATISTICS: (statistics, one_axes),
    }
    # Each skip's features are twice as large as those before.
    larger = {
        name: (skip, ("N", "", f"h{2**power}", f"w{2**power}"))
        for power, (name, skip) in enumerate(zip(model.skips, skips, strict=True), 1)
    }
    strengths = torch.rand(2, 1, *image.shape[2:])
    maps = {
        contract.STYLE: (style.expand(-1, -1, *size).contiguous(), map_axes),
        contract.ALPHA: (torch.rand(2, 1, *size), map_axes),
    }
    single = {
        contract.STYLE: (style, one_axes),
        contract.ALPHA: (torch.rand(2, 1, 1, 1), one_axes),
    }
    decode = _Decode(model.decoder)
    taken, made = {contract.IMAGE: (image, image_axes)}, (contract.STYLIZED,)
    mapped = taken | {contract.STRENGTH: (strengths, image_axes)} | encoded | maps | larger
    one = taken | {contract.STRENGTH: (strengths[:, :, :1, :1], one_axes)}
    cut = {
        contract.ENCODER: Part(encode, taken, contract.encoder_outputs(model.skips)),
        contract.DECODER: Part(decode, mapped, made),
        contract.WHOLE: Part(decode, one | encoded | single | larger, made),
    }
    if isinstance(model.style, nn.Module):
        cut[contract.STYLE_NETWORK] = Part(_OfImage(model.style), taken, (contract.STYLE,))
    return cut


def export_part(part: Part, model: Fast | VGG19 | OneStyle | WCT) -> ModelProto:
    """One network as an ONNX model with symbolic sizes."""
    # A size is a whole number of strides, and the smallest image's at least.
    least = contract.SMALLEST_SIDE // model.stride
    rows, columns = (torch.export.Dim(name, min=least, max=65536) for name in ("rows", "columns"))
    per_stride = model.stride // model.feature_stride
    sizes = {
        "N": torch.export.Dim("N", min=1, max=65536),
        "height": model.stride * rows,
        "width": model.stride * columns,
        "h": per_stride * rows + 2 * model.margin,
        "w": per_stride * columns + 2 * model.margin,
    }
    for power in range(1, 1 + len(model.skips)):
        sizes[f"h{2**power}"] = 2**power * per_stride * rows
        sizes[f"w{2**power}"] = 2**power * per_stride * columns
    skips = len(model.skips) if contract.FEATURES in part.inputs else 0
    shapes = tuple(
        {axis: sizes[name] for axis, name in enumerate(axes) if name}
        for _, axes in part.inputs.values()
    )
    # The skips are what `_Decode.forward` takes beyond its named arguments.
    named, further = shapes[: len(shapes) - skips], shapes[len(shapes) - skips :]
    with _quiet():
        program = torch.onnx.export(
            part.module,
            tuple(tensor for tensor, _ in part.inputs.values()),
            dynamic_shapes=(*named, further) if skips else named,
            input_names=list(part.inputs),
            output_names=list(part.outputs),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    return plain_model(readable_graph(program.model_proto.graph))


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


def build(model: Fast | VGG19) -> dict[str, ModelProto]:
    """Every ONNX model of ``model``: ``encoder``, ``decoder``, perhaps ``style``, and ``whole``."""
    cut = {name: export_part(part, model) for name, part in parts(model).items()}
    for name, exported in cut.items():
        describe_in_place(exported, name)
    joined = {**cut, contract.DECODER: cut[contract.WHOLE]}
    return {**cut, contract.WHOLE: join(joined, model.stride, model.skips)}


def open_model(
    name: str | registry.Model, source: Path | None
) -> tuple[Fast | VGG19, dict[str, str]]:
    """A model in torch, and the metadata that all of its files have.

    ``name`` is a model of the registry, or the row of one to be. ``source`` is a file of
    weights; by default the model's own weights.
    """
    row = weights.about(name) if isinstance(name, str) else name
    if source is None:
        source = find_trained(row.name)
    model = load_model(row, source)
    return model, {
        Key.MODEL: row.name,
        Key.VERSION: adain.__version__,
        Key.CONTRACT: contract.VERSION,
        Key.OPSET: str(OPSET),
        Key.STRIDE: str(model.stride),
        Key.FEATURE_STRIDE: str(model.feature_stride),
        Key.MARGIN: str(model.margin),
        Key.CHANNELS: str(model.channels),
        Key.STYLE_CHANNELS: str(model.style_channels),
        Key.SKIPS: " ".join(model.skips),
        Key.FEATURES_PER_PIXEL: f"{features_per_pixel(model):g}",
        Key.STYLE_SPACE: VGG19_STATISTICS,
        Key.WEIGHTS_SHA256: weights_digest(source),
        Key.TRAINING: training_digest(source),
        Key.LICENCE: row.licence,
        Key.EXPORTER: exporter(),
    }


def exporter() -> str:
    """The libraries that files are made by, with their versions."""
    return ", ".join(
        f"{module.__name__} {module.__version__.partition('+')[0]}"
        for module in (torch, onnxscript, onnx)
    )


def in_precisions(model: Fast | VGG19) -> Iterator[tuple[str, Fast | VGG19]]:
    """The model in float32, and in half precision, whose statistics stay float32."""
    yield "fp32", model
    yield "fp16", copy.deepcopy(model).half()


def finished(model: ModelProto, about: Mapping[str, str], part: str, precision: str) -> ModelProto:
    """An exported model as it is written: small, with its metadata, and checked."""
    ranges = RANGES.get(part, RANGES["part"])
    own: dict[str, str] = {Key.PART: part, Key.PRECISION: precision, Key.RANGES: ranges}
    model = stored_in_half(model)
    helper.set_model_props(model, {**about, **own})
    onnx.checker.check_model(model, full_check=True)
    return model


def export_model(
    name: str | registry.Model, folder: str | os.PathLike[str], *, source: Path | None = None
) -> list[ParityReport]:
    """Write a model's ONNX files into ``folder``, each checked and proven against torch first.

    There are files in float32 and in float16; ``name`` and ``source`` are those of `open_model`.
    Raises AdaINError, and leaves ``folder`` as it was, where ONNX Runtime's result is not torch's.
    """
    model, about = open_model(name, source)
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    with scratch_folder(target, ".export-") as scratch:
        files: dict[str, dict[str, Path]] = {}
        for precision, exported in in_precisions(model):
            files[precision] = {}
            for part, onnx_model in build(exported).items():
                file = scratch / weights.onnx_file(about[Key.MODEL], part, precision)
                files[precision][part] = file
                if file.exists():
                    continue  # of another precision, and this one's as well
                written = finished(onnx_model, about, part, precision)
                file.write_bytes(written.SerializeToString(deterministic=True))
        reports = measure_parity(model, files)
        for report in reports:
            report.require()
        for file in {file for parts in files.values() for file in parts.values()}:
            os.replace(file, target / file.name)
    return reports
