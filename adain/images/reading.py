"""Images in: files, bytes, open files, PIL images and arrays to a `Picture`."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, TypeAlias, cast

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile

from adain.errors import checked_integer, failing, found_error
from adain.images.colorimetry import Encoding
from adain.images.containers.bmff import open_avif, open_heif
from adain.images.containers.exif import orientation_of
from adain.images.containers.gif import open_gif
from adain.images.containers.jpeg import open_jpeg
from adain.images.containers.opened import Opened, Samples
from adain.images.containers.png import open_png
from adain.images.containers.tiff import open_tiff
from adain.images.formats import FORMATS, format_of_bytes
from adain.images.modes import from_pil, from_samples
from adain.images.picture import MAX_SIDE, Picture, from_array

EncodedImage: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO
ImageSource: TypeAlias = EncodedImage | Image.Image | npt.NDArray[Any] | Picture

MAX_PIXELS = 2**30 // 12  # 89,478,485: what fits into 1 GiB as float32 RGB
# How many times more pixels than are kept a JPEG decoder may read over to make them.
_DRAFT_READS = 8
TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def load_image(
    source: ImageSource, *, max_side: int | None = None, max_pixels: int = MAX_PIXELS
) -> Picture:
    """Read an image from a path, encoded bytes, a binary file, a PIL image, an array or a Picture.

    Files, bytes, files open in binary mode (read from where they stand to their end) and PIL
    images: every PIL mode, EXIF orientation and ICC profile (relative colorimetric; a profile that
    is broken or of another colour space is ignored). Modes I;16 and I are 16-bit gray, 0..65535;
    mode F is gray in [0, 1]. Files also: colours by gAMA, cHRM and cICP of PNG and nclx of AVIF and
    HEIC, PQ and HLG tone-mapped, and layouts of TIFF that are no PIL mode. An animation gives its
    first frame, a TIFF its first page that is no thumbnail and no mask. Damage that touches no
    pixel does no harm.

    Arrays are sRGB [H, W], [H, W, 1], [H, W, 3] or [H, W, 4]: bool, uint8 in 0..255, uint16 in
    0..65535, float16, float32 or float64 in [0, 1]. A Picture is handed back, itself where it keeps
    its size. The source is never changed.

    max_side: bring the long side down to at most this many pixels, keeping the aspect.
    max_pixels: refuse a larger image, before its pixels are decoded; no side may exceed MAX_SIDE.
        Of a JPEG that its decoder makes smaller for max_side, these fewer pixels count, and 8 times
        as many in the file.

    Raises AdaINError, with the name of the source, for whatever is none of these.
    """
    max_pixels = checked_integer("max_pixels", max_pixels, 1)
    if max_side is not None:
        max_side = checked_integer("max_side", max_side, 1)
    if isinstance(source, np.ndarray):
        check_size("the array", source.shape[1::-1], max_pixels)
        source = from_array(source, "the array")
    if isinstance(source, Picture):
        size = source.width, source.height
        check_size("the picture", size, max_pixels)
        return source if max_side is None else source.resized(*fit(size, max_side))
    if isinstance(source, Image.Image):
        check_size("the PIL image", source.size, max_pixels)
        return decode(source, "the PIL image", max_side)
    with stream_of(source) as (stream, name):
        return _decoded(open_image(stream, name), name, max_side, max_pixels)


def check_size(name: str, size: tuple[int, ...], max_pixels: int) -> None:
    if len(size) == 2 and (size[0] * size[1] > max_pixels or max(size) > MAX_SIDE):
        raise found_error(
            name,
            f"{size[0]:,} x {size[1]:,} pixels",
            f"at most {max_pixels:,} pixels, and {MAX_SIDE:,} on a side",
        )


def fit(size: tuple[int, int], max_side: int) -> tuple[int, int]:
    """A size whose long side is brought down to at most ``max_side``."""
    longest = max(size)
    side = min(longest, max_side)
    width, height = (max(1, (n * side + longest // 2) // longest) for n in size)
    return width, height


@contextmanager
def stream_of(source: Any) -> Iterator[tuple[BinaryIO, str]]:
    """A seekable binary stream that starts at the image, and what to call it."""
    files = f"a {', '.join(FORMATS)} image"
    if isinstance(source, (bytes, bytearray, memoryview)):
        yield io.BytesIO(bytes(source)), "the bytes"
    elif isinstance(source, (str, os.PathLike)):
        name = os.fsdecode(source)
        if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]+://|data:", name):
            raise found_error(name, "a URL", "a path: URLs are not opened")
        with failing(name, "a file that cannot be opened", files):
            file = open(name, "rb")  # noqa: SIM115
        with file:
            with failing(name, "a file that cannot be read", files):
                # A pipe cannot go back to the start, as the decoders do.
                stream = file if file.seekable() else io.BytesIO(file.read())
            yield cast(BinaryIO, stream), name
    elif hasattr(source, "read"):
        label = getattr(source, "name", None)
        name = f"the file object {label}" if isinstance(label, str) else "the file object"
        if isinstance(source, io.TextIOBase):
            raise found_error(name, "text mode", "a file open in binary mode")
        # Read rather than passed on: decoders go to the start of a file, not to where it stands.
        with failing(name, "a file object that cannot be read", "a file open in binary mode"):
            data = source.read()
        if not isinstance(data, bytes):
            raise found_error(
                name, f"{type(data).__name__} from read()", "a file open in binary mode"
            )
        yield io.BytesIO(data), name
    else:
        raise found_error(
            "the image",
            f"a {type(source).__module__}.{type(source).__qualname__}",
            "a path, bytes, a file open in binary mode, a PIL image, a numpy array or a Picture",
        )


def open_image(stream: BinaryIO, name: str) -> Opened:
    """Parse the header of an image file; its pixels stay undecoded.

    Not `Image.open`: that one checks the size by a limit of the whole process, and reports through
    `warnings`. To set either aside for one call (`Image.MAX_IMAGE_PIXELS`, `catch_warnings`) is to
    change it for every other thread meanwhile. The plugin's own entry point has no such check, and
    `check_size` follows it. (TIFF repeats the check while decoding: for it a larger
    `max_pixels` helps up to Pillow's own limit, and past it the error is an AdaINError still.)
    """
    allowed = f"a {', '.join(FORMATS)} image"
    Image.init()  # fills the registry, which else only `Image.open` does
    with failing(name, "a broken image", allowed):
        prefix = stream.read(64)
        if not prefix:
            raise found_error(name, "nothing (0 bytes)", allowed)
        stream.seek(0)
        format = format_of_bytes(prefix)
        if format not in (*FORMATS, "HEIC"):
            start = f"it starts with {prefix[:8]!r}"
            found = (
                f"a file of {format} ({start})" if format else f"no known image format ({start})"
            )
            raise found_error(name, found, allowed)
        with failing(name, f"a broken {format} image", "an intact one"):
            if format == "PNG":
                return open_png(stream)
            if format == "JPEG":
                return open_jpeg(stream, name)
            if format == "TIFF":
                return open_tiff(stream, name)
            if format == "HEIC":
                return open_heif(stream, name)
            if format == "GIF":
                return open_gif(stream)
            factory, _ = Image.OPEN[format]
            if format == "AVIF":
                return open_avif(stream, factory)
            image = factory(stream, "")
            exif, xmp = (image.info.pop(key, b"") for key in ("exif", "xmp"))
            return Opened(image.size, image, orientation_of(exif, xmp))


def _decoded(opened: Opened, name: str, max_side: int | None, max_pixels: int) -> Picture:
    """The pixels of an opened file; AdaINError where they are too many or cannot be decoded."""
    size = opened.size
    check_empty(size, name)
    image = opened.image
    decoded = size
    if opened.samples is None and image is not None and max_side is not None:
        decoded = _drafted(image, max_side)
    check_size(name, decoded, max_pixels)
    check_coded(opened, name, max_pixels)
    with failing(name, "an image that cannot be decoded", "an intact image"):
        if opened.samples is not None or image is None:
            samples = cast(Callable[[], Samples], opened.samples)()
            picture = from_samples(samples, name, opened.encoding).turned(opened.orientation)
        else:
            loaded = loaded_image(image, opened, max_side)
            if opened.frame is not None:
                loaded = with_frame(loaded, opened.frame)
            return _from_loaded(loaded, name, max_side, size, opened.orientation, opened.encoding)
        size = picture.width, picture.height
        return picture if max_side is None else picture.resized(*fit(size, max_side))


def check_coded(opened: Opened, name: str, max_pixels: int) -> None:
    """Raise AdaINError where decoding takes much more than the pixels that are granted."""
    size = opened.size
    # Where the decoder makes it smaller, all of it is read nevertheless. As much memory as the
    # pixels take as float32 RGB is granted to what comes before them.
    if size[0] * size[1] > _DRAFT_READS * max_pixels or opened.coded_bytes > 12 * max_pixels:
        what = f"{size[0]:,} x {size[1]:,} pixels, in a form that takes too much to decode"
        raise found_error(name, what, f"what {max_pixels:,} plain pixels take")


def _drafted(image: ImageFile.ImageFile, max_side: int) -> tuple[int, int]:
    """Let the decoder of an image make it smaller; to which size."""
    # Twice the size leaves Lanczos the frequencies it would keep.
    width, height = fit(image.size, max_side)
    image.draft(None, (2 * width, 2 * height))
    return image.size


def loaded_image(image: ImageFile.ImageFile, opened: Opened, max_side: int | None) -> Image.Image:
    """The image with its pixels, also where but the end of its file is missing."""
    try:
        image.load()
        return image
    except OSError:
        if not opened.mends:
            raise
        mended = [mend() for mend in opened.mends]
        for each in mended:
            if max_side is not None:
                _drafted(each, max_side)
            each.load()
        if any(each.tobytes() != mended[0].tobytes() for each in mended[1:]):
            raise  # pixels depend on what is missing
        return mended[0]


def with_frame(image: Image.Image, frame: tuple[int, int, int, int]) -> Image.Image:
    if frame == (0, 0, *image.size):
        return image
    image = image.convert("RGBA")
    inside = Image.new("L", image.size, 0)
    inside.paste(image.getchannel("A").crop(frame), frame)
    image.putalpha(inside)
    return image


def decode(image: Image.Image, name: str, max_side: int | None) -> Picture:
    """A PIL image of any mode as a Picture; ``name`` is for errors."""
    check_empty(image.size, name)
    with failing(name, "an image that cannot be decoded", "an intact image"):
        image.load()
        return _from_loaded(image, name, max_side, image.size, orientation_in(image), None)


def check_empty(size: tuple[int, int], name: str) -> None:
    if 0 in size:
        raise found_error(name, "{} x {} pixels".format(*size), "at least 1 x 1")


def _from_loaded(
    image: Image.Image,
    name: str,
    max_side: int | None,
    size: tuple[int, int],
    orientation: int,
    encoding: Encoding | None,
) -> Picture:
    """``size`` is that of the file, of which the image may be a smaller version."""
    if orientation in TRANSPOSE:
        image = image.transpose(TRANSPOSE[orientation])
    if max_side is None:
        return from_pil(image, name, encoding)
    size = fit(size[::-1] if orientation >= 5 else size, max_side)
    if image.mode in ("L", "RGB", "CMYK") and not image.has_transparency_data:
        # Half a level of rounding, where the samples are 8-bit anyway, for a third of the time.
        image = image.resize(size, Image.Resampling.LANCZOS)
    return from_pil(image, name, encoding).resized(*size)


def orientation_in(image: Image.Image) -> int:
    # A broken EXIF block says nothing about orientation; every viewer shows the image as stored.
    with suppress(Exception):
        orientation = image.getexif().get(0x0112)
        if orientation in TRANSPOSE:
            return int(cast(int, orientation))
    return 1
