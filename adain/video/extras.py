"""The packages of the extra `video`, and what to install where they are missing."""

import importlib

from adain.errors import MissingError

MODULES = ("av", "cv2")


def require_video() -> None:
    """Raise MissingError where PyAV or OpenCV is not installed."""
    for name in MODULES:
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise MissingError(
                f"video needs {name}, which cannot be imported ({error});"
                " `pip install 'adain[video]'` installs it"
            ) from error
