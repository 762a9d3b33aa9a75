"""8-bit quantized model files for CPUs: made, measured, and kept only where they pay.

``adain quantize --model vgg19 CONTENT_DIR STYLE_DIR -o DIR``
"""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import ModelProto, helper

from adain import contract, registry, weights
from adain.contract import DECODER, ENCODER, WHOLE, Key
from adain.errors import AdaINError, failing
from adain.files import scratch_folder
from adain.learning.onnx.calibration import Network, observe
from adain.learning.onnx.qdq import quantize_network
from adain.learning.onnx.storage import stored_in_full
from adain.learning.onnx.whole import join
from adain.learning.training.data import ImageStore, find_images, hold_out
from adain.sessions import Sessions
from adain.tables import markdown_table

FASTER = 1.5
MEAN_STEPS = 2.0
CALIBRATION_SIDE = 256
# The networks that are quantized. `fast`'s style network runs once for a style.
PARTS = (ENCODER, DECODER)
# Of the files of either side this many are never calibrated on.
HELD_OUT = 200
NOT_KEPT = 1

FloatArray = npt.NDArray[np.float32]
PixelPair = tuple[FloatArray, FloatArray]


def draw_pairs(
    content: Path, style: Path, count: int, side: int, seed: int, *, held_out: bool
) -> list[PixelPair]:
    """Random contents and styles, float32 ``[1, 3, side, side]``, RGB in [0, 1].

    Held-out ones come from other files than the rest; what they are depends on the names alone.
    """
    drawn = []
    for number, folder in enumerate((content, style)):
        generator = torch.Generator().manual_seed(2 * seed + number)
        rest, held = hold_out(find_images(folder), HELD_OUT)
        paths = held if held_out else rest
        if not paths:
            raise AdaINError(f"{folder}: found 1 image; allowed: 2 or more, one is held out")
        order = torch.randperm(len(paths), generator=generator).tolist()
        # Small pictures are enlarged: their sizes are those of the training set, not of a photo.
        store = ImageStore([paths[i] for i in order[:count]], label=folder.name)
        crops = store.random_crops(count, side, generator).numpy()
        drawn.append([crops[i : i + 1] for i in range(count)])
    return list(zip(*drawn, strict=True))


def with_grain(pairs: Sequence[PixelPair], seed: int = 0) -> list[PixelPair]:
    """The pairs, every fourth with grain, whose deviation is up to 0.2 of the range.

    Pictures for training are small and smooth. Without grain in the calibration, drawn pictures
    with some are cut off within the encoder: four times as far from float32's.
    """
    generator = np.random.default_rng(seed)

    def grainy(image: FloatArray) -> FloatArray:
        grain = generator.normal(0, generator.uniform(0, 0.2), image.shape)
        return (image + grain).clip(0, 1).astype(np.float32)

    return [
        (grainy(content), grainy(style)) if number % 4 == 0 else (content, style)
        for number, (content, style) in enumerate(pairs)
    ]


