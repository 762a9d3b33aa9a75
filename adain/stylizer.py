"""The Stylizer: a photo and a style in, a stylised picture out, by ONNX Runtime."""

import hashlib
import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

import numpy as np
import numpy.typing as npt
from PIL import Image

from adain import weights
from adain.errors import AdaINError, found_error
from adain.images import EncodedImage, ImageSource, load_image
from adain.picture import Picture
from adain.sessions import choose_provider, open_session, reason_of
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

    ``model`` is ``"fast"`` or ``"vgg19"``. ``device`` is ``"cpu"``, ``"cuda"``, ``"cuda:N"`` or
    ``"auto"``: CUDA where it really runs, else the CPU, with a warning if a GPU build of ONNX
    Runtime could not use CUDA. One Stylizer serves many threads.

    Raises AdaINError where the model is unknown, its files are missing, or CUDA is asked for and
    cannot run.
    """

    def __init__(self, model: str = "fast", device: str = "auto") -> None:
        if model not in weights.MODELS:
            raise found_error("model", repr(model), " or ".join(weights.MODELS))
        self.model = model
        files = weights.find_model(model)
        provider = choose_provider(device, files["encoder"])
        self._sessions = {part: open_session(file, provider) for part, file in files.items()}
        notes = {
            part: session.get_modelmeta().custom_metadata_map
            for part, session in self._sessions.items()
        }
        for part, note in notes.items():
            if (note.get("model"), note.get("part")) != (model, part):
                allowed = f"the {part} of adain's model {model!r}"
                raise found_error(str(files[part]), "another model", allowed)
        about = notes["decoder"]
        for part, note in notes.items():
            if note["weights_sha256"] != about["weights_sha256"]:
                raise found_error(
                    str(files[part]),
                    f"another training than that of {files['decoder']}",
                    "files of one export",
                )
        self._stride = int(about["stride"])
        self._style_channels = int(about["style_channels"])
        self._weights = about["weights_sha256"]
        # Moving the strength slider, or trying another style, leaves the content's features as
        # they are: one decoder pass is then all there is to do.
        self._styles: _Recent[Style] = _Recent(32)
        self._contents: _Recent[tuple[FloatArray, FloatArray]] = _Recent(2)

    @property
    def device(self) -> str:
        """What really runs: ``"cpu"``, or ``"cuda:0"`` and so on."""
        session = self._sessions["decoder"]
        if session.get_providers()[0] != "CUDAExecutionProvider":
            return "cpu"
        options = session.get_provider_options()["CUDAExecutionProvider"]
        return f"cuda:{options.get('device_id', '0')}"

    def encode_style(self, image: ImageSource, *, max_side: int | None = STYLE_SIDE) -> Style:
        """The style of a picture; kept for the next call with the same picture.

        ``image`` is whatever ``load_image`` takes. ``max_side`` brings a larger picture down to
        this many pixels on its long side: the smaller, the finer the brush strokes.
        """
        return self._encode_style(load_image(image, max_side=max_side).rgb)

    def _encode_style(self, rgb: FloatArray) -> Style:
        def encode() -> Style:
            planar = _planar(rgb, self._stride)
            if "style" in self._sessions:
                (vector,) = self._run("style", image=planar)
            else:
                vector = self._run("encoder", image=planar)[1]
            return Style(vector.reshape(-1), self.model, self._weights)

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

        def encode() -> tuple[FloatArray, FloatArray]:
            features, statistics = self._run("encoder", image=_planar(picture.rgb, self._stride))
            return features, statistics

        if picture.width * picture.height <= CACHED_PIXELS:
            features, statistics = self._contents.get(_digest(picture.rgb), encode)
        else:
            features, statistics = encode()
        (image,) = self._run(
            "decoder",
            features=features,
            statistics=statistics,
            style=style.vector.reshape(1, -1, 1, 1),
            alpha=np.full((1, 1, 1, 1), strength, np.float32),
        )
        rgb = image[0, :, : picture.height, : picture.width].transpose(1, 2, 0)
        return Picture(np.ascontiguousarray(rgb), picture.alpha)

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

    def _run(self, part: str, **inputs: FloatArray) -> list[FloatArray]:
        try:
            outputs: list[FloatArray] = self._sessions[part].run(None, inputs)
        except Exception as error:
            # Out of memory is the one failure that a sound file and a checked input leave.
            height, width = next(iter(inputs.values())).shape[2:]
            raise AdaINError(
                f"{self.model}: ONNX Runtime could not run the {part} at {width} x {height} on"
                f" {self.device} ({reason_of(error)}); a smaller max_side may fit"
            ) from error
        return outputs


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
