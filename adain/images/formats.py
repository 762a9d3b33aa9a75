"""The image formats that are read and written here, and the suffixes that name them."""

from PIL import features

from adain.errors import found_error

_OPTIONAL = [name for name in ("WEBP", "AVIF") if name.lower() in features.get_supported()]
# Formats whose decoders run inside the process; EPS and its like start other programs.
FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "GIF", "PPM", *_OPTIONAL)
_SUFFIXES = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".tif": "TIFF", ".tiff": "TIFF"}
_SUFFIXES |= {f".{name.lower()}": name for name in ("BMP", *_OPTIONAL)}


def format_of(name: str, suffix: str) -> str:
    """The format that a suffix stands for; AdaINError, with the name, where it is none of ours."""
    format = _SUFFIXES.get(suffix.lower())
    if format is None:
        raise found_error(
            name, f"the suffix {suffix!r}" if suffix else "no suffix", " ".join(_SUFFIXES)
        )
    return format
