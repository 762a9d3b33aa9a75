"""The Stylizer: a photo and a style in, a stylized picture out, by ONNX Runtime."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias, Unpack, cast, overload

import numpy as np
import numpy.typing as npt
from PIL import Image

from adain import contract, maps, weights
from adain.cache import Cache, digest
from adain.colours import Colours, fitted, luminance, with_luminance
from adain.errors import DeviceError, checked_integer, found_error
from adain.images import EncodedImage, ImageSource, Picture, load_image
from adain.model_files import read_layout
from adain.options import STYLE_SIDE, Strength, StylizeKeywords, StylizeOptions
from adain.padding import padded, to_planar
from adain.providers import reason_of
from adain.registry import DEFAULT_MODEL
from adain.sessions import LimitError, Sessions, Tensor
from adain.style import Style

FloatArray = npt.NDArray[np.float32]
StyleSource: TypeAlias = Style | ImageSource
Styles: TypeAlias = StyleSource | Sequence[StyleSource]

# Contents that take more bytes than this, with their features, are not kept.
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

    ``threads`` are those of each part, 1 to 1024; by default one per core that the process may use.
    ``memory_limit``, in bytes or as ``"2GB"``, is what all that the networks compute may take on
    the CPU, or with their weights on CUDA (not tried there); pictures, the weights on the CPU and
    Python come on top. What would exceed it raises AdaINError; threads take turns, and what fits a
    new Stylizer fits at any time. One Stylizer serves many threads, and on the CPU processes that
    are forked off it: each opens the files anew for its first picture, as a pickled one does.

    ``cached_contents`` is of how many contents features are kept, 0 to 1024: those that people are
    working on at a time. Each takes up to 236 bytes a pixel, at most 256 MB.

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
        self._opened_as = partial(
            type(self),
            model,
            device,
            precision=precision,
            threads=threads,
            memory_limit=memory_limit,
            strict=strict,
            cached_contents=cached_contents,
        )
        self.model = model
        self.precision = precision
        self._sessions = Sessions(
            files, device, threads=threads, memory_limit=memory_limit, strict=strict
        )
        notes = {part: self._sessions.about(part) for part in files}
        self._layout = read_layout(model, precision, files, notes)
        self._style_source = contract.style_source(files)
        # Another strength or style leaves the content's features: one decoder pass is all to do.
        self._styles: Cache[Style] = Cache(32)
        self._contents: Cache[dict[str, Tensor]] = Cache(cached_contents)
        # A GPU loads its libraries and kernels when first needed: now, while nobody waits. TensorRT
        # would build an engine for a size that nobody wants.
        if self._sessions.kind not in ("cpu", "tensorrt"):
            self.stylize(*np.zeros((2, 64, 64, 3), np.uint8))

    def __reduce__(self) -> tuple[Any, ...]:
        # Sessions do not pickle, and another process opens its own. The caches stay here.
        return self._opened_as, ()

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
            planar = to_planar(rgb, self._layout.stride)
            part, output = self._style_source
            vector: FloatArray = self._run(part, [output], rgb, {contract.IMAGE: planar})[0]
            return Style(vector.reshape(-1), self.model, self._layout.style_space)

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
        if isinstance(content, np.ndarray):
            return stylized.to_array()
        return stylized if isinstance(content, Picture) else stylized.to_pil()

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
        vectors = np.stack([part.vector[: self._layout.style_channels] for part in styles])
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
        source.check_for(self.model, self._layout.style_space, self._layout.style_channels)
        if options.colours == "matched":
            allowed = "a picture, whose colours can be matched"
            raise found_error("style", "a Style with colours 'matched'", allowed)
        return source

    def _decode(self, rgb: FloatArray, vectors: FloatArray, strengths: FloatArray) -> FloatArray:
        def encode() -> dict[str, Tensor]:
            image = {contract.IMAGE: to_planar(rgb, self._layout.stride)}
            encoded = self._run(contract.ENCODER, self._layout.encoded, rgb, image, stay=True)
            return image | dict(zip(self._layout.encoded, encoded, strict=True))

        height, width = rgb.shape[:2]
        kept = height * width * self._layout.content_bytes <= CACHED_BYTES
        inputs = self._contents.get(digest(rgb), encode) if kept else encode()
        features = inputs[contract.FEATURES]
        # An OrtValue where the device has memory of its own.
        shape = features.shape if isinstance(features, np.ndarray) else features.shape()
        if strengths.shape[1:] != (1, 1):
            strengths = padded(strengths, self._layout.stride)
        strength, style, alpha = maps.decoder_maps(
            strengths, vectors, self._layout.feature_stride, *shape[2:]
        )
        told = {contract.STYLE: style, contract.ALPHA: alpha, contract.STRENGTH: strength}
        (image,) = self._run(contract.DECODER, [contract.STYLIZED], rgb, inputs | told)
        if np.isnan(image.min()):
            raise DeviceError(f"{self.model} on {self.device}: found a picture of no numbers (NaN)")
        return np.ascontiguousarray(image[0, :, :height, :width].transpose(1, 2, 0))

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
            raise self._sessions.limit_error(
                size, "a larger limit, or a smaller max_side"
            ) from error
        except Exception as error:
            # Out of memory is the one failure that a sound file and a checked input leave.
            why = f"{size} on {self.device} ({reason_of(error)}); a smaller max_side may fit"
            raise DeviceError(f"ONNX Runtime could not run {why}") from error
