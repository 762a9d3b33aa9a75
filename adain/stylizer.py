"""The Stylizer: a photo and a style in, a stylised picture out, by ONNX Runtime."""

import contextlib
import threading
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, TypedDict, Unpack, cast, get_args, overload

import numpy as np
import numpy.typing as npt
from PIL import Image

from adain import maps, weights
from adain.cache import Recent, digest
from adain.colours import luminance, match_colours, match_luminance, with_luminance
from adain.errors import DeviceError, checked_integer, found_error
from adain.images import EncodedImage, ImageSource, load_image
from adain.images.picture import Picture
from adain.padding import SMALLEST as SMALLEST
from adain.padding import padded, to_planar
from adain.providers import reason_of
from adain.sessions import LimitError, Sessions, Tensor
from adain.style import VGG19_STATISTICS, Style

FloatArray = npt.NDArray[np.float32]
StyleSource: TypeAlias = Style | ImageSource
Styles: TypeAlias = StyleSource | Sequence[StyleSource]
Alpha: TypeAlias = float | ImageSource
Colours: TypeAlias = Literal["style", "matched", "luminance"]


class _How(TypedDict, total=False):
    style_weights: Sequence[float] | None
    masks: Sequence[ImageSource] | None
    colours: Colours
    style_size: int | None
    max_side: int | None


# A style's statistics are learned, and best, at about this size; larger pictures are brought down.
STYLE_SIDE = 512
# The features of contents that take more bytes than this are not kept.
CACHED_BYTES = 256_000_000


