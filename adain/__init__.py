"""Arbitrary style transfer with adaptive instance normalisation (AdaIN), run by ONNX Runtime."""

import importlib
from typing import TYPE_CHECKING, Any

from adain import telemetry
from adain.errors import AdaINError

if TYPE_CHECKING:
    from adain.images import load_image, save_image
    from adain.style import Style
    from adain.stylizer import Stylizer

# Before anything imports ONNX Runtime: it begins as it is imported.
telemetry.switch_off()

__version__ = "0.1.0"
__all__ = ["AdaINError", "Style", "Stylizer", "load_image", "save_image"]

# Imported when first used: NumPy and Pillow take longer than many a program that only has a look,
# and a machine that trains need not have the ONNX Runtime of the Stylizer.
_MODULES = {
    "Style": "adain.style",
    "Stylizer": "adain.stylizer",
    "load_image": "adain.images",
    "save_image": "adain.images",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(importlib.import_module(_MODULES[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
