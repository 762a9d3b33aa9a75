"""Graph composition: a model's parts joined in one ONNX file, for other people's programs.

A few nodes around them turn uint8 pictures of any size into what the parts take, and back. TensorRT
takes uint8 at the very ends alone: the first node and the last are Casts, and sizes are read from
floats (NVIDIA/TensorRT issues 2809 and 3985).
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, NodeProto, helper, numpy_helper, parser

import adain
from adain import contract
from adain.contract import DECODER, ENCODER, STYLE_NETWORK
from adain.learning.onnx import fragments
from adain.learning.onnx.readable import describe_in_place
from adain.padding import reflected

# ONNX Runtime's CUDA provider had no kernel for the Pad of opsets 19 to 23 for several releases.
OPSET = 18
# The IR version that came with opset 18's time; older runtimes refuse newer ones.
IR_VERSION = 8

# Height and width of the content, and of the style.
Sizes: TypeAlias = tuple[tuple[int, int], tuple[int, int]]


def join(
    cut: Mapping[str, ModelProto], stride: int, skips: Sequence[str], sizes: Sizes | None = None
) -> ModelProto:
    """The parts as one model from uint8 pictures to a uint8 picture; weights are stored once.

    ``skips`` are the features that the decoder takes beside ``features``. With ``sizes`` the model
    takes one content, one style and one strength, of these sizes, and has no shape arithmetic.
    """
    model = plain_model(_Joined(cut, stride, skips, sizes).graph)
    describe_in_place(model, contract.WHOLE)
    return model


def join_one_style(network: ModelProto, stride: int) -> ModelProto:
    """A network of one style, from planes to planes, as a model from uint8 pictures to such."""
    model = plain_model(_OneStyle({contract.ONE_STYLE: network}, stride).graph)
    describe_in_place(model, contract.ONE_STYLE)
    return model


class _Composed:
    """A graph, built from its inputs to its output; names are those of the values in it."""

    def __init__(
        self, text: str, cut: Mapping[str, ModelProto], stride: int, sizes: Sizes | None
    ) -> None:
        """``text`` is the graph's head; the weights of the parts in ``cut`` go into it."""
        self.cut, self.stride, self.sizes = cut, stride, sizes
        self.graph = parser.parse_graph(text)
        for part, model in cut.items():
            for tensor in model.graph.initializer:
                self.graph.initializer.add().CopyFrom(tensor)
                self.graph.initializer[-1].name = f"{part}.{tensor.name}"

    def _places(self, picture: str, number: int) -> None:
        """Where the rows and columns of a padded picture come from."""
        axes = ("rows", "columns")
        if self.sizes is None:
            text = fragments.PLACES.replace("STRIDE", str(self.stride))
            text = text.replace("NEARLY", str(self.stride - 1))
            text = text.replace("SMALLEST", str(contract.SMALLEST_SIDE))
            self._place(fragments.SIDES, picture, float=f"{picture}/float")
            for axis, side in zip(axes, ("height", "width"), strict=True):
                self._place(text, f"{picture}/{axis}", side=f"{picture}/{side}")
            return
        for axis, pixels in zip(axes, self.sizes[number], strict=True):
            self._constant(f"{picture}/{axis}/places", reflected(pixels, self.stride))

    def _pad(self, picture: str, *, batch: bool = False) -> None:
        values = {name: f"{picture}/{name}/places" for name in ("rows", "columns")}
        values["float"] = f"{picture}/float"
        if batch and self.sizes is None:
            values |= {"pictures": "batch/of_content", "height": f"{picture}/height"}
            self._place(fragments.PAD_BATCH, picture, **values)
        elif self.sizes is None or self._is_padded(picture):
            self._place(fragments.PAD, picture, **values)
        else:
            self._place(fragments.TO_PLANES, picture, padded=f"{picture}/float")
            return
        self._place(fragments.TO_PLANES, picture)

    def _is_padded(self, picture: str) -> bool:
        assert self.sizes is not None
        sides = self.sizes[picture == "style"]
        return any(len(reflected(side, self.stride)) > side for side in sides)

    def _finish(self) -> None:
        self._place(fragments.TO_PIXELS, "finish", image="decoded")
        cut = "finish/cut"
        if self.sizes is None:
            self._place(fragments.CUT, "finish", H="content/height", W="content/width")
        elif self._is_padded("content"):
            self._constant("finish/size", np.array(self.sizes[0], np.int64))
            self._place(fragments.CUT_TO_SIZE, "finish")
        else:
            cut = "finish/pixels"
        self._place(fragments.TO_BYTES, "finish", cut=cut, stylized=contract.WHOLE_STYLIZED)

    def _place(self, text: str, label: str, **values: str) -> None:
        """A few nodes; ``values`` are what their inputs and outputs are called in the graph."""
        self._add(parser.parse_graph(text), label, values)

    def _place_part(self, part: str, label: str, values: Mapping[str, str]) -> None:
        graph = self.cut[part].graph
        weights = {t.name: f"{part}.{t.name}" for t in graph.initializer}
        self._add(graph, label, {**values, **weights})

    def _add(self, graph: GraphProto, label: str, names: Mapping[str, str]) -> None:
        for node in graph.node:
            copy: NodeProto = self.graph.node.add()
            copy.CopyFrom(node)
            copy.name = f"{label}/{node.name or node.output[0]}"
            for field in (copy.input, copy.output):
                field[:] = [names.get(name, f"{label}/{name}") if name else "" for name in field]

    def _constant(self, name: str, value: np.ndarray) -> None:
        self.graph.initializer.append(numpy_helper.from_array(value, name))


