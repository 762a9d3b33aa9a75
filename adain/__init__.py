"""Arbitrary style transfer with adaptive instance normalisation (AdaIN), run by ONNX Runtime."""

from adain.errors import AdaINError
from adain.images import load_image, save_image

__version__ = "0.1.0"
__all__ = ["AdaINError", "load_image", "save_image"]
