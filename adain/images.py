"""Images in and out: files, bytes, arrays and PIL images to float RGB, and back.

Whatever comes in leaves as a `Picture`: upright (EXIF orientation applied), in sRGB (embedded ICC
profile applied) and with its alpha channel beside the colours. What cannot be read is an
`AdaINError` of one line.
"""

from __future__ import annotations

import io
import operator
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, cast

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, ImageFile, features

from adain.errors import failing, found_error
from adain.files import write_atomically

FloatArray: TypeAlias = npt.NDArray[np.float32]
EncodedImage: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO
ImageSource: TypeAlias = EncodedImage | Image.Image | npt.NDArray[Any]

MAX_PIXELS = 2**30 // 12  # 89,478,485: what fits into 1 GiB as float32 RGB
MAX_SIDE = 65_500  # the longest side that libjpeg writes

_OPTIONAL = [name for name in ("WEBP", "AVIF") if name.lower() in features.get_supported()]
# Formats whose decoders run inside the process; EPS and its like start other programs.
FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "GIF", "PPM", *_OPTIONAL)
_SUFFIXES = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".tif": "TIFF", ".tiff": "TIFF"}
_SUFFIXES |= {f".{name.lower()}": name for name in ("BMP", *_OPTIONAL)}
_FULL_SCALE = {"bool": 1, "uint8": 255, "uint16": 65535, "float16": 1, "float32": 1, "float64": 1}
_FLOAT_TOLERANCE = 1e-4  # rounding left by arithmetic in float16 and float32, not overshoot
_PNG_STEP = {"1": 255, "L;2": 85, "L;4": 17}  # between the levels of a grey PNG, by raw mode
_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, eq=False)
class Picture:
    """An upright sRGB image.

    rgb: float32 [H, W, 3] in [0, 1], C-contiguous.
    alpha: float32 [H, W] in [0, 1], not multiplied into rgb; None without an alpha channel.
    """

    rgb: FloatArray
    alpha: FloatArray | None = None

    @property
    def height(self) -> int:
        return int(self.rgb.shape[0])

    @property
    def width(self) -> int:
        return int(self.rgb.shape[1])

    def to_array(self) -> npt.NDArray[np.uint8]:
        """uint8 [H, W, 3], or [H, W, 4] with alpha, rounded to the nearest level."""
        channels = 3 if self.alpha is None else 4
        levels = np.empty((self.height, self.width, channels), np.uint8)
        levels[..., :3] = _quantised(self.rgb)
        if self.alpha is not None:
            levels[..., 3] = _quantised(self.alpha)
        return levels

    def to_pil(self) -> Image.Image:
        """An 8-bit PIL image in mode RGB, or RGBA with alpha."""
        return Image.fromarray(self.to_array())

    def resized(self, width: int, height: int) -> Picture:
        """This picture at width x height pixels: Lanczos on float samples, clipped to [0, 1].

        Colours are weighted by alpha, so a transparent surround does not bleed into the edge of
        what it surrounds. Raises AdaINError unless both sides are integers in 1..MAX_SIDE.
        """
        size = _integer("width", width, 1, MAX_SIDE), _integer("height", height, 1, MAX_SIDE)
        if size == (self.width, self.height):
            return self
        rgb = _resampled(self.rgb, size)
        if self.alpha is None:
            return Picture(np.clip(rgb, 0, 1, out=rgb))
        alpha = _resampled(self.alpha[..., None], size)
        weighted = _resampled(self.rgb * self.alpha[..., None], size)
        # Below half a level of alpha the quotient is noise. Such a pixel is invisible, and takes
        # the colour that lay hidden there.
        np.divide(weighted, alpha, out=rgb, where=alpha > 0.5 / 255)
        return Picture(np.clip(rgb, 0, 1, out=rgb), np.clip(alpha[..., 0], 0, 1))


def load_image(
    source: ImageSource, *, max_side: int | None = None, max_pixels: int = MAX_PIXELS
) -> Picture:
    """Read an image from a path, encoded bytes, a binary file, a PIL image or an array.

    Files, bytes, files open in binary mode (read from where they stand to their end) and PIL
    images: every PIL mode, EXIF orientation and ICC profile (relative colorimetric; a profile that
    is broken or of another colour space is ignored). An animation gives its first frame. Modes
    I;16 and I are 16-bit grey, 0..65535; mode F is grey in [0, 1]. Arrays are sRGB [H, W],
    [H, W, 1], [H, W, 3] or [H, W, 4]: bool, uint8 in 0..255, uint16 in 0..65535, float16, float32
    or float64 in [0, 1]. The source is never changed.

    max_side: bring the long side down to at most this many pixels, keeping the aspect.
    max_pixels: refuse a larger image, before its pixels are decoded; no side may exceed MAX_SIDE.

    Raises AdaINError, with the name of the source, for whatever is none of these.
    """
    max_pixels = _integer("max_pixels", max_pixels, 1)
    if max_side is not None:
        max_side = _integer("max_side", max_side, 1)
    if isinstance(source, np.ndarray):
        _check_size("the array", source.shape[1::-1], max_pixels)
        picture = _from_array(source, "the array")
        if max_side is None:
            return picture
        return picture.resized(*_fit((picture.width, picture.height), max_side))
    if isinstance(source, Image.Image):
        _check_size("the PIL image", source.size, max_pixels)
        return _decode(source, "the PIL image", max_side)
    with _stream(source) as (stream, name):
        image = _identify(stream, name)
        _check_size(name, image.size, max_pixels)
        return _decode(image, name, max_side, draft=True)


