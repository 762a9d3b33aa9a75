"""Arbitrary style transfer with adaptive instance normalisation (AdaIN), run by ONNX Runtime."""

from adain.errors import AdaINError
from adain.images import load_image, save_image
from adain.style import Style
from adain.stylizer import Stylizer

__version__ = "0.1.0"
__all__ = ["AdaINError", "Style", "Stylizer", "load_image", "save_image"]
