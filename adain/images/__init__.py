"""Images in and out: files, bytes, arrays and PIL images to float RGB, and back.

Whatever comes in leaves as a `Picture`: upright (EXIF orientation applied), in sRGB (embedded ICC
profile applied) and with its alpha channel beside the colours. What cannot be read is an
`AdaINError` of one line.
"""

from adain.images.formats import FORMATS, format_of
from adain.images.picture import MAX_SIDE, Picture
from adain.images.reading import MAX_PIXELS, EncodedImage, ImageSource, load_image
from adain.images.writing import QUALITY, encode_image, save_image

__all__ = [
    "FORMATS",
    "MAX_PIXELS",
    "MAX_SIDE",
    "QUALITY",
    "EncodedImage",
    "ImageSource",
    "Picture",
    "encode_image",
    "format_of",
    "load_image",
    "save_image",
]
