"""Export of a network of one style: one ONNX file, proven against torch before it is kept."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

import adain
from adain import contract, registry, weights
from adain.contract import Key
from adain.files import write_atomically
from adain.learning.models.layers import as_strength
from adain.learning.models.one_style import OneStyle
from adain.learning.models.pretrained import load_tensors
from adain.learning.models.weight_files import read_tensors, training_digest
from adain.learning.onnx.export import Part, export_part, exporter, finished
from adain.learning.onnx.parity import (
    WHOLE_BYTES,
    ParityReport,
    byte_steps,
    session_beside_torch,
    unit_planes,
)
from adain.learning.onnx.parity_cases import HOSTILE, cases, pictures_of
from adain.learning.onnx.whole import OPSET, join_one_style

CASES = 12


class _Mixed(nn.Module):
    """The network, clipped to [0, 1], mixed with the content by the strength."""

    def __init__(self, network: OneStyle) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor, strength: Tensor) -> Tensor:
        strength = as_strength(strength)
        # Exactly the content at 0, and the network's picture at 1.
        stylized: Tensor = self.network(image).clamp(0, 1)
        return strength * stylized + (1 - strength) * image


def load_one_style(path: Path) -> OneStyle:
    """The network of a run of `adain specialise`, float32, in evaluation mode."""
    tensors = read_tensors(path)
    network = OneStyle.shaped_like(tensors)
    load_tensors(network, tensors, path)
    return network.eval()


def export_one_style(source: Path, output: Path, name: str, painting: str) -> ParityReport:
    """Write a network of one style as one ONNX file, from the weights of its run.

    ``content`` uint8 ``[N, H, W, 3]`` and ``alpha`` float32 ``[1]`` give ``stylized`` uint8
    ``[N, H, W, 3]``. ``name`` and the name of the ``painting`` go into the metadata. Raises
    AdaINError, and leaves ``output`` as it was, where ONNX Runtime's result is not torch's.
    """
    network = load_one_style(source)
    model = _Mixed(network)
    image = torch.rand(2, 3, 4 * network.stride, 6 * network.stride)
    part = Part(
        model,
        {
            contract.IMAGE: (image, ("N", "", "height", "width")),
            contract.STRENGTH: (torch.rand(1, 1, 1, 1), ("",) * 4),
        },
        (contract.STYLIZED,),
    )
    joined = join_one_style(export_part(part, network), network.stride)
    about: dict[str, str] = {
        # Names of files may be any bytes, and metadata are UTF-8.
        Key.MODEL: name.encode(errors="replace").decode(),
        Key.PAINTING: painting.encode(errors="replace").decode(),
        Key.VERSION: adain.__version__,
        Key.CONTRACT: contract.VERSION,
        Key.OPSET: str(OPSET),
        Key.STRIDE: str(network.stride),
        Key.FEATURE_STRIDE: str(network.feature_stride),
        Key.MARGIN: str(network.margin),
        Key.WEIGHTS_SHA256: weights.sha256(source),
        Key.TRAINING: training_digest(source),
        Key.LICENCE: registry.NOT_STATED,
        Key.EXPORTER: exporter(),
    }
    data = finished(joined, about, contract.ONE_STYLE, "fp32").SerializeToString(deterministic=True)
    report = measure(model, data, network.stride)
    report.require()
    write_atomically(output, data)
    return report


@torch.inference_mode()
def measure(model: nn.Module, data: bytes, stride: int) -> ParityReport:
    """A file's pictures against those of torch, over sizes, batches and strengths."""
    session = session_beside_torch(data)
    report = ParityReport()
    for number, case in enumerate([*cases(CASES), *HOSTILE]):
        random = np.random.default_rng(number)
        content = pictures_of(random, case.batch, case.height, case.width, case.content_colour)
        alpha = np.array([case.alpha], np.float32)
        feeds = {contract.WHOLE_CONTENT: content, contract.WHOLE_ALPHA: alpha}
        theirs = session.run(None, feeds)[0]
        strength = torch.from_numpy(alpha).view(1, 1, 1, 1)
        ours = model(unit_planes(content, stride), strength)
        flat = case.content_colour is not None
        report.note(WHOLE_BYTES, byte_steps(theirs, ours, flat=flat))
        report.count += 1
    return report
