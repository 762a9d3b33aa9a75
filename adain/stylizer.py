"""The Stylizer: a photo and a style in, a stylised picture out, by ONNX Runtime."""

import contextlib
import hashlib
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar, overload

import numpy as np
import numpy.typing as npt
from PIL import Image

from adain import weights
from adain.errors import AdaINError, found_error
from adain.images import EncodedImage, ImageSource, load_image
from adain.picture import Picture
from adain.providers import reason_of
from adain.sessions import LimitError, Sessions, Tensor
from adain.style import Style

FloatArray = npt.NDArray[np.float32]
Value = TypeVar("Value")

# A style's statistics are learned, and best, at about this size; larger pictures are brought down.
STYLE_SIDE = 512
# The contract's smallest picture; smaller ones are padded and the result is cut.
SMALLEST = 16
# The features of larger contents are not kept: they take up to 32 bytes a pixel.
CACHED_PIXELS = 4_000_000


class Stylizer:
    """Runs a trained model: styles are encoded once, a picture takes one pass.

    ``model`` is ``"fast"`` or ``"vgg19"``. ``precision`` is that of its files, ``"fp32"``,
    ``"fp16"`` or, where a model has it, ``"int8"``; styles serve all precisions alike.

    ``device`` is ``"cpu"``, ``"cuda"``, ``"tensorrt"``, ``"directml"``, ``"coreml"``,
    ``"openvino"``, or ``"cuda:1"`` and so on for one of several; or ``"auto"``: CUDA where it
    really runs, else the CPU, with a warning if a GPU build of ONNX Runtime could not use CUDA.
    ``strict`` refuses a device that leaves any part of the network to the CPU, and an ``"auto"``
    that is the CPU; with ``device="cpu"`` it means nothing.

    ``threads`` are those of each part, 1 to 1024; by default one per core. ``memory_limit``, in
    bytes or as ``"2GB"``, is what all that the networks compute may take on the CPU, or with their
    weights on CUDA (not tried there); pictures, the weights on the CPU and Python itself come on
    top. What would exceed it raises AdaINError; threads take turns, and what fits a new Stylizer
    fits at any time. One Stylizer serves many threads.

    Raises AdaINError where an argument is none of these, files are missing, or a device cannot run.
    """

    def __init__(
        self,
        model: str = "fast",
        device: str = "auto",
        *,
        precision: str = "fp32",
        threads: int | None = None,
        memory_limit: int | str | None = None,
        strict: bool = False,
    ) -> None:
        if model not in weights.MODELS:
            raise found_error("model", repr(model), " or ".join(weights.MODELS))
        self.model = model
        self.precision = precision
        files = weights.find_model(model, precision)
        self._sessions = Sessions(
            files, device, threads=threads, memory_limit=memory_limit, strict=strict
        )
        notes = {part: self._sessions.about(part) for part in files}
        for part, note in notes.items():
            kind = (note.get("model"), note.get("part"), note.get("precision", precision))
            if kind != (model, part, precision):
                allowed = f"the {part} of adain's model {model!r} in {precision}"
                raise found_error(str(files[part]), "another model", allowed)
        about = notes["decoder"]
        for part, note in notes.items():
            if note["weights_sha256"] != about["weights_sha256"]:
                raise found_error(
                    str(files[part]),
                    f"another training than that of {files['decoder']}",
                    "files of one export",
                )
        self._parts = tuple(files)
        self._stride = int(about["stride"])
        self._style_channels = int(about["style_channels"])
        self._weights = about["weights_sha256"]
        # Under a limit, what fits must do so whatever other threads do.
        limited = self._sessions.memory_limit is not None
        self._turn = threading.RLock() if limited else contextlib.nullcontext()
        # Moving the strength slider, or trying another style, leaves the content's features as
        # they are: one decoder pass is then all there is to do.
        self._styles: _Recent[Style] = _Recent(32)
        self._contents: _Recent[list[Tensor]] = _Recent(2)
        # A GPU loads its libraries and kernels when they are first needed: now, rather than while
        # somebody waits. On the CPU nothing is gained, and TensorRT would build an engine for a
        # size that nobody wants.
        if self._sessions.kind not in ("cpu", "tensorrt"):
            self.stylize(np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64, 3), np.uint8))

    @property
    def device(self) -> str:
        """What really runs: ``"cpu"``, ``"cuda:0"``, ``"coreml"`` and so on."""
        return self._sessions.device

    def encode_style(self, image: ImageSource, *, max_side: int | None = STYLE_SIDE) -> Style:
        """The style of a picture; kept for the next call with the same picture.

        ``image`` is whatever ``load_image`` takes. ``max_side`` brings a larger picture down to
        this many pixels on its long side: the smaller, the finer the brush strokes.
        """
        return self._encode_style(load_image(image, max_side=max_side).rgb)

    def _encode_style(self, rgb: FloatArray) -> Style:
        def encode() -> Style:
            planar = _planar(rgb, self._stride)
            # Without a style network of its own, a model's style is the encoder's statistics.
            part, output = ("style",) * 2 if "style" in self._parts else ("encoder", "statistics")
            vector: FloatArray = self._run(part, [output], rgb, image=planar)[0]
            return Style(vector.reshape(-1), self.model, self._weights)

        with self._turn:
            return self._styles.get(_digest(rgb), encode)

    @overload
    def stylize(
        self,
        content: npt.NDArray[Any],
        style: Style | ImageSource,
        alpha: float = 1.0,
        *,
        max_side: int | None = None,
    ) -> npt.NDArray[np.uint8]: ...

    @overload
    def stylize(
        self,
        content: EncodedImage | Image.Image,
        style: Style | ImageSource,
        alpha: float = 1.0,
        *,
        max_side: int | None = None,
    ) -> Image.Image: ...

    def stylize(
        self,
        content: ImageSource,
        style: Style | ImageSource,
        alpha: float = 1.0,
        *,
        max_side: int | None = None,
    ) -> Image.Image | npt.NDArray[np.uint8]:
        """The content in the style, exactly as large as the content (or its ``max_side``).

        ``content`` is whatever ``load_image`` takes: a path, bytes, a file and a PIL image give a
        PIL image, RGB or RGBA; an array gives a uint8 array ``[H, W, 3]``, or ``[H, W, 4]`` with
        the content's alpha. ``style`` is a Style or a picture. ``alpha`` is the strength: 0 gives
        the content back, 1 the full style (AdaIN eq. 14).
        """
        picture = load_image(content, max_side=max_side)
        stylized = self.stylize_picture(picture, style, alpha)
        return stylized.to_array() if isinstance(content, np.ndarray) else stylized.to_pil()

    def stylize_picture(
        self, picture: Picture, style: Style | ImageSource, alpha: float = 1.0
    ) -> Picture:
        """``stylize`` for a Picture, giving a Picture; the alpha channel is the content's."""
        strength = _check_alpha(alpha)
        if not isinstance(style, Style):
            style = self.encode_style(style)
        else:
            self._check_style(style)

        with self._turn:
            rgb = self._decode(picture.rgb, style, strength)
        return Picture(rgb, picture.alpha)

    def _decode(self, rgb: FloatArray, style: Style, strength: float) -> FloatArray:
        def encode() -> list[Tensor]:
            outputs = ["features", "statistics"]
            return self._run("encoder", outputs, rgb, stay=True, image=_planar(rgb, self._stride))

        height, width = rgb.shape[:2]
        kept = height * width <= CACHED_PIXELS
        features, statistics = self._contents.get(_digest(rgb), encode) if kept else encode()
        (image,) = self._run(
            "decoder",
            ["image"],
            rgb,
            features=features,
            statistics=statistics,
            style=style.vector.reshape(1, -1, 1, 1),
            alpha=np.full((1, 1, 1, 1), strength, np.float32),
        )
        return np.ascontiguousarray(image[0, :, :height, :width].transpose(1, 2, 0))

    def _check_style(self, style: Style) -> None:
        if style.model != self.model:
            found = f"one encoded by model {style.model!r}"
        elif style.weights != self._weights:
            found = f"one encoded by model {style.model!r} with other weights"
        elif style.vector.size != self._style_channels:
            found = f"a vector of {style.vector.size} numbers, not {self._style_channels}"
        else:
            return
        allowed = f"a Style that this Stylizer's model {self.model!r} encoded"
        raise found_error("style", found, allowed)

    def _run(
        self,
        part: str,
        outputs: Sequence[str],
        rgb: FloatArray,
        *,
        stay: bool = False,
        **inputs: Tensor,
    ) -> list[Tensor]:
        size = f"the {part} of {self.model} at {rgb.shape[1]} x {rgb.shape[0]}"
        try:
            try:
                return self._sessions.run(part, outputs, inputs, stay=stay)
            except LimitError:
                # What was kept for other pictures, or for this one's other sizes, may make room.
                self._contents.clear()
                self._sessions.give_back_memory()
                return self._sessions.run(part, outputs, inputs, stay=stay)
        except LimitError as error:
            allowed = "a larger limit, or a smaller max_side"
            raise self._sessions.limit_error(size, allowed) from error
        except Exception as error:
            # Out of memory is the one failure that a sound file and a checked input leave.
            raise AdaINError(
                f"ONNX Runtime could not run {size} on {self.device} ({reason_of(error)});"
                " a smaller max_side may fit"
            ) from error


