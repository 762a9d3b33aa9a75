"""Arbitrary style transfer with adaptive instance normalisation (AdaIN), run by ONNX Runtime."""

from typing import TYPE_CHECKING, Any

from adain import telemetry
from adain.errors import AdaINError
from adain.images import load_image, save_image
from adain.style import Style

if TYPE_CHECKING:
    from adain.stylizer import Stylizer

# Before anything imports ONNX Runtime: it begins as it is imported.
telemetry.switch_off()

__version__ = "0.1.0"
__all__ = ["AdaINError", "Style", "Stylizer", "load_image", "save_image"]


def __getattr__(name: str) -> Any:
    # Only this one needs ONNX Runtime, which a machine that trains need not have.
    if name == "Stylizer":
        from adain.stylizer import Stylizer

        return Stylizer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