def save_image(
    image: Picture | Image.Image | npt.NDArray[Any],
    path: str | os.PathLike[str],
    *,
    quality: int = 95,
) -> None:
    """Write an image at 8 bits a channel, in the format that the suffix of `path` names.

    image: a Picture, or a PIL image or array as `load_image` takes them, of any size.
    quality: 1..100, for JPEG (4:4:4 from 90 on), WebP and AVIF.

    JPEG and BMP have no alpha here: the image is composited over white. The file appears whole or
    not at all, and replaces an old one only then. Raises AdaINError, with the path.
    """
    if not isinstance(path, (str, os.PathLike)) or not isinstance(os.fspath(path), str):
        raise found_error("path", f"a {type(path).__name__}", "a str or os.PathLike[str]")
    name = os.fspath(path)
    data = _encode(image, name, _format(name, Path(name).suffix), quality)
    write_atomically(path, data)


def encode_image(
    image: Picture | Image.Image | npt.NDArray[Any], suffix: str = ".png", *, quality: int = 95
) -> bytes:
    """The bytes that `save_image` would write to a path with this suffix."""
    return _encode(image, "the image", _format("suffix", suffix), quality)


def _integer(name: str, value: Any, low: int, high: int | None = None) -> int:
    allowed = f"an integer of at least {low}" if high is None else f"an integer in {low}..{high}"
    try:
        number = operator.index(value)
    except TypeError:
        raise found_error(name, repr(value)[:80], allowed) from None
    if isinstance(value, bool) or number < low or (high is not None and number > high):
        raise found_error(name, repr(value)[:80], allowed)
    return number


def _check_size(name: str, size: tuple[int, ...], max_pixels: int) -> None:
    if len(size) == 2 and (size[0] * size[1] > max_pixels or max(size) > MAX_SIDE):
        raise found_error(
            name,
            f"{size[0]:,} x {size[1]:,} pixels",
            f"at most {max_pixels:,} pixels, and {MAX_SIDE:,} on a side",
        )