class _OneStyle(_Composed):
    """The graph around a network of one style."""

    def __init__(self, cut: Mapping[str, ModelProto], stride: int) -> None:
        super().__init__(fragments.ONE_STYLE, cut, stride, None)
        self._place(fragments.TO_FLOAT, "content", picture=contract.WHOLE_CONTENT)
        self._places("content", 0)
        self._pad("content")
        self._place(fragments.ONE_STRENGTH, "choose", strengths=contract.WHOLE_ALPHA)
        values = {contract.IMAGE: "content/image", contract.STRENGTH: "choose/strength"}
        self._place_part(contract.ONE_STYLE, "stylize", values | {contract.STYLIZED: "decoded"})
        self._finish()


class _Joined(_Composed):
    """The graph around the parts of a model."""

    def __init__(
        self,
        cut: Mapping[str, ModelProto],
        stride: int,
        skips: Sequence[str],
        sizes: Sizes | None,
    ) -> None:
        style_part, style_output = contract.style_source(cut)
        used = (ENCODER, DECODER, *([STYLE_NETWORK] if style_part == STYLE_NETWORK else []))
        super().__init__(fragments.WHOLE, {part: cut[part] for part in used}, stride, sizes)
        content, style = contract.WHOLE_CONTENT, contract.WHOLE_STYLE
        self._place(fragments.TO_FLOAT, "content", picture=content)
        self._place(fragments.TO_FLOAT, "style", picture=style)
        self._places("style", 1)
        self._pad("style")
        self._place_part(
            style_part, "encode_style", {contract.IMAGE: "style/image", style_output: "styles"}
        )
        self._places("content", 0)
        told = {"content/image": contract.IMAGE} | {n: n for n in contract.encoder_outputs(skips)}
        if sizes is None:
            counted = {"contents": "content/float", "styles": "styles"}
            self._place(fragments.BATCH, "batch", **counted, strengths=contract.WHOLE_ALPHA)
        self._pad("content", batch=True)
        self._choose()
        encoded = {name: value for value, name in told.items()}
        self._place_part(ENCODER, "encode_content", encoded)
        one = dict.fromkeys((contract.ALPHA, contract.STRENGTH), "choose/strength")
        decoded = {contract.STYLE: "choose/style", contract.STYLIZED: "decoded"}
        self._place_part(DECODER, "decode", encoded | one | decoded)
        self._finish()

    def _choose(self) -> None:
        values = {"styles": "styles", "strengths": contract.WHOLE_ALPHA}
        if self.sizes is not None:
            for name in ("of_style", "of_strength"):
                self._constant(f"batch/{name}", np.zeros(1, np.int64))
        values |= {name: f"batch/{name}" for name in ("of_style", "of_strength")}
        self._place(fragments.CHOOSE, "choose", **values)


def plain_model(graph: onnx.GraphProto) -> ModelProto:
    """A model of the operators that every runtime has, and of nothing else."""
    return helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="adain",
        producer_version=adain.__version__,
    )