class _Recent(Generic[Value]):
    """The values of the last few keys; what two threads ask for at once is computed once."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._values: OrderedDict[bytes, _Pending[Value]] = OrderedDict()

    def get(self, key: bytes, compute: Callable[[], Value]) -> Value:
        with self._lock:
            pending = self._values.setdefault(key, _Pending())
            self._values.move_to_end(key)
            while len(self._values) > self._size:
                self._values.popitem(last=False)
        return pending.get(compute)

    def clear(self) -> None:
        with self._lock:
            self._values.clear()


class _Pending(Generic[Value]):
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._value: list[Value] = []

    def get(self, compute: Callable[[], Value]) -> Value:
        with self._lock:
            if not self._value:
                self._value.append(compute())
            return self._value[0]


def _digest(rgb: FloatArray) -> bytes:
    digest = hashlib.blake2b(repr(rgb.shape).encode(), digest_size=16)
    digest.update(rgb.data)
    return digest.digest()


def _check_alpha(alpha: float) -> float:
    try:
        strength = float(alpha)
    except (TypeError, ValueError, OverflowError):
        strength = math.nan
    if not 0 <= strength <= 1:
        raise found_error("alpha", repr(alpha), "a number from 0 (the content) to 1 (the style)")
    return strength


def _planar(rgb: FloatArray, stride: int) -> FloatArray:
    """``[H, W, 3]`` as ``[1, 3, H', W']``, reflected at the bottom and right to the stride."""
    height, width = rgb.shape[:2]
    target = [max(SMALLEST, -(-size // stride) * stride) for size in (height, width)]
    planar = rgb.transpose(2, 0, 1)
    missing = ((0, 0), (0, target[0] - height), (0, target[1] - width))
    if any(after for _, after in missing):
        planar = np.pad(planar, missing, mode="reflect")
    return np.ascontiguousarray(planar[None])
