"""Model files for pictures of one size, and for older opsets: for tools that want sizes fixed.

TensorRT, CoreML and LiteRT build their engines for given sizes, and older tools know older opsets.
These files take one picture, one style and one strength, and hold no shape arithmetic at all.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime
from onnx import ModelProto, ValueInfoProto, helper, numpy_helper

from adain import registry, weights
from adain.contract import DECODER, WHOLE, Key
from adain.errors import AdaINError
from adain.files import scratch_folder
from adain.learning.models.fast import Fast
from adain.learning.models.networks import VGG19
from adain.learning.onnx.describe import input_sizes
from adain.learning.onnx.export import export_part, finished, in_precisions, open_model, parts
from adain.learning.onnx.readable import describe_in_place
from adain.learning.onnx.whole import OPSET, join
from adain.padding import padded_side

# The oldest opset that has the operators in the form in which they are used here.
OLDEST_OPSET = 13
# Attributes that came with opset 18. Here they have their defaults, or say what is so anyway.
_NEWER = ("noop_with_empty_axes", "num_outputs", "antialias", "keep_aspect_ratio_policy")
# What two runs of one network may differ by where a runtime folds more of it: of values near 1.
_TOLERANCE = {"fp32": 1e-3, "fp16": 0.1}


def export_fixed(
    name: str | registry.Model,
    folder: str | os.PathLike[str],
    size: tuple[int, int],
    *,
    opset: int = OPSET,
    source: Path | None = None,
) -> list[Path]:
    """Write a model's ONNX files for contents and styles of ``size``, (width, height); their paths.

    ``name`` and ``source`` are those of `open_model`. The parts' sides are padded to the stride.
    Raises AdaINError, and leaves ``folder`` as it was, where a file does not give what the one for
    all sizes gives.
    """
    model, about = open_model(name, source)
    label = f"{size[0]}x{size[1]}"
    about |= {Key.SIZE: label, Key.OPSET: str(opset)}
    suffix = f"-{label}.onnx" if opset == OPSET else f"-{label}-opset{opset}.onnx"
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    with scratch_folder(target, ".export-") as scratch:
        written = []
        for precision, exported in in_precisions(model):
            about[Key.PRECISION] = precision
            for part, onnx_model in build_fixed(exported, about, size).items():
                if registry.precision_of(part, precision) != precision:
                    continue
                of_any_size = weights.onnx_file(about[Key.MODEL], part, precision)
                file = scratch / of_any_size.replace(".onnx", suffix)
                made = finished(onnx_model, about, part, precision)
                file.write_bytes(made.SerializeToString(deterministic=True))
                written.append(file)
        return [file.replace(target / file.name) for file in written]


def build_fixed(
    model: Fast | VGG19, about: Mapping[str, str], size: tuple[int, int]
) -> dict[str, ModelProto]:
    """Every ONNX model of ``model`` for one size, each compared with the one for all sizes.

    ``about`` is their metadata, whose opset they are in.
    """
    width, height = size
    taken = parts(model)
    # Its decoder is the one without maps.
    taken[DECODER] = taken.pop(WHOLE)
    cut = {name: export_part(part, model) for name, part in taken.items()}
    skips = about[Key.SKIPS].split()
    joined = [join(cut, model.stride, skips, s) for s in (None, ((height, width),) * 2)]
    made = {}
    for part, plain in (*cut.items(), (WHOLE, joined[0])):
        fixed = in_opset(joined[1] if part == WHOLE else plain, int(about[Key.OPSET]))
        describe_in_place(fixed, part)
        sides = [height, width]
        if part != WHOLE:
            sides = [padded_side(side, model.stride) for side in sides]
        shapes = input_sizes(fixed.graph, {**about, Key.PART: part}, *sides)
        for value in fixed.graph.input:
            _set_shape(value, shapes[value.name])
        outputs = _require_same(part, plain, fixed, _TOLERANCE[about[Key.PRECISION]])
        for value, output in zip(fixed.graph.output, outputs, strict=True):
            _set_shape(value, output.shape)
        made[part] = fixed
    return made


def _set_shape(value: ValueInfoProto, shape: tuple[int, ...]) -> None:
    for axis, size in zip(value.type.tensor_type.shape.dim, shape, strict=True):
        axis.dim_value = size


def _require_same(
    part: str, plain: ModelProto, fixed: ModelProto, tolerance: float
) -> list[np.ndarray]:
    """What the fixed model gives of random inputs; AdaINError where the plain one gives another."""
    random = np.random.default_rng(0)
    sessions = [
        onnxruntime.InferenceSession(m.SerializeToString(), providers=["CPUExecutionProvider"])
        for m in (plain, fixed)
    ]
    feeds = {}
    for value in sessions[1].get_inputs():
        drawn = random.random(value.shape)
        dtype = {"tensor(uint8)": np.uint8, "tensor(float16)": np.float16}.get(value.type)
        feeds[value.name] = (255 * drawn if dtype == np.uint8 else drawn).astype(
            dtype or np.float32
        )
    expected: list[np.ndarray]
    found: list[np.ndarray]
    expected, found = (session.run(None, feeds) for session in sessions)
    for name, a, b in zip((o.name for o in fixed.graph.output), expected, found, strict=True):
        scale = 255 if a.dtype == np.uint8 else max(1.0, float(np.abs(a).max()))
        difference = float(np.abs(a.astype(np.float32) - b.astype(np.float32)).max()) / scale
        allowed = 1 / 255 if a.dtype == np.uint8 else tolerance
        if not difference <= 1.001 * allowed:
            raise AdaINError(
                f"the {part} of one size gives another {name} than that of all sizes (by"
                f" {difference:.2g} of its largest value; allowed is {allowed:.2g}), so the files"
                " are not kept"
            )
    return found


def in_opset(model: ModelProto, opset: int) -> ModelProto:
    """The model in an older opset, `OLDEST_OPSET` or newer.

    ONNX's own version converter knows no way back for Pad, whose form here is the same in all.
    """
    older = ModelProto()
    older.CopyFrom(model)
    if opset >= OPSET:
        return older
    older.opset_import[0].version = opset
    constants = {t.name: t for t in older.graph.initializer}
    for node in older.graph.node:
        if node.op_type == "ReduceMean":
            axes = numpy_helper.to_array(constants[node.input.pop()])
            node.attribute.append(helper.make_attribute("axes", axes.tolist()))
        for attribute in [a for a in node.attribute if a.name in _NEWER]:
            node.attribute.remove(attribute)
    read = {name for node in older.graph.node for name in node.input}
    unread = [t for t in older.graph.initializer if t.name not in read]
    for tensor in unread:
        older.graph.initializer.remove(tensor)
    return older
