"""The image formats that are read and written here, and the suffixes that name them."""

import re

from PIL import features

from adain.errors import found_error
from adain.images.containers.bmff import codec_of

_OPTIONAL = [name for name in ("WEBP", "AVIF") if name.lower() in features.get_supported()]
# Formats whose decoders run inside the process; EPS and its like start other programs.
FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "GIF", "PPM", *_OPTIONAL)
_SUFFIXES = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".tif": "TIFF", ".tiff": "TIFF"}
_SUFFIXES |= {f".{name.lower()}": name for name in ("BMP", *_OPTIONAL)}
# What pictures are written with, and what files that hold one are called.
WRITTEN_SUFFIXES = tuple(_SUFFIXES)
READ_SUFFIXES = {*_SUFFIXES, ".jpe", ".jfif", ".gif", ".ppm", ".pgm", ".pbm", ".heic", ".heif"}

# What a file starts with, as a regular expression: of the formats here, and of others that people
# take for one of them.
_STARTS = {
    "JPEG": rb"\xff\xd8\xff",
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "TIFF": rb"II[*+]\0|MM\0[*+]",
    "BMP": rb"BM",
    "GIF": rb"GIF8[79]a",
    "PPM": rb"P[1-6fF]\s|P0CMYK|Py(P|RGBA|CMYK)",
    "WEBP": rb"RIFF....WEBP",
    "JPEG XL": rb"\xff\x0a|\0\0\0\x0cJXL ",
    "JPEG 2000": rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51",
    "Photoshop": rb"8BPS",
    "OpenEXR": rb"v/1\x01",
    "Radiance HDR": rb"#\?R(ADIANCE|GBE)",
    "a camera's raw samples": rb"FUJIFILM|II(U\0|RO)|....CRX|....ftypcrx",
    "ICO": rb"\0\0[\x01\x02]\0",
    "PDF": rb"%PDF",
    "PostScript": rb"%!PS|\xc5\xd0\xd3\xc6",
    "SVG or XML": rb"\s*(<svg|<\?xml)",
    "HTML": rb"\s*<(!DOCTYPE )?html",
    "ZIP": rb"PK\x03\x04",
    "video": rb"....ftyp|\x1aE\xdf\xa3|RIFF....AVI ",
}


def format_of_bytes(prefix: bytes) -> str | None:
    """The name of a file's format by its first 64 bytes; None where it is none that is known."""
    found = codec_of(prefix)
    if found is not None:
        return found
    for name, start in _STARTS.items():
        if re.match(start, prefix, re.DOTALL | (re.IGNORECASE if name == "HTML" else 0)):
            return name
    return None


def format_of(name: str, suffix: str) -> str:
    """The format that a suffix stands for; AdaINError, with the name, where it is none of ours."""
    format = _SUFFIXES.get(suffix.lower())
    if format is None:
        raise found_error(
            name, f"the suffix {suffix!r}" if suffix else "no suffix", " ".join(_SUFFIXES)
        )
    return format
