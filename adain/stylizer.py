"""The Stylizer: a photo and a style in, a stylized picture out, by ONNX Runtime."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, Unpack, cast, overload

import numpy as np
import numpy.typing as npt
from PIL import Image

from adain import contract, maps, weights
from adain.cache import Cache, digest
from adain.colours import Colours, fitted, luminance, with_luminance
from adain.contract import Key
from adain.errors import DeviceError, checked_integer, failing, found_error
from adain.images import EncodedImage, ImageSource, Picture, load_image
from adain.options import STYLE_SIDE, Strength, StylizeKeywords, StylizeOptions
from adain.padding import padded, to_planar
from adain.providers import reason_of
from adain.registry import DEFAULT_MODEL
from adain.sessions import LimitError, Sessions, Tensor
from adain.style import VGG19_STATISTICS, Style

FloatArray = npt.NDArray[np.float32]
StyleSource: TypeAlias = Style | ImageSource
Styles: TypeAlias = StyleSource | Sequence[StyleSource]

# The features of contents that take more bytes than this are not kept.
CACHED_BYTES = 256_000_000


class Stylizer:
    """Runs a trained model: styles are encoded once, a picture takes one pass.

    ``model`` is the name of a row of `adain.registry`, ``"vgg19"`` for one, or of an imported one.
    ``precision`` is that of its files, ``"fp32"``, ``"fp16"`` or, where a model has it, ``"int8"``;
    styles serve all precisions alike.

    ``device`` is ``"cpu"``, ``"cuda"``, ``"tensorrt"``, ``"directml"``, ``"coreml"``,
    ``"openvino"``, or ``"cuda:1"`` and so on for one of several; or ``"auto"``: CUDA where it
    really runs, else the CPU, with a warning if a GPU build of ONNX Runtime could not use CUDA.
    ``strict`` refuses a device that leaves any part of the network to the CPU, and an ``"auto"``
    that is the CPU; with ``device="cpu"`` it means nothing.

    ``threads`` are those of each part, 1 to 1024; by default one per core that the
    process may use. ``memory_limit``, in bytes or as ``"2GB"``, is what all that the networks
    compute may take on the CPU, or with their weights on CUDA (not tried there); pictures, the
    weights on the CPU and Python itself come on top. What would exceed it raises AdaINError;
    threads take turns, and what fits a new Stylizer fits at any time.

    One Stylizer serves many threads, and on the CPU processes that are forked off it: each opens
    the files anew for its first picture.

    ``cached_contents`` is of how many contents features are kept, 0 to 1024: those that people are
    working on at a time. Each takes up to 224 bytes a pixel, at most 256 MB.

    Raises AdaINError where an argument is none of these, files are missing, or a device cannot run.
    """

    def __init__(
        self,
        model: str = DEFAULT_MODEL,
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
            kind = (note.get(Key.MODEL), note.get(Key.PART), note.get(Key.PRECISION, precision))
            if kind != (model, part, precision):
                allowed = f"the {part} of adain's model {model!r} in {precision}"
                raise found_error(str(files[part]), "another model", allowed)
            version = note.get(Key.CONTRACT)
            if version != contract.VERSION:
                found = f"a file of contract {version}, of another version of adain"
                allowed = f"contract {contract.VERSION}; {weights.how_to_get(model, precision)}"
                raise found_error(str(files[part]), found, allowed)
        about = notes[contract.DECODER]
        for part, note in notes.items():
            if note.get(Key.WEIGHTS_SHA256) != about.get(Key.WEIGHTS_SHA256):
                raise found_error(
                    str(files[part]),
                    f"another training than that of {files[contract.DECODER]}",
                    "files of one export",
                )
        self._style_source = contract.style_source(files)
        file = str(files[contract.DECODER])
        with failing(file, "damaged metadata", "a model file of adain"):
            self._stride = int(about[Key.STRIDE])
            self._feature_stride = int(about[Key.FEATURE_STRIDE])
            self._style_channels = int(about[Key.STYLE_CHANNELS])
            self._feature_bytes = 4 * float(about[Key.FEATURES_PER_PIXEL])
            self._style_space = about[Key.STYLE_SPACE]
            self._encoded = contract.encoder_outputs(about[Key.SKIPS].split())
        # Moving the strength slider, or trying another style, leaves the content's features as
        # they are: one decoder pass is then all there is to do.
        self._styles: Cache[Style] = Cache(32)
        self._contents: Cache[list[Tensor]] = Cache(cached_contents)
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
        with self._sessions.turn:
            self._sessions.give_back_memory()

    def encode_style(self, image: ImageSource, *, max_side: int | None = STYLE_SIDE) -> Style:
        """The style of a picture; kept for the next call with the same picture.

        ``image`` is whatever ``load_image`` takes. ``max_side`` brings a larger picture down to
        this many pixels on its long side: the smaller, the finer the brush strokes.
        """
        return self._encode_style(load_image(image, max_side=max_side).opaque().rgb)

    def _encode_style(self, rgb: FloatArray) -> Style:
        def encode() -> Style:
            planar = to_planar(rgb, self._stride)
            part, output = self._style_source
            vector: FloatArray = self._run(part, [output], rgb, {contract.IMAGE: planar})[0]
            return Style(vector.reshape(-1), self.model, self._style_space)

        with self._sessions.turn:
            return self._styles.get(digest(rgb), encode)

    @overload
    def stylize(
        self,
        content: npt.NDArray[Any],
        style: Styles,
        alpha: Strength = 1.0,
        **options: Unpack[StylizeKeywords],
    ) -> npt.NDArray[np.uint8]: ...

    @overload
    def stylize(
        self,
        content: Picture,
        style: Styles,
        alpha: Strength = 1.0,
        **options: Unpack[StylizeKeywords],
    ) -> Picture: ...

    @overload
    def stylize(
        self,
        content: EncodedImage | Image.Image,
        style: Styles,
        alpha: Strength = 1.0,
        **options: Unpack[StylizeKeywords],
    ) -> Image.Image: ...

    def stylize(
        self,
        content: ImageSource,
        style: Styles,
        alpha: Strength = StylizeOptions.alpha,
        *,
        style_weights: Sequence[float] | None = StylizeOptions.style_weights,
        masks: Sequence[ImageSource] | None = StylizeOptions.masks,
        colours: Colours = StylizeOptions.colours,
        style_size: int | None = StylizeOptions.style_size,
        max_side: int | None = StylizeOptions.max_side,
    ) -> Image.Image | npt.NDArray[np.uint8] | Picture:
        """``stylize_with`` the options of StylizeOptions, which says what they are."""
        options = StylizeOptions(
            alpha=alpha,
            style_weights=style_weights,
            masks=masks,
            colours=colours,
            style_size=style_size,
            max_side=max_side,
        )
        # A type checker wants to be told which of the overloads it is.
        return self.stylize_with(cast(Any, content), style, options)  # type: ignore[no-any-return]

    @overload
    def stylize_with(
        self, content: npt.NDArray[Any], style: Styles, options: StylizeOptions
    ) -> npt.NDArray[np.uint8]: ...

    @overload
    def stylize_with(self, content: Picture, style: Styles, options: StylizeOptions) -> Picture: ...

    @overload
    def stylize_with(
        self, content: EncodedImage | Image.Image, style: Styles, options: StylizeOptions
    ) -> Image.Image: ...

    def stylize_with(
        self, content: ImageSource, style: Styles, options: StylizeOptions
    ) -> Image.Image | npt.NDArray[np.uint8] | Picture:
        """The content in the style, exactly as large as the content (or its ``max_side``).

        ``content`` is whatever ``load_image`` takes: a path, bytes, a file and a PIL image give a
        PIL image, RGB or RGBA; an array gives a uint8 array ``[H, W, 3]``, or ``[H, W, 4]`` with
        the content's alpha channel; a Picture gives a Picture.

        ``style`` is a Style or a picture, or a list of these: a mixture (AdaIN eq. 15). With
        ``colours="matched"`` it is a picture.

        Masks that sum to more than 1 are divided by their sum; where they sum to less, the rest
        stays content. Maps and masks are stretched to the content. Changing any option but
        ``max_side`` costs one pass of the decoder.

        Raises AdaINError where any of these is something else.
        """
        picture = load_image(content, max_side=options.max_side)
        stylized = self._stylized(picture, style, options)
        if isinstance(content, Picture):
            return stylized
        return stylized.to_array() if isinstance(content, np.ndarray) else stylized.to_pil()

    def _stylized(self, content: Picture, style: Styles, options: StylizeOptions) -> Picture:
        sources = list(style) if maps.is_several(style) else [cast(StyleSource, style)]
        if not sources:
            raise found_error("style", "an empty list", "one style or more")
        strength = maps.load_strength(options.alpha)
        shares = maps.shares(options.style_weights, len(sources))
        masks = maps.load_masks(options.masks, len(sources))

        shown = content.opaque().rgb
        styles = [self._style(source, shown, options) for source in sources]
        if masks is None:
            first, *others = (share * part for share, part in zip(shares, styles, strict=True))
            styles = [sum(others, first)]
        vectors = np.stack([part.vector[: self._style_channels] for part in styles])
        strengths = maps.style_strengths(strength, masks, shares, content.width, content.height)
        keeps_colours = options.colours == "luminance"
        seen = luminance(shown) if keeps_colours else shown
        with self._sessions.turn:
            rgb = self._decode(seen, vectors, strengths)
        if keeps_colours:
            rgb = with_luminance(shown, rgb)
        if shown is not content.rgb:
            # What nobody sees is handed back as well, where nothing is asked for.
            rgb = np.where((strengths.sum(axis=0) == 0)[..., None], content.rgb, rgb)
        return Picture(rgb, content.alpha)

    def _style(self, source: StyleSource, content: FloatArray, options: StylizeOptions) -> Style:
        if not isinstance(source, Style):
            picture = load_image(source, max_side=options.style_size)
            return self._encode_style(fitted(picture.opaque().rgb, content, options.colours))
        self._check_style(source)
        if options.colours == "matched":
            allowed = "a picture, whose colours can be matched"
            raise found_error("style", "a Style with colours 'matched'", allowed)
        return source

    def _decode(self, rgb: FloatArray, vectors: FloatArray, strengths: FloatArray) -> FloatArray:
        def encode() -> list[Tensor]:
            planar = to_planar(rgb, self._stride)
            inputs = {contract.IMAGE: planar}
            return self._run(contract.ENCODER, self._encoded, rgb, inputs, stay=True)

        height, width = rgb.shape[:2]
        kept = height * width * self._feature_bytes <= CACHED_BYTES
        encoded = self._contents.get(digest(rgb), encode) if kept else encode()
        features = encoded[0]
        # An array, or an OrtValue where the device has memory of its own.
        shape = features.shape if isinstance(features, np.ndarray) else features.shape()
        if strengths.shape[1:] != (1, 1):
            strengths = padded(strengths, self._stride)
        style, strength = maps.decoder_maps(strengths, vectors, self._feature_stride, *shape[2:])
        inputs = dict(zip(self._encoded, encoded, strict=True))
        inputs |= {contract.STYLE: style, contract.ALPHA: strength}
        (image,) = self._run(contract.DECODER, [contract.IMAGE], rgb, inputs)
        if np.isnan(image.min()):
            raise DeviceError(f"{self.model} on {self.device}: found a picture of no numbers (NaN)")
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
        inputs: Mapping[str, Tensor],
        *,
        stay: bool = False,
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