def _fit(size: tuple[int, int], max_side: int) -> tuple[int, int]:
    longest = max(size)
    side = min(longest, max_side)
    width, height = (max(1, (n * side + longest // 2) // longest) for n in size)
    return width, height


# Reading


@contextmanager
def _stream(source: Any) -> Iterator[tuple[BinaryIO, str]]:
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
            "a path, bytes, a file open in binary mode, a PIL image or a numpy array",
        )


def _identify(stream: BinaryIO, name: str) -> ImageFile.ImageFile:
    """Parse the header of an image file; its pixels stay undecoded.

    Not `Image.open`: that one checks the size by a limit of the whole process, and reports through
    `warnings`. To set either aside for one call (`Image.MAX_IMAGE_PIXELS`, `catch_warnings`) is to
    change it for every other thread meanwhile. The plugin's own entry point has no such check, and
    `_check_size` follows it. (TIFF and GIF repeat the check while decoding: for these a larger
    `max_pixels` helps up to Pillow's own limit, and past it the error is an AdaINError still.)
    """
    allowed = f"a {', '.join(FORMATS)} image"
    Image.init()  # fills the registry, which else only `Image.open` does
    with failing(name, "a broken image", allowed):
        prefix = stream.read(16)
        if not prefix:
            raise found_error(name, "nothing (0 bytes)", allowed)
        for format in FORMATS:
            factory, accept = Image.OPEN[format]
            if accept is not None and accept(prefix) is True:
                stream.seek(0)
                with failing(name, f"a broken {format} image", "an intact one"):
                    image = factory(stream, "")
                _scale_png_key(image)
                return image
    raise found_error(name, f"no known image format (it starts with {prefix[:8]!r})", allowed)


def _scale_png_key(image: ImageFile.ImageFile) -> None:
    # The tRNS colour of a PNG is in the file's bit depth, but pixels are decoded to 8 bits.
    key = image.info.get("transparency")
    rawmode = image.tile[0].args if image.format == "PNG" and image.tile else None
    if rawmode in _PNG_STEP and isinstance(key, int):
        # Pillow from 12.1 on scales the key of one bit itself, which the minimum leaves as it is.
        image.info["transparency"] = min(key * _PNG_STEP[rawmode], 255)
    elif rawmode == "RGB;16B" and isinstance(key, tuple):
        image.info["transparency"] = tuple(sample >> 8 for sample in key)


def _decode(image: Image.Image, name: str, max_side: int | None, *, draft: bool = False) -> Picture:
    if 0 in image.size:
        raise found_error(name, "{} x {} pixels".format(*image.size), "at least 1 x 1")
    with failing(name, "an image that cannot be decoded", "an intact image"):
        size = image.size
        if draft and max_side is not None:
            # Twice the size leaves Lanczos the frequencies it would keep.
            width, height = _fit(size, max_side)
            image.draft(None, (2 * width, 2 * height))
        image.load()
        orientation = _orientation(image)
        if orientation in _TRANSPOSE:
            image = image.transpose(_TRANSPOSE[orientation])
        if max_side is None:
            return _from_pil(image, name)
        size = _fit(size[::-1] if orientation >= 5 else size, max_side)
        if image.mode in ("L", "RGB", "CMYK") and not image.has_transparency_data:
            # Half a level of rounding, where the samples are 8-bit anyway, for a third of the time.
            image = image.resize(size, Image.Resampling.LANCZOS)
        return _from_pil(image, name).resized(*size)


def _orientation(image: Image.Image) -> int:
    # A broken EXIF block says nothing about orientation; every viewer shows the image as stored.
    with suppress(Exception):
        orientation = image.getexif().get(0x0112)
        if orientation in _TRANSPOSE:
            return int(cast(int, orientation))
    return 1


def _from_pil(image: Image.Image, name: str) -> Picture:
    profile = image.info.get("icc_profile")
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        samples = np.asarray(image)
        if image.mode == "I":
            low, high = samples.min(), samples.max()
            if low < 0 or high > 65535:
                raise found_error(name, f"mode I samples in {low}..{high}", "0..65535")
            samples = samples.astype(np.uint16)
        grey = _from_array(samples, f"{name} (mode {image.mode})")
        key = image.info.get("transparency")
        alpha = (samples != key).astype(np.float32) if isinstance(key, int) else None
        return Picture(_grey_to_srgb(grey.rgb, profile), alpha)
    colour, opacity = _split_alpha(image)
    picture = _from_array(np.asarray(_to_srgb(colour, profile)), name)
    return picture if opacity is None else Picture(picture.rgb, _unit(np.asarray(opacity)))


def _split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """The colours in mode L, RGB, CMYK or LAB, and alpha in mode L."""
    alpha = image.has_transparency_data
    if image.mode in ("1", "L", "LA", "La"):
        mode = "LA" if alpha else "L"
    elif image.mode in ("P", "PA", "RGB", "RGBA", "RGBa"):
        mode = "RGBA" if alpha else "RGB"
    else:
        mode = image.mode if image.mode in ("CMYK", "LAB") else "RGB"
    if image.mode == "P":
        image = image.copy()  # converting writes the transparency into the palette, in place
    if image.mode != mode:
        image = image.convert(mode)
    if mode not in ("LA", "RGBA"):
        return image, None
    return image.convert(mode[:-1]), image.getchannel("A")


def _to_srgb(colour: Image.Image, profile: object) -> Image.Image:
    """The colours in sRGB, mode RGB; or mode L where no profile turns grey into anything else."""
    with suppress(ImageCms.PyCMSError, OSError):
        if isinstance(profile, bytes) and profile:
            return _apply_profile(colour, profile)
    return colour if colour.mode in ("L", "RGB") else colour.convert("RGB")


def _apply_profile(colour: Image.Image, profile: bytes) -> Image.Image:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    if colour.mode == "L" and source.profile.xcolor_space.strip() == "RGB":
        colour = colour.convert("RGB")
    # Raises for a profile of another colour space than the image's.
    transform = ImageCms.buildTransform(
        source,
        ImageCms.createProfile("sRGB"),
        colour.mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    if colour.mode == "RGB":
        # Most profiles are sRGB. Such images keep their exact values, and skip the costly part.
        steps = np.arange(0, 256, 15, dtype=np.uint8)
        probe = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
        change = np.asarray(transform.apply(Image.fromarray(probe))).astype(int) - probe
        if np.abs(change).max() <= 1:
            return colour
    return transform.apply(colour)


def _grey_to_srgb(rgb: FloatArray, profile: object) -> FloatArray:
    """Grey of more than 8 bits through a profile, by interpolation between its 256 levels."""
    ramp = _to_srgb(Image.fromarray(np.arange(256, dtype=np.uint8)[None]), profile)
    if ramp.mode == "L":
        return rgb
    curves = np.asarray(ramp)[0] / 255
    levels = np.linspace(0, 1, 256)
    for channel in range(3):
        rgb[..., channel] = np.interp(rgb[..., channel], levels, curves[:, channel])
    return rgb


def _from_array(array: npt.NDArray[Any], name: str) -> Picture:
    shape = array.shape
    if (
        array.dtype.name not in _FULL_SCALE
        or not (array.ndim == 2 or (array.ndim == 3 and shape[2] in (1, 3, 4)))
        or 0 in shape
    ):
        hint = ""
        if array.ndim == 3 and shape[0] in (1, 3, 4) and shape[2] not in (1, 3, 4):
            hint = " (this one looks channels-first: use array.transpose(1, 2, 0))"
        elif array.ndim == 4:
            hint = " (this one looks like a batch: pass its images one by one)"
        raise found_error(
            name,
            f"{array.dtype} {list(shape)}",
            f"{', '.join(_FULL_SCALE)}, of shape [H, W], [H, W, 1], [H, W, 3] or [H, W, 4] "
            f"with H and W of at least 1{hint}",
        )
    if array.dtype.kind == "f":
        low, high = float(array.min()), float(array.max())
        if not (low >= -_FLOAT_TOLERANCE and high <= 1 + _FLOAT_TOLERANCE):
            finite = np.isfinite([low, high]).all()
            found = f"values in [{low:g}, {high:g}]" if finite else "NaN or infinity"
            raise found_error(name, f"{array.dtype} {found}", "finite values in [0, 1]")
    if array.ndim == 2:
        array = array[..., None]
    rgb = _unit(array[..., :3], (*shape[:2], 3))
    return Picture(rgb, _unit(array[..., 3]) if array.shape[2] == 4 else None)


def _unit(samples: npt.NDArray[Any], shape: tuple[int, ...] | None = None) -> FloatArray:
    """Samples as new float32 in [0, 1], repeated to `shape`."""
    unit = np.empty(samples.shape if shape is None else shape, np.float32)
    scale = np.float32(_FULL_SCALE[samples.dtype.name])
    # A division, not a product with 1 / scale: as fast, and every k / 255 is correctly rounded.
    np.divide(samples, scale, out=unit, dtype=np.float32, casting="unsafe")
    return np.clip(unit, 0, 1, out=unit) if samples.dtype.kind == "f" else unit


def _resampled(samples: FloatArray, size: tuple[int, int]) -> FloatArray:
    """float32 [H, W, C] at another (width, height), not clipped."""
    resized = np.empty((size[1], size[0], samples.shape[2]), np.float32)
    for channel in range(samples.shape[2]):
        plane = Image.fromarray(np.ascontiguousarray(samples[..., channel]))
        resized[..., channel] = np.asarray(plane.resize(size, Image.Resampling.LANCZOS))
    return resized


# Writing


def _quantised(unit: FloatArray) -> npt.NDArray[np.uint8]:
    levels = unit * np.float32(255)
    levels += np.float32(0.5)
    return np.clip(levels, 0, 255, out=levels).astype(np.uint8)


def _format(name: str, suffix: str) -> str:
    format = _SUFFIXES.get(suffix.lower())
    if format is None:
        raise found_error(
            name, f"the suffix {suffix!r}" if suffix else "no suffix", " ".join(_SUFFIXES)
        )
    return format


def _encode(image: Any, name: str, format: str, quality: int) -> bytes:
    options: dict[str, Any] = {}
    quality = _integer("quality", quality, 1, 100)
    if format in ("JPEG", "WEBP", "AVIF"):
        options["quality"] = quality
    if format == "JPEG":
        options["subsampling"] = "4:4:4" if quality >= 90 else "4:2:0"
    picture = _picture(image)
    if format in ("JPEG", "BMP") and picture.alpha is not None:
        alpha = picture.alpha[..., None]
        picture = Picture(picture.rgb * alpha + (1 - alpha))
    buffer = io.BytesIO()
    found = f"{picture.width:,} x {picture.height:,} pixels that cannot be encoded as {format}"
    with failing(name, found, "what the format can hold"):
        picture.to_pil().save(buffer, format, **options)
    return buffer.getvalue()


def _picture(image: Any) -> Picture:
    if isinstance(image, Picture):
        return image
    if isinstance(image, Image.Image):
        return _decode(image, "the PIL image", None)
    if isinstance(image, np.ndarray):
        return _from_array(image, "the array")
    raise found_error(
        "the image", f"a {type(image).__name__}", "a Picture, a PIL image or an array"
    )