class Networks:
    """A model's parts on the CPU; ``files`` by part as `weights.find_model` gives them."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._sessions = Sessions(files, "cpu")
        skips = self._sessions.about(ENCODER)[Key.SKIPS].split()
        self._encoded = contract.encoder_outputs(skips)
        self._style = contract.style_source(files)

    def run(self, part: str, inputs: Mapping[str, FloatArray]) -> list[FloatArray]:
        outputs = (contract.STYLIZED,) if part == DECODER else self._encoded
        return self._sessions.run(part, outputs, inputs)

    def style(self, image: FloatArray) -> FloatArray:
        part, output = self._style
        vector: FloatArray = self._sessions.run(part, (output,), {contract.IMAGE: image})[0]
        return vector

    def decoder_inputs(self, content: FloatArray, style: FloatArray) -> dict[str, FloatArray]:
        outputs = self.run(ENCODER, {contract.IMAGE: content})
        strength = np.ones((1, 1, 1, 1), np.float32)
        told = {contract.STYLE: self.style(style)}
        told |= dict.fromkeys((contract.ALPHA, contract.STRENGTH), strength)
        encoded = dict(zip(self._encoded, outputs, strict=True))
        return {contract.IMAGE: content} | encoded | told

    def stylize(self, content: FloatArray, style: FloatArray) -> FloatArray:
        return self.run(DECODER, self.decoder_inputs(content, style))[0]


def build(
    model: str, files: Mapping[str, Path], pairs: Sequence[PixelPair]
) -> dict[str, ModelProto]:
    """The 8-bit encoder and decoder from float32 ``files``, calibrated on ``pairs`` at strength 1.

    Inputs, outputs and properties are those of the float32 files, but for ``precision``.
    """
    reference = Networks(files)
    feeds = {
        # Styles go through the encoder too, where it is the style network.
        ENCODER: [
            {contract.IMAGE: image}
            for pair in pairs
            for image in (pair if contract.STYLE_NETWORK not in files else pair[:1])
        ],
        DECODER: [reference.decoder_inputs(*pair) for pair in pairs],
    }
    made, last_in_8_bits = {}, weights.about(model).int8_last
    for part in PARTS:
        with failing(str(files[part]), "no ONNX file", "a file of `python -m export`"):
            exported = stored_in_full(onnx.load(files[part]))
        names = [node.name for node in exported.graph.node if node.op_type == "Conv"]
        network = Network(exported, names[-last_in_8_bits.get(part, 0) :])
        made[part] = quantize_network(network, observe(network, feeds[part]))
        _note_precision(made[part])
    return made


def _note_precision(model: ModelProto) -> None:
    properties = {entry.key: entry.value for entry in model.metadata_props}
    helper.set_model_props(model, properties | {Key.PRECISION: "int8"})


@dataclass
class Comparison:
    """Float32 against 8 bits, or a part of it in 8 bits.

    ``differences``: the mean of each picture, in steps of 1/255. ``seconds``: of float32 and of 8
    bits, by part, taken in turns.
    """

    differences: dict[str, list[float]] = field(default_factory=dict)
    seconds: dict[str, tuple[list[float], list[float]]] = field(default_factory=dict)

    def mean(self, label: str = "both") -> float:
        return float(np.mean(self.differences[label]))

    def milliseconds(self, label: str = "both") -> tuple[float, float]:
        """The medians of float32 and of 8 bits of a picture whose style is known."""
        medians = [[1e3 * float(np.median(t)) for t in self.seconds[part]] for part in PARTS]
        for part, median in zip(PARTS, medians, strict=True):
            if label != part and label != "both":
                median[1] = median[0]
        return sum(m[0] for m in medians), sum(m[1] for m in medians)

    def speedup(self, label: str = "both") -> float:
        float32, int8 = self.milliseconds(label)
        return float32 / int8

    def keeps(self) -> bool:
        return self.speedup() >= FASTER and self.mean() < MEAN_STEPS

    def __str__(self) -> str:
        header = (
            "in 8 bits",
            "float32 ms",
            "8-bit ms",
            "times faster",
            "mean 1/255",
            "worst 1/255",
        )
        rows = []
        for label, found in self.differences.items():
            float32, int8 = self.milliseconds(label)
            numbers = (f"{self.speedup(label):.2f}", f"{self.mean(label):.2f}", f"{max(found):.2f}")
            rows.append((label, f"{float32:.1f}", f"{int8:.1f}", *numbers))
        return markdown_table(header, rows)


def compare_precisions(
    files: Mapping[str, Path], ours: Mapping[str, Path], pairs: Sequence[PixelPair], runs: int
) -> Comparison:
    """The pictures and the times of float32 ``files`` and of the 8-bit ones among ``ours``.

    Each pair is stylised by float32, and by float32 with the encoder, the decoder or both in 8
    bits. Times are those of the first pair, ``runs`` of each side in turns.
    """
    reference, quantized = Networks(files), Networks({**files, **ours})
    comparison = Comparison()
    for content, style in pairs:
        expected = reference.stylize(content, style)
        pictures = {
            "both": quantized.stylize(content, style),
            ENCODER: reference.run(DECODER, quantized.decoder_inputs(content, style))[0],
            DECODER: quantized.run(DECODER, reference.decoder_inputs(content, style))[0],
        }
        for label, picture in pictures.items():
            difference = 255 * float(np.abs(picture - expected).mean())
            comparison.differences.setdefault(label, []).append(difference)
    inputs = {ENCODER: {contract.IMAGE: pairs[0][0]}, DECODER: reference.decoder_inputs(*pairs[0])}
    for part in PARTS:
        taken: tuple[list[float], list[float]] = ([], [])
        for _ in range(runs):
            for side, seconds in zip((reference, quantized), taken, strict=True):
                start = time.perf_counter()
                side.run(part, inputs[part])
                seconds.append(time.perf_counter() - start)
        comparison.seconds[part] = taken
    return comparison


def quantize_model(
    model: str,
    content: Path,
    style: Path,
    output: Path,
    *,
    pictures: int = 48,
    held_out: int = 12,
    side: int = 512,
    runs: int = 9,
) -> tuple[Comparison, list[Path]]:
    """Make a model's 8-bit files and measure them; the files kept, none where they do not pay.

    ``pictures`` pairs are calibrated on; ``held_out`` pairs of ``side`` pixels are compared.
    """
    files = weights.find_model(model)
    # Looked for now, not after the calibration.
    whole = weights.find(weights.onnx_file(model, WHOLE), get="`python -m export` makes it")
    calibration = draw_pairs(content, style, pictures, CALIBRATION_SIDE, 0, held_out=False)
    made = build(model, files, with_grain(calibration))
    output.mkdir(parents=True, exist_ok=True)
    with scratch_folder(output, ".quantize-") as scratch:
        ours = {part: scratch / weights.onnx_file(model, part, "int8") for part in made}
        for part, path in ours.items():
            path.write_bytes(made[part].SerializeToString(deterministic=True))
        pairs = draw_pairs(content, style, held_out, side, 1, held_out=True)
        comparison = compare_precisions(files, ours, pairs, runs)
        if not comparison.keeps():
            return comparison, []
        for part in set(files) - set(made):
            made[part] = stored_in_full(onnx.load(files[part]))
            _note_precision(made[part])
        properties = {entry.key: entry.value for entry in made[ENCODER].metadata_props}
        made[WHOLE] = join(made, int(properties[Key.STRIDE]), properties[Key.SKIPS].split())
        made[WHOLE].metadata_props.extend(onnx.load(whole).metadata_props)
        _note_precision(made[WHOLE])
        kept = []
        for part, network in made.items():
            if registry.precision_of(part, "int8") != "int8":
                continue
            name = weights.onnx_file(model, part, "int8")
            (scratch / name).write_bytes(network.SerializeToString(deterministic=True))
            kept.append(output / name)
        for path in kept:
            os.replace(scratch / path.name, path)
    return comparison, kept
