"""ONNX files against torch in float32: the same pictures through both, over many sizes.

`adain parity` prints the table for all model files that are here.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import onnxruntime
import torch
from torch import Tensor

from adain import contract, weights
from adain.errors import AdaINError
from adain.learning.models.fast import Fast
from adain.learning.models.layers import blended
from adain.learning.models.networks import VGG19
from adain.learning.models.wct import WCT
from adain.learning.onnx.parity_cases import HOSTILE, Case, cases, pictures_of
from adain.padding import reflected

# What all differences are measured in: the steps of a picture of 8 bits.
STEPS = 255

Array = npt.NDArray[np.generic]


@dataclass(frozen=True)
class Tolerance:
    """The largest and the mean difference allowed, in steps of 1/255."""

    largest: float
    mean: float


TOLERANCES = {
    "fp32": Tolerance(1e-4 * STEPS, 1e-4 * STEPS),
    # Rounding of half is felt most where a picture is flat and the style is not.
    "fp16": Tolerance(math.inf, 1.0),
}
# What is compared of the whole file, whose output has the name of the decoder's.
WHOLE_BYTES = "bytes"
# Two floats on either side of a rounding edge become bytes one step apart, one in a thousand.
BYTES = {"fp32": Tolerance(1.0, 1e-3)}


@dataclass
class Difference:
    """The largest and, over all values of all cases, the mean difference, in steps of 1/255."""

    largest: float = 0.0
    total: float = 0.0
    count: int = 0

    @property
    def mean(self) -> float:
        return self.total / max(1, self.count)

    def note(self, steps: npt.NDArray[np.floating]) -> None:
        # `max` of a NaN and a number may be either: a NaN must not be lost.
        self.largest = float(np.max([self.largest, steps.max()]))
        self.total += float(steps.sum(dtype=np.float64))
        self.count += steps.size


@dataclass
class ParityReport:
    """The differences found, by output, for files of one precision.

    Images, ``stylized``, are in [0, 1] and compared as they are; features, statistics and styles
    relative to their largest value. ``bytes``, those that the whole file gives: see `byte_steps`.
    """

    precision: str = "fp32"
    differences: dict[str, Difference] = field(default_factory=dict)
    count: int = 0

    def note(self, name: str, difference: npt.NDArray[np.floating]) -> None:
        """Absolute differences of an output, in steps of 1/255."""
        self.differences.setdefault(name, Difference()).note(difference)

    def require(self, of_bytes: Tolerance | None = None) -> None:
        """Raise AdaINError where ONNX Runtime and torch differ by more than the tolerance.

        ``of_bytes`` is that of ``bytes`` where it is not BYTES.
        """
        for name, found in self.differences.items():
            allowed = TOLERANCES[self.precision]
            if name == WHOLE_BYTES:
                allowed = of_bytes or BYTES.get(self.precision, allowed)
            # Steps between bytes are whole, but for what float32 makes of them.
            if not (found.largest <= 1.001 * allowed.largest and found.mean <= allowed.mean):
                raise AdaINError(
                    f"ONNX Runtime's {name} in {self.precision} differs from torch's by"
                    f" {found.largest:.2g}/255, {found.mean:.2g}/255 in the mean; allowed are"
                    f" {allowed.largest:.3g} and {allowed.mean:.3g}, so the files are not kept"
                )

    def __str__(self) -> str:
        parts = [
            f"{name} {found.largest:.1e} ({found.mean:.1e})"
            for name, found in self.differences.items()
        ]
        return (
            f"{self.precision}: {self.count} cases, largest (and mean) differences from torch"
            f" in 1/255: {', '.join(parts)}"
        )


def unit_planes(pictures: Array, stride: int) -> Tensor:
    """uint8 ``[N, H, W, 3]`` as ``[N, 3, H', W']`` in [0, 1], reflected up to the stride."""
    rows, columns = (reflected(side, stride) for side in pictures.shape[1:3])
    planar = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    return planar[:, :, rows][:, :, :, columns].contiguous()


def byte_steps(theirs: Array, ours: Tensor, *, flat: bool) -> npt.NDArray[np.floating]:
    """By how many steps uint8 ``[N, H, W, 3]`` are off ``ours`` ``[N, 3, H', W']`` in [0, 1].

    That is cut to their size and rounded. All of a picture of ``flat`` content may lie on an edge
    of rounding, where either byte is right: of one, what is beyond half a step counts.
    """
    height, width = theirs.shape[1:3]
    cut = STEPS * ours[:, :, :height, :width].permute(0, 2, 3, 1).numpy()
    expected = cut if flat else np.floor(cut + 0.5)
    off: npt.NDArray[np.floating] = np.abs(theirs.astype(np.float32) - expected)
    return np.maximum(off - 0.5, 0) if flat else off


def session_beside_torch(
    model: Path | bytes, providers: tuple[str, ...] = ("CPUExecutionProvider",)
) -> onnxruntime.InferenceSession:
    """An inference session of a file, or of its bytes, that takes turns with torch on the cores."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # Idle threads that wait by spinning would take the cores from torch, whose turn it is.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=list(providers))


