"""Calibration of 8-bit quantization: the ranges of activations, and the levels that follow.

Values between layers become uint8 with one scale per tensor. Two things keep the error small:

- Channels are evened out first. A tensor has one scale, and a channel a hundredth as strong as
  another would have two levels left; but its convolution can make it larger if the next one
  makes up for it (Nagel et al. 2019, "Data-Free Quantization Through Weight Equalization and Bias
  Correction"). Padding, max-pooling and interpolation do not mind.
- The ranges are the largest that was seen. Cutting off the rarest values lowers the mean squared
  error of the features and raises that of the pictures, which hang on the strongest of them.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnxruntime
from onnx import ModelProto, NodeProto, helper, numpy_helper

Array = npt.NDArray[np.floating]
Feeds = Mapping[str, npt.NDArray[np.generic]]

# Operators that work on uint8 as they do on float, so that nothing has to be converted for them.
# Resize does too, but ten times slower and rounding down.
_ON_CODES = frozenset({"Pad", "MaxPool"})
# The weakest channel is taken for at least this much of the strongest: pictures yet unseen may
# need more room in it than those of the calibration.
_FLOOR = 0.05


class Network:
    """A float32 ONNX model and the convolutions in it that are to become integer ones.

    ``chosen``: the names of their nodes, all convolutions by default. ``source`` and ``target`` are
    the tensors, by convolution, that are quantized before and behind it: the latter after its ReLU
    if it has one; the former before the padding and pooling between, which then work on integers.
    """

    def __init__(self, model: ModelProto, chosen: Collection[str] | None = None) -> None:
        self.model = model
        graph = model.graph
        self.constants = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
        self.producer = {name: node for node in graph.node for name in node.output}
        self.consumers: dict[str, list[NodeProto]] = {}
        for node in graph.node:
            for name in node.input:
                self.consumers.setdefault(name, []).append(node)
        self.convolutions = [
            node
            for node in graph.node
            if node.op_type == "Conv" and (chosen is None or node.name in chosen)
        ]
        self.on_codes: set[str] = set()
        self.source: dict[str, str] = {}
        self.target: dict[str, str] = {}
        for node in self.convolutions:
            name = node.input[0]
            while (made := self.producer.get(name)) and made.op_type in _ON_CODES:
                if len(self.consumers[name]) != 1:
                    break
                self.on_codes.add(made.name)
                name = made.input[0]
            self.source[node.name] = name
            name = node.output[0]
            readers = self.consumers.get(name, [])
            if len(readers) == 1 and readers[0].op_type == "Relu":
                name = readers[0].output[0]
            self.target[node.name] = name
        between = {*self.source.values(), *self.target.values()}
        inputs = [value.name for value in graph.input]
        order = [*inputs, *(name for node in graph.node for name in node.output)]
        self.tensors = [name for name in order if name in between]
        self.made_by = {self.target[node.name]: node for node in self.convolutions}

    def readers(self, tensor: str) -> list[NodeProto]:
        """The chosen convolutions that read a tensor, by way of padding and pooling."""
        return [node for node in self.convolutions if self.source[node.name] == tensor]

    def resized_from(self, tensor: str) -> str | None:
        """The quantized tensor that ``tensor`` is a resized copy of, if it is one."""
        made = self.producer.get(tensor)
        if made is None or made.op_type != "Resize" or made.input[0] not in self.tensors:
            return None
        return made.input[0] if len(self.consumers[made.input[0]]) == 1 else None

    def resized_to(self, tensor: str) -> str | None:
        return next((name for name in self.tensors if self.resized_from(name) == tensor), None)


@dataclass
class Observed:
    """What a float32 network held while it ran: ``[C]`` lowest and highest values by tensor, and
    by convolution patches ``[P, C, kh, kw]`` that its kernels were laid on."""

    low: dict[str, Array]
    high: dict[str, Array]
    patches: dict[str, Array]


def observe(
    network: Network, feeds: Iterable[Feeds], patches: int = 200, seed: int = 0
) -> Observed:
    """Run the float32 model on each of ``feeds``; ``patches`` are drawn each time."""
    model = ModelProto()
    model.CopyFrom(network.model)
    known = {value.name for value in (*model.graph.input, *model.graph.output)}
    for name in {*network.tensors, *(node.input[0] for node in network.convolutions)} - known:
        model.graph.output.add().name = name
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    generator = np.random.default_rng(seed)
    seen = Observed({}, {}, {})
    drawn: dict[str, list[Array]] = {node.name: [] for node in network.convolutions}
    for feed in feeds:
        values = {**feed, **dict(zip(names, session.run(None, dict(feed)), strict=True))}
        for name in network.tensors:
            low, high = values[name].min(axis=(0, 2, 3)), values[name].max(axis=(0, 2, 3))
            seen.low[name] = np.minimum(seen.low.get(name, low), low)
            seen.high[name] = np.maximum(seen.high.get(name, high), high)
        for node in network.convolutions:
            size = network.constants[node.input[1]].shape[2:]
            x = values[node.input[0]]
            drawn[node.name].append(_patches(x, node, size, patches, generator))
    seen.patches = {name: np.concatenate(parts) for name, parts in drawn.items()}
    return seen


def _patches(
    x: npt.NDArray[np.generic],
    node: NodeProto,
    size: tuple[int, ...],
    count: int,
    generator: np.random.Generator,
) -> Array:
    attributes = attributes_of(node)
    top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
    down, across = attributes.get("strides", (1, 1))
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    views = np.lib.stride_tricks.sliding_window_view(x, size, axis=(2, 3))[:, :, ::down, ::across]
    place = [generator.integers(0, views.shape[axis], count) for axis in (0, 2, 3)]
    return np.asarray(views[place[0], :, place[1], place[2]], np.float32)


def attributes_of(node: NodeProto) -> dict[str, tuple[int, ...]]:
    values = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    return {name: tuple(v) for name, v in values.items() if isinstance(v, list)}


@dataclass
class Levels:
    """How a tensor is stored: ``x = offset + factor * scale * (code - zero)``, code 0 to 255.

    factor and offset are ``[C]``; a convolution that reads or makes the tensor takes them in.
    """

    factor: Array
    offset: Array
    scale: float
    zero: int

    def rounded(self, patches: Array) -> Array:
        """Patches ``[P, C, kh, kw]`` as their codes say, without factor and offset."""
        even = (patches - self.offset[:, None, None]) / self.factor[:, None, None]
        codes = np.clip(np.rint(even / self.scale) + self.zero, 0, 255)
        return np.asarray((codes - self.zero) * self.scale)


def choose_levels(network: Network, seen: Observed) -> dict[str, Levels]:
    """The levels of every tensor that is to be quantized."""
    chosen: dict[str, Levels] = {}
    for name in network.tensors:
        low = np.minimum(seen.low[name].astype(np.float64), 0)
        high = np.maximum(seen.high[name].astype(np.float64), 0)
        origin = network.resized_from(name)
        copy = network.resized_to(name)
        readers = network.readers(copy or name)
        offset = np.zeros_like(low)
        if origin is not None:
            # What lies between is linear and treats every channel alike: the factors may pass.
            factor = chosen[origin].factor
        elif len(readers) > 1 or not (readers or name in network.made_by):
            factor = np.ones_like(low)
        else:
            # Zeros that a convolution adds itself would have to be the offset.
            padded = any(any(attributes_of(n).get("pads", ())) for n in readers)
            if name not in network.made_by and low.min() < 0 and not padded:
                low, high = seen.low[name].astype(np.float64), seen.high[name].astype(np.float64)
                offset = (low + high) / 2
            factor = _even(network, np.maximum(high - offset, offset - low), readers)
        low, high = ((low - offset) / factor).min(), ((high - offset) / factor).max()
        scale = max(float(high - low), 1e-6) / 255
        chosen[name] = Levels(factor, offset, scale, round(-float(low) / scale))
    return chosen


def _even(network: Network, reach: Array, readers: list[NodeProto]) -> Array:
    """Factors that even channels out, those of ``readers``' kernels considered as much."""
    reach = np.maximum(reach, max(_FLOOR * float(reach.max()), 1e-12))
    if not readers:
        factor = reach
    else:
        kernels = network.constants[readers[0].input[1]].astype(np.float64)
        if kernels.shape[1] != len(reach):  # depthwise: every channel has a scale of its own
            factor = reach
        else:
            largest = np.abs(kernels).max(axis=(1, 2, 3), keepdims=True) + 1e-12
            strength = np.sqrt(((kernels / largest) ** 2).mean(axis=(0, 2, 3)))
            factor = np.sqrt(reach / np.maximum(strength, 0.1 * strength.max()))
    return np.asarray(factor / np.exp(np.log(factor).mean()))
