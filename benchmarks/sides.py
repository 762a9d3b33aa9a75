"""What is compared: each side stylises the same pictures, with its own network and runtime.

Nothing here imports torch until a side that needs it is opened, so that a process which measures
the memory of ONNX Runtime does not hold torch as well.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from adain import Stylizer, weights
from adain.errors import AdaINError
from adain.options import STYLE_SIDE
from benchmarks.pipeline import Pipeline


@dataclass(frozen=True)
class Side:
    """One way to stylise.

    ``network`` is ``paper``, ``vgg19`` or ``fast``; ``runtime`` is ``torch`` or ``onnx``;
    ``precision`` is ``fp32``, ``fp16`` or ``int8``. The rest is torch's own: the layout of its
    memory, and whether its kernels are compiled.
    """

    name: str
    network: str
    runtime: str
    precision: str = "fp32"
    device: str = "cpu"
    channels_last: bool = False
    compiled: bool = False

    def open(self) -> Pipeline:
        """Ready to run; AdaINError, with what to do, where its files are missing."""
        if self.runtime == "onnx":
            return Stylizer(self.network, self.device, precision=self.precision)
        from benchmarks.torch_side import TorchPipeline

        return TorchPipeline(
            self.network,
            self.device,
            self.precision,
            channels_last=self.channels_last,
            compiled=self.compiled,
        )

    @property
    def keeps_features(self) -> bool:
        """Whether a content's features are kept, so that another strength costs less."""
        return self.runtime == "onnx"

    def how_to_get(self, error: AdaINError) -> str:
        """What to do about the error that ``open`` raised, in a few words."""
        if self.runtime == "onnx":
            if self.precision not in (kept := weights.precisions(self.network)):
                return f"{self.network} has no {self.precision} files, but {' and '.join(kept)}"
            for part in weights.model_parts(self.network):
                file = weights.onnx_file(self.network, part, self.precision)
                if weights.look_for(file) is None:
                    return f"no {file}; {weights.about(self.network).get}"
        return str(error)

    def macs(self, size: int, *, fresh: bool) -> int:
        """Multiply-accumulates for a square content, with the encoding of a style or without.

        Neither precision nor runtime changes them.
        """
        content = _macs(self.network, "encoder", size) + _macs(self.network, "decoder", size)
        return content + (_macs(self.network, "style", style_size(size)) if fresh else 0)


def style_size(size: int) -> int:
    """The side of the style for a content's: a Stylizer brings a larger one down to this."""
    return min(size, STYLE_SIDE)


@cache
def _macs(network: str, part: str, size: int) -> int:
    from benchmarks.torch_side import count_macs

    return count_macs(network, part, size)


EAGER = Side("paper, torch eager", "paper", "torch")
CPU_SIDES = (
    EAGER,
    Side("paper, torch channels_last", "paper", "torch", channels_last=True),
    Side("paper", "paper", "onnx"),
    Side("vgg19", "vgg19", "onnx"),
    Side("vgg19, 8-bit", "vgg19", "onnx", "int8"),
    Side("fast", "fast", "onnx"),
    Side("fast, 8-bit", "fast", "onnx", "int8"),
)


def _compiled(name: str, network: str) -> Side:
    return Side(name, network, "torch", "fp16", "cuda", channels_last=True, compiled=True)


CUDA_SIDES = (
    _compiled("paper, torch compiled float16", "paper"),
    _compiled("vgg19, torch compiled float16", "vgg19"),
    Side("vgg19, ONNX Runtime float32", "vgg19", "onnx", "fp32", "cuda"),
    Side("vgg19, ONNX Runtime float16", "vgg19", "onnx", "fp16", "cuda"),
    _compiled("fast, torch compiled float16", "fast"),
    Side("fast, ONNX Runtime float32", "fast", "onnx", "fp32", "cuda"),
    Side("fast, ONNX Runtime float16", "fast", "onnx", "fp16", "cuda"),
)
SIDES = {side.name: side for side in (*CPU_SIDES, *CUDA_SIDES)}


def open_sides(sides: Iterable[Side]) -> tuple[dict[str, Pipeline], dict[str, str]]:
    """The sides that can run here by name, and for each of the others what to do about it."""
    pipelines, missing = {}, {}
    for side in sides:
        try:
            pipelines[side.name] = side.open()
        except AdaINError as error:
            missing[side.name] = side.how_to_get(error)
    return pipelines, missing