class Stylizer:
    """Runs a trained model: styles are encoded once, a picture takes one pass.

    ``model`` is ``"fast"``, ``"vgg19"``, ``"paper"`` or the name of an imported one
    (`adain.registry`). ``precision`` is that of its files, ``"fp32"``, ``"fp16"`` or, where a model
    has it, ``"int8"``; styles serve all precisions alike.

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

    ``cached_contents`` is of how many contents features are kept, 0 to 1024: those that people are
    working on at a time. Each takes up to 224 bytes a pixel, at most 256 MB.

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
        cached_contents: int = 2,
    ) -> None:
        cached_contents = checked_integer("cached_contents", cached_contents, 0, 1024)
        files = weights.find_model(model, precision)
        self.model = model
        self.precision = precision
        self._sessions = Sessions(
            files, device, threads=threads, memory_limit=memory_limit, strict=strict
        )
        notes = {part: self._sessions.about(part) for part in files}
        for part, note in notes.items():
            kind = (note.get("model"), note.get("part"), note.get("precision", precision))
            if kind != (model, part, precision):
                allowed = f"the {part} of adain's model {model!r} in {precision}"
                raise found_error(str(files[part]), "another model", allowed)
            if note.get("contract") != weights.CONTRACT:
                found = f"a file of contract {note.get('contract')}, of another version of adain"
                allowed = f"contract {weights.CONTRACT}; {weights.how_to_get(model, precision)}"
                raise found_error(str(files[part]), found, allowed)
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
        self._feature_stride = int(about["feature_stride"])
        self._style_channels = int(about["style_channels"])
        self._feature_bytes = 4 * float(about["features_per_pixel"])
        self._style_space = about["style_space"]
        self._encoded = ("features", "statistics", *about["skips"].split())
        # Under a limit, what fits must do so whatever other threads do.
        limited = self._sessions.memory_limit is not None
        self._turn = threading.RLock() if limited else contextlib.nullcontext()
        # Moving the strength slider, or trying another style, leaves the content's features as
        # they are: one decoder pass is then all there is to do.
        self._styles: Recent[Style] = Recent(32)
        self._contents: Recent[list[Tensor]] = Recent(cached_contents)
        # A GPU loads its libraries and kernels when they are first needed: now, rather than while
        # somebody waits. On the CPU nothing is gained, and TensorRT would build an engine for a
        # size that nobody wants.
        if self._sessions.kind not in ("cpu", "tensorrt"):
            self.stylize(np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64, 3), np.uint8))

    @property
    def device(self) -> str:
        """What really runs: ``"cpu"``, ``"cuda:0"``, ``"coreml"`` and so on."""
        return self._sessions.device

    def give_back_memory(self) -> None:
        """Free what the CPU's arena keeps of earlier, larger pictures; the caches stay."""
        with self._turn:
            self._sessions.give_back_memory()

    def encode_style(self, image: ImageSource, *, max_side: int | None = STYLE_SIDE) -> Style:
        """The style of a picture; kept for the next call with the same picture.

        ``image`` is whatever ``load_image`` takes. ``max_side`` brings a larger picture down to
        this many pixels on its long side: the smaller, the finer the brush strokes.
        """
        return self._encode_style(load_image(image, max_side=max_side).rgb)

    def _encode_style(self, rgb: FloatArray) -> Style:
        def encode() -> Style:
            planar = to_planar(rgb, self._stride)
            # Without a style network of its own, a model's style is the encoder's statistics.
            part, output = ("style",) * 2 if "style" in self._parts else ("encoder", "statistics")
            vector: FloatArray = self._run(part, [output], rgb, image=planar)[0]
            return Style(vector.reshape(-1), self.model, self._style_space)

        with self._turn:
            return self._styles.get(digest(rgb), encode)

    @overload
    def stylize(
        self, content: npt.NDArray[Any], style: Styles, alpha: Alpha = 1.0, **how: Unpack[_How]
    ) -> npt.NDArray[np.uint8]: ...

    @overload
    def stylize(
        self,
        content: EncodedImage | Image.Image,
        style: Styles,
        alpha: Alpha = 1.0,
        **how: Unpack[_How],
    ) -> Image.Image: ...

    def stylize(
        self,
        content: ImageSource,
        style: Styles,
        alpha: Alpha = 1.0,
        *,
        style_weights: Sequence[float] | None = None,
        masks: Sequence[ImageSource] | None = None,
        colours: Colours = "style",
        style_size: int | None = STYLE_SIDE,
        max_side: int | None = None,
    ) -> Image.Image | npt.NDArray[np.uint8]:
        """The content in the style, exactly as large as the content (or its ``max_side``).

        ``content`` is whatever ``load_image`` takes: a path, bytes, a file and a PIL image give a
        PIL image, RGB or RGBA; an array gives a uint8 array ``[H, W, 3]``, or ``[H, W, 4]`` with
        the content's alpha.

        ``style`` is a Style or a picture, or a list of these: a mixture (AdaIN eq. 15), by
        ``style_weights``, which are made to sum to 1, or equally. Pictures are brought down to a
        long side of ``style_size``, as ``encode_style`` does.

        ``alpha`` is the strength: 0 gives the content back, 1 the full style (eq. 14); or a map of
        strengths, as an array ``[h, w]`` in [0, 1] (or uint8) or a picture, black to white.
        ``masks``, one for each style, say where it goes: arrays ``[h, w]`` or pictures, white where
        it does. Masks that sum to more than 1 are divided by their sum; where they sum to less, the
        rest stays content. Maps and masks are stretched to the content. Changing any costs one
        pass of the decoder.

        ``colours``: ``"style"``; ``"matched"``, the style pictures (no Styles) are first given the
        mean and covariance of the content's colours; or ``"luminance"``, the content keeps its
        colours under a new luma, and style pictures are first brought to its lightness.

        Raises AdaINError where any of these is something else.
        """
        picture = load_image(content, max_side=max_side)
        stylized = self.stylize_picture(
            picture,
            style,
            alpha,
            style_weights=style_weights,
            masks=masks,
            colours=colours,
            style_size=style_size,
        )
        return stylized.to_array() if isinstance(content, np.ndarray) else stylized.to_pil()

    def stylize_picture(
        self,
        picture: Picture,
        style: Styles,
        alpha: Alpha = 1.0,
        *,
        style_weights: Sequence[float] | None = None,
        masks: Sequence[ImageSource] | None = None,
        colours: Colours = "style",
        style_size: int | None = STYLE_SIDE,
    ) -> Picture:
        """``stylize`` for a Picture, giving a Picture; the alpha channel is the content's."""
        if colours not in get_args(Colours):
            raise found_error("colours", repr(colours), "style, matched or luminance")
        if style_size is not None:
            checked_integer("style_size", style_size, 1)
        sources = list(style) if maps.is_several(style) else [cast(StyleSource, style)]
        if not sources:
            raise found_error("style", "an empty list", "one style or more")
        strength = maps.load_alpha(alpha)
        shares = maps.shares(style_weights, len(sources))
        planes = maps.load_masks(masks, len(sources))

        styles = [self._style(source, picture.rgb, colours, style_size) for source in sources]
        if planes is None:
            first, *others = (share * part for share, part in zip(shares, styles, strict=True))
            styles = [sum(others, first)]
        vectors = np.stack([part.vector[: self._style_channels] for part in styles])
        strengths = maps.style_strengths(strength, planes, shares, picture.width, picture.height)
        seen = luminance(picture.rgb) if colours == "luminance" else picture.rgb
        with self._turn:
            rgb = self._decode(seen, vectors, strengths)
        if colours == "luminance":
            rgb = with_luminance(picture.rgb, rgb)
        return Picture(rgb, picture.alpha)

    def _style(
        self, source: StyleSource, content: FloatArray, colours: Colours, size: int | None
    ) -> Style:
        if isinstance(source, Style):
            self._check_style(source)
            if colours == "matched":
                allowed = "a picture, whose colours can be matched"
                raise found_error("style", "a Style with colours 'matched'", allowed)
            return source
        rgb = load_image(source, max_side=size).rgb
        if colours != "style":
            match = match_colours if colours == "matched" else match_luminance
            rgb = match(rgb, content)
        return self._encode_style(rgb)

    def _decode(self, rgb: FloatArray, vectors: FloatArray, strengths: FloatArray) -> FloatArray:
        def encode() -> list[Tensor]:
            planar = to_planar(rgb, self._stride)
            return self._run("encoder", self._encoded, rgb, stay=True, image=planar)

        height, width = rgb.shape[:2]
        kept = height * width * self._feature_bytes <= CACHED_BYTES
        encoded = self._contents.get(digest(rgb), encode) if kept else encode()
        features = encoded[0]
        # An array, or an OrtValue where the device has memory of its own.
        shape = features.shape if isinstance(features, np.ndarray) else features.shape()
        if strengths.shape[1:] != (1, 1):
            strengths = padded(strengths, self._stride)
        style, alpha = maps.decoder_maps(strengths, vectors, self._feature_stride, *shape[2:])
        (image,) = self._run(
            "decoder",
            ["image"],
            rgb,
            **dict(zip(self._encoded, encoded, strict=True)),
            style=style,
            alpha=alpha,
        )
        return np.ascontiguousarray(image[0, :, :height, :width].transpose(1, 2, 0))

    def _check_style(self, style: Style) -> None:
        shared = self._style_space == VGG19_STATISTICS
        size, needed = style.vector.size, self._style_channels
        if style.model != self.model and (style.weights != self._style_space or not shared):
            found = f"one encoded by model {style.model!r}"
        elif style.weights != self._style_space:
            found = f"one encoded by model {style.model!r} with other weights"
        elif size < needed or (size > needed and not shared):
            found = f"a vector of {size} numbers, not {needed}"
        else:
            # A decoder of the paper's form is told the first of the statistics and no more.
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
            raise DeviceError(
                f"ONNX Runtime could not run {size} on {self.device} ({reason_of(error)});"
                " a smaller max_side may fit"
            ) from error