@torch.inference_mode()
def measure_parity(
    model: Fast | VGG19 | WCT,
    files: Mapping[str, Mapping[str, Path]],
    chosen: Sequence[Case] | None = None,
    providers: tuple[str, ...] = ("CPUExecutionProvider",),
) -> list[ParityReport]:
    """Run a model's ONNX files and torch, in float32, on the same pictures; see ParityReport.

    ``files`` are by precision and part: encoder, decoder, perhaps style, and whole; or whole alone,
    as all there is with WCT. By default the cases are those of `cases` and the hostile ones.
    """
    sides = [
        _Side(
            ParityReport(precision),
            {part: session_beside_torch(file, providers) for part, file in of_precision.items()},
        )
        for precision, of_precision in files.items()
    ]
    for number, case in enumerate([*cases(), *HOSTILE] if chosen is None else chosen):
        random = np.random.default_rng(number)
        content = pictures_of(random, case.batch, case.height, case.width, case.content_colour)
        # One style for the batch and one each, in turn.
        styles = case.batch if number % 2 else 1
        style = pictures_of(random, styles, case.style_height, case.style_width, case.style_colour)
        strengths = np.full(styles, case.alpha, np.float32)
        flat = case.content_colour is not None
        _compare(model, sides, content, style, strengths, number, flat)
    return [side.report for side in sides]


@dataclass(frozen=True)
class _Side:
    """The sessions of one precision, and what was found of them."""

    report: ParityReport
    sessions: Mapping[str, onnxruntime.InferenceSession]

    def run(self, part: str, inputs: Mapping[str, Tensor]) -> list[Array]:
        session = self.sessions[part]
        half = {i.name for i in session.get_inputs() if i.type == "tensor(float16)"}
        feeds = {
            name: (tensor.half() if name in half else tensor).contiguous().numpy()
            for name, tensor in inputs.items()
        }
        outputs: list[Array] = session.run(None, feeds)
        return outputs

    def note(self, name: str, theirs: Array, ours: Tensor, scale: float = 1.0) -> None:
        difference = np.abs(theirs.astype(np.float32) - ours.numpy())
        self.report.note(name, STEPS / scale * difference)

    def note_relative(self, name: str, theirs: Array, ours: Tensor) -> None:
        self.note(name, theirs, ours, max(1.0, float(ours.abs().max())))


def _compare(
    model: Fast | VGG19 | WCT,
    sides: Sequence[_Side],
    content: Array,
    style: Array,
    alpha: npt.NDArray[np.float32],
    number: int,
    flat: bool,
) -> None:
    """One case: each part, and the whole, of every precision against torch."""
    image, style_image = unit_planes(content, model.stride), unit_planes(style, model.stride)
    features, statistics, *skips = model.encoder(image)
    vector = model.style(style_image)
    strength = torch.from_numpy(alpha).view(-1, 1, 1, 1)
    height, width = features.shape[2:]

    def ramp(of: Tensor) -> Tensor:
        """The strength as a map of another's size, from 0 at the left."""
        return strength * torch.linspace(0, 1, of.shape[3]).expand(1, 1, *of.shape[2:])

    # The same decoder with a vector and a number; and, in turn, with a map of either or both.
    spread = vector.expand(-1, -1, height, width)
    given_maps = [
        (spread, strength, strength),
        (vector, ramp(features), ramp(image)),
        (spread, ramp(features), ramp(image)),
    ][number % 3]
    maps = [given_maps] if any(contract.DECODER in side.sessions for side in sides) else []
    cases = []
    for given, alphas, strengths in ((vector, strength, strength), *maps):
        told = {contract.STYLE: given, contract.ALPHA: alphas, contract.STRENGTH: strengths}
        decoded = model.decoder(features, statistics, given, alphas, *skips).clamp(0, 1)
        cases.append((told, blended(decoded, image, strengths)))
    for side in sides:
        names = contract.encoder_outputs(model.skips)
        encoded = dict(zip(names, (features, statistics, *skips), strict=True))
        if contract.ENCODER in side.sessions:
            outputs = side.run(contract.ENCODER, {contract.IMAGE: image})
            for (name, ours), theirs in zip(encoded.items(), outputs, strict=True):
                side.note_relative(name, theirs, ours)
        if contract.STYLE_NETWORK in side.sessions:
            theirs = side.run(contract.STYLE_NETWORK, {contract.IMAGE: style_image})[0]
            side.note_relative(contract.STYLE, theirs, vector)
        for told, stylized in cases if contract.DECODER in side.sessions else []:
            inputs = {contract.IMAGE: image} | encoded | told
            side.note(contract.STYLIZED, side.run(contract.DECODER, inputs)[0], stylized)
        feeds = {
            contract.WHOLE_CONTENT: content,
            contract.WHOLE_STYLE: style,
            contract.WHOLE_ALPHA: alpha,
        }
        whole = side.sessions[contract.WHOLE].run(None, feeds)[0]
        side.report.note(WHOLE_BYTES, byte_steps(whole, cases[0][1], flat=flat))
        side.report.count += 1


def _rows(name: str) -> Iterator[str]:
    from adain.learning.models.pretrained import load_model

    model = load_model(name)
    found = {
        precision: {
            part: weights.look_for(weights.onnx_file(name, part, precision))
            for part in (*weights.model_parts(name), contract.WHOLE)
        }
        for precision in weights.precisions(name)
    }
    files = {
        precision: cast(dict[str, Path], parts)
        for precision, parts in found.items()
        if None not in parts.values()
    }
    for label, chosen in (("random", cases()), ("hostile", list(HOSTILE))):
        for report in measure_parity(model, files, chosen):
            for output, difference in report.differences.items():
                yield (
                    f"| {name:5} | {report.precision:9} | {label:7} | {report.count:5} |"
                    f" {output:10} | {difference.largest:12.5f} | {difference.mean:12.7f} |"
                )


def table(names: Sequence[str]) -> Iterator[str]:
    """The lines of the table of `adain parity`, of all models that are here by default."""
    yield "| model | precision | cases   | count | output     |  max (1/255) | mean (1/255) |"
    yield "|-------|-----------|---------|------:|------------|-------------:|-------------:|"
    for name in names or weights.available_models():
        yield from _rows(name)
