"""The Stylizer: a photo and a style in, a stylized picture out, by ONNX Runtime."""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeAlias, Unpack, cast, overload

import numpy as np
import numpy.typing as npt
from PIL import Image

from adain import contract, footprint, hub, large
from adain.cache import Cache, digest
from adain.colours import Colours, Moments, fitted
from adain.errors import checked_integer
from adain.images import MAX_PIXELS, QUALITY, EncodedImage, ImageSource, Picture, load_image
from adain.images.windows import Windows, load_windows, of_picture
from adain.model_files import read_layout
from adain.network import Encoded, Network
from adain.options import STYLE_SIDE, Strength, StylizeKeywords, StylizeOptions
from adain.recipe import Recipe
from adain.registry import DEFAULT_MODEL
from adain.resampling import Box
from adain.sessions import Sessions
from adain.style import Style
from adain.tiling import Plan, StatisticsFrom, Tiles, Tiling, encoded_whole

FloatArray = npt.NDArray[np.float32]
StyleSource: TypeAlias = Style | ImageSource
Styles: TypeAlias = StyleSource | Sequence[StyleSource]

# Contents that take more bytes than this, with their features, are not kept.
CACHED_BYTES = 256_000_000


class Stylizer:
    """Runs a trained model: styles are encoded once, a picture takes one pass.

    ``model`` is the name of a row of `adain.registry`, ``"vgg19"`` for one, or of an imported one;
    or a `adain.hub.Repository`.
    ``precision`` is that of its files, ``"fp32"``, ``"fp16"`` or, where a model has it, ``"int8"``;
    styles serve all precisions alike.

    ``device`` is one of `adain.backends`, such as ``"cuda"``, or ``"cuda:1"`` for one of several;
    or ``"auto"``: CUDA where it really runs, else the CPU, with a warning if a GPU build of ONNX
    Runtime could not use CUDA.
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
        model: str | hub.Repository = DEFAULT_MODEL,
        device: str = "auto",
        *,
        precision: str = "fp32",
        threads: int | None = None,
        memory_limit: int | str | None = None,
        strict: bool = False,
        cached_contents: int = 2,
    ) -> None:
        cached_contents = checked_integer("cached_contents", cached_contents, 0, 1024)
        # As they are now: an imported model may be gone tomorrow.
        self.row, self.files = hub.located(model, precision)
        self.model, self.precision = self.row.name, precision
        runs: dict[str, Any] = {"threads": threads, "memory_limit": memory_limit, "strict": strict}
        more: dict[str, Any] = {"precision": precision, "cached_contents": cached_contents}
        self._opened_as = partial(type(self), model, device, **runs, **more)
        self._sessions = Sessions(self.files, device, **runs)
        notes = {part: self._sessions.about(part) for part in self.files}
        self.layout = read_layout(self.row, precision, self.files, notes)
        # Another strength or style leaves the content's features: one decoder pass is all to do.
        self._styles: Cache[Style] = Cache(32)
        self._contents: Cache[Encoded] = Cache(cached_contents)
        source, forget = contract.style_source(self.files), self._contents.clear
        self._network = Network(self.model, self._sessions, self.layout, source, forget)
        # A GPU loads its libraries and kernels when first needed: now, while nobody waits. TensorRT
        # would build an engine for a size that nobody wants.
        if self._sessions.kind not in ("cpu", "tensorrt"):
            self.stylize(*np.zeros((2, 64, 64, 3), np.uint8))

    @classmethod
    def from_pretrained(cls, source: str | os.PathLike[str], *given: Any, **options: Any) -> Self:
        """A Stylizer of what `adain export --hub` wrote into a folder, or ``"owner/name"`` has on
        the Hugging Face Hub, fetched once; all else as for the class.
        """
        return cls(hub.open_repository(source), *given, **options)

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
            return Style(self._network.encode_style(rgb), self.model, self.layout.style_space)

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
        smooth: float = StylizeOptions.smooth,
        style_size: int | None = StylizeOptions.style_size,
        max_side: int | None = StylizeOptions.max_side,
    ) -> Image.Image | npt.NDArray[np.uint8] | Picture:
        """``stylize_with`` the options of StylizeOptions, which says what they are."""
        options = StylizeOptions(
            alpha=alpha,
            style_weights=style_weights,
            masks=masks,
            colours=colours,
            smooth=smooth,
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
        ``smooth`` and ``max_side`` costs one pass of the decoder.

        Raises AdaINError where any of these is something else.
        """
        if isinstance(content, Picture) or options.max_side is not None:
            source: Windows = of_picture(load_image(content, max_side=options.max_side))
        else:
            source = load_windows(content, max_pixels=MAX_PIXELS)
        exact = isinstance(content, Picture)
        stylized = self.stylize_recipe(source, Recipe.of(style, options), exact=exact)
        if isinstance(stylized, Picture):
            if exact:
                return stylized
            stylized = stylized.to_array()
        return stylized if isinstance(content, np.ndarray) else Image.fromarray(stylized)

    def stylize_large(
        self,
        content: ImageSource | Windows,
        style: Styles,
        output: str | os.PathLike[str],
        options: StylizeOptions | None = None,
        *,
        statistics_from: StatisticsFrom = "picture",
        quality: int = QUALITY,
        pyramid: bool = False,
    ) -> None:
        """Write the content in the style to a file, tile by tile, in memory that does not grow.

        The picture is that of `stylize`, to the bit from 2 megapixels on. JPEG, PNG and TIFF are
        read and written row by row with what `adain[large]` brings, which adds Deep Zoom (``.dzi``)
        and a ``pyramid`` TIFF; without it, or as other formats, they are held at 8 bits.
        ``statistics_from`` a ``"sample"`` of 16 tiles or a ``"thumbnail"`` saves the pass that
        gathers the statistics, for an estimate. Of the options, ``max_side`` does not count here.
        """
        options = options or StylizeOptions()
        large.check_output(output, pyramid=pyramid)
        recipe = Recipe.of(style, options)
        source = content if isinstance(content, Windows) else load_windows(content)
        outer = footprint.largest_tile(self.row, self._sessions.memory_limit)
        tiles = self._tiling(source, recipe, large.plan_for(self.row, outer, statistics_from))
        with self._sessions.turn:
            large.to_file(tiles, source, self._network, Path(output), quality, pyramid=pyramid)

    def tile_side(self, width: int, height: int) -> int | None:
        """The pixels of a tile's side where a content of this size is tiled; None for one piece."""
        if self._sessions.kind != "cpu":
            return None
        return footprint.tile_side(self.row, width, height, self._sessions.memory_limit)

    def _tiling(self, source: Windows, recipe: Recipe, plan: Plan) -> Tiles:
        style_of = partial(self.style_for, options=recipe.options)
        return Tiling(self._network, source, recipe, plan).run(style_of)

    def stylize_recipe(
        self, content: Windows, recipe: Recipe, *, exact: bool
    ) -> Picture | npt.NDArray[np.uint8]:
        """What `stylize_with` does, once sources and options are read; ``exact`` is a Picture."""
        outer = self.tile_side(content.width, content.height)
        if outer is not None:
            tiles = self._tiling(content, recipe, large.plan_for(self.row, outer))
            with self._sessions.turn:
                return large.in_memory(tiles, content, exact=exact)
        picture = content.window(Box(0, 0, content.height, content.width))
        shown = picture.opaque().rgb
        styles = [self.style_for(source, shown, recipe.options) for source in recipe.sources]
        vectors = recipe.vectors(styles, self.layout.style_channels)
        strengths = recipe.strengths(content.width, content.height)
        seen = recipe.seen(shown)
        with self._sessions.turn:
            told = recipe.told(self._encoded(seen, recipe))
            rgb = self._network.decode(told, seen, vectors, strengths)
        return recipe.finished(picture, shown, rgb, strengths)

    def style_for(
        self, source: StyleSource, content: FloatArray | Moments | None, options: StylizeOptions
    ) -> Style:
        """The style of a source, seen beside a content if any; AdaINError for another model's."""
        if not isinstance(source, Style):
            rgb = load_image(source, max_side=options.style_size).opaque().rgb
            rgb = rgb if content is None else fitted(rgb, content, options.colours)
            return self._encode_style(rgb)
        source.check_for(self.model, self.layout.style_space, self.layout.style_channels)
        return source

    def _encoded(self, rgb: FloatArray, recipe: Recipe) -> Encoded:
        kept = recipe.statistics is None and self._contents.keeps
        if not kept or rgb.size // 3 * self.layout.content_bytes > CACHED_BYTES:
            return encoded_whole(self._network, rgb, recipe)
        key = digest(rgb) + repr(recipe.options.smooth).encode()  # a thirtieth of `fast`'s time
        return self._contents.get(key, partial(encoded_whole, self._network, rgb, recipe))
