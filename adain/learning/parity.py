"""ONNX files against torch: the same pictures through both, over many sizes and strengths."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
import torch
import torch.nn.functional as F
from torch import Tensor

from adain.errors import AdaINError
from adain.learning.networks import VGG19, Fast

TOLERANCE = 1e-4
CASES = 50

Array = npt.NDArray[np.generic]


@dataclass(frozen=True)
class Case:
    """One comparison: the content's and the style's size, how many pictures, how strong."""

    height: int
    width: int
    style_height: int
    style_width: int
    batch: int
    alpha: float


def cases(count: int = CASES, seed: int = 0) -> list[Case]:
    """Random cases; the smallest allowed picture and a long strip are always among them."""
    random = np.random.default_rng(seed)

    def size() -> int:
        return int(np.exp(random.uniform(np.log(16), np.log(320))))

    drawn = [
        Case(size(), size(), size(), size(), int(random.integers(1, 4)), random.uniform())
        for _ in range(count)
    ]
    fixed = [
        Case(16, 16, 16, 16, 1, 1.0),
        Case(1030, 33, 64, 48, 1, 0.5),
        Case(64, 64, 16, 200, 2, 0.0),
        Case(100, 75, 64, 64, 3, 1.0),
    ]
    return (fixed + drawn)[:count]


@dataclass
class Report:
    """The largest differences found, by output.

    Images are in [0, 1] and compared as they are; features, statistics and styles relative to
    their largest value. ``stylized`` is in steps of 1/255, after rounding.
    """

    differences: dict[str, float] = field(default_factory=dict)
    changed: float = 0.0
    count: int = 0

    def note(self, name: str, difference: float) -> None:
        self.differences[name] = max(self.differences.get(name, 0.0), difference)

    def require(self, tolerance: float = TOLERANCE) -> None:
        """Raise AdaINError where ONNX Runtime and torch differ by more than the tolerance."""
        for name, found in self.differences.items():
            # Two floats on either side of a rounding edge become bytes one step apart.
            allowed = 1.0 if name == "stylized" else tolerance
            if not found <= allowed:
                raise AdaINError(
                    f"ONNX Runtime's {name} differs from torch's by {found:.2g};"
                    f" allowed is {allowed:g}, so the files are not kept"
                )
        if self.changed > 0.001:
            raise AdaINError(
                f"{self.changed:.2%} of the stylised bytes differ from torch's; allowed is 0.1%,"
                " so the files are not kept"
            )

    def __str__(self) -> str:
        parts = [f"{name} {value:.1e}" for name, value in self.differences.items()]
        return (
            f"{self.count} cases, largest differences from torch: {', '.join(parts)};"
            f" {self.changed:.4%} of bytes one step apart"
        )


def _unit(pictures: Array, stride: int) -> Tensor:
    """uint8 ``[N, H, W, 3]`` as ``[N, 3, H', W']`` in [0, 1], reflected up to the stride."""
    height, width = pictures.shape[1:3]
    planar = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    return F.pad(planar, (0, -width % stride, 0, -height % stride), mode="reflect")


def stylize_bytes(
    model: Fast | VGG19, content: Array, style: Array, alpha: npt.NDArray[np.float32]
) -> npt.NDArray[np.uint8]:
    """What ``adain-<model>.onnx`` computes, in torch: uint8 ``[N, H, W, 3]`` in and out."""

    features, statistics = model.encoder(_unit(content, model.stride))
    strength = torch.from_numpy(alpha).view(-1, 1, 1, 1)
    image = model.decoder(
        features, statistics, model.style(_unit(style, model.stride)), strength
    ).clamp(0, 1)
    height, width = content.shape[1:3]
    cut = image[:, :, :height, :width].mul(255).round().byte()
    return np.ascontiguousarray(cut.permute(0, 2, 3, 1).numpy())


def _pictures(random: np.random.Generator, count: int, height: int, width: int) -> Array:
    """Pictures with large shapes and noise, uint8 ``[N, H, W, 3]``."""
    coarse = torch.from_numpy(random.random((count, 3, 5, 5))).float()
    smooth = F.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)
    noise = torch.from_numpy(random.normal(0, 0.05, smooth.shape)).float()
    pictures = (smooth + noise).clamp(0, 1).mul(255).byte()
    return np.ascontiguousarray(pictures.permute(0, 2, 3, 1).numpy())


@torch.inference_mode()
def compare(
    model: Fast | VGG19,
    files: Mapping[str, Path],
    count: int = CASES,
    providers: tuple[str, ...] = ("CPUExecutionProvider",),
) -> Report:
    """Run a model's ONNX files and torch on the same pictures; see Report."""
    options = onnxruntime.SessionOptions()
    # Idle threads that wait by spinning would take the cores from torch, whose turn it is.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    sessions = {
        part: onnxruntime.InferenceSession(file, options, providers=list(providers))
        for part, file in files.items()
    }
    report = Report()
    for number, case in enumerate(cases(count)):
        random = np.random.default_rng(number)
        content = _pictures(random, case.batch, case.height, case.width)
        # One style for the batch and one each, in turn.
        styles = case.batch if number % 2 else 1
        style = _pictures(random, styles, case.style_height, case.style_width)
        alpha = np.full(styles, case.alpha, np.float32)
        _compare_parts(model, sessions, content, style, alpha, report)
        feeds = {"content": content, "style": style, "alpha": alpha}
        theirs = sessions["whole"].run(None, feeds)[0].astype(np.int16)
        ours = stylize_bytes(model, content, style, alpha).astype(np.int16)
        steps = np.abs(theirs - ours)
        report.note("stylized", float(steps.max()))
        # Small pictures have too few bytes for a share to mean something.
        if steps.size > 10_000:
            report.changed = max(report.changed, float((steps > 0).mean()))
        report.count += 1
    return report


def _compare_parts(
    model: Fast | VGG19,
    sessions: Mapping[str, onnxruntime.InferenceSession],
    content: Array,
    style: Array,
    alpha: npt.NDArray[np.float32],
    report: Report,
) -> None:
    def run(part: str, **inputs: Tensor) -> list[Array]:
        feeds = {name: tensor.contiguous().numpy() for name, tensor in inputs.items()}
        outputs: list[Array] = sessions[part].run(None, feeds)
        return outputs

    def relative(theirs: Array, ours: Tensor) -> float:
        scale = max(1.0, float(ours.abs().max()))
        return float(np.abs(theirs - ours.numpy()).max()) / scale

    image, style_image = _unit(content, model.stride), _unit(style, model.stride)
    features, statistics = model.encoder(image)
    outputs = run("encoder", image=image)
    report.note("features", relative(outputs[0], features))
    report.note("statistics", relative(outputs[1], statistics))
    vector = model.style(style_image)
    if "style" in sessions:
        report.note("style", relative(run("style", image=style_image)[0], vector))
    strength = torch.from_numpy(alpha).view(-1, 1, 1, 1)
    height, width = features.shape[2:]
    # The same decoder with vectors, and with maps of style and strength.
    ramp = torch.linspace(0, 1, width).expand(1, 1, height, width)
    for given, strengths in (
        (vector, strength),
        (vector.expand(-1, -1, height, width), strength * ramp),
    ):
        decoded = model.decoder(features, statistics, given, strengths).clamp(0, 1)
        inputs = {"features": features, "statistics": statistics}
        theirs = run("decoder", **inputs, style=given, alpha=strengths)[0]
        report.note("image", float(np.abs(theirs - decoded.numpy()).max()))
