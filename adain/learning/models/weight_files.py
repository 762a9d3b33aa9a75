"""Files of trained weights: safetensors, and the whole ONNX files that are exported from them.

A wheel has no room for both of ``fast``, and programs need the ONNX file; the weights in it are the
same numbers by the same names.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import safetensors
import torch
from safetensors.torch import load_file
from torch import Tensor

from adain import contract, weights
from adain.contract import Key
from adain.errors import AdaINError, failing, found_error

# onnx is imported where a file needs it: training from safetensors does without.
if TYPE_CHECKING:
    from onnx import ModelProto

ONNX = ".onnx"


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Weights by the names they have in torch; AdaINError where the file cannot be read."""
    if path.suffix != ONNX:
        with _reading(path):
            return load_file(path)
    from onnx import numpy_helper

    tensors = {
        tensor.name.removesuffix(contract.IN_HALF): tensor
        for tensor in load_onnx(path).graph.initializer
    }
    # The others are shapes, paddings and the like.
    return {
        name: torch.from_numpy(numpy_helper.to_array(tensor).copy())
        for name, tensor in tensors.items()
        if name.endswith((".weight", ".bias"))
    }


def metadata_of(path: Path) -> dict[str, str]:
    """What ``adain train`` writes into a file of weights: ``model``, ``training_digest``, ``step``.

    An ONNX file tells the first two.
    """
    if path.suffix == ONNX:
        about = _onnx_metadata(path)
        return {"model": about[Key.MODEL], "training_digest": about[Key.TRAINING]}
    with _reading(path), safetensors.safe_open(path, "pt") as file:
        return file.metadata() or {}


def training_digest(path: Path) -> str:
    """The digest of the training data that ``adain train`` noted in a file of weights."""
    return metadata_of(path).get("training_digest", "unknown")


def weights_digest(path: Path) -> str:
    """The SHA-256 of the safetensors file that this is, or was exported from."""
    if path.suffix == ONNX:
        return _onnx_metadata(path)[Key.WEIGHTS_SHA256]
    return weights.sha256(path)


def load_onnx(path: Path) -> "ModelProto":
    """An ONNX file as it is, weights included; AdaINError where there is none."""
    import onnx

    if not path.exists():
        raise found_error(str(path), "no such file", "an ONNX file")
    with failing(str(path), "a file that cannot be read as ONNX", "an ONNX file"):
        model = onnx.load(path, format="protobuf")
    # Bytes of other kinds, and none at all, may pass for a message that says nothing.
    if not (model.ir_version and model.graph.output):
        raise found_error(str(path), "a file without a graph", "an ONNX file")
    return model


def _onnx_metadata(path: Path) -> dict[str, str]:
    about = {entry.key: entry.value for entry in load_onnx(path).metadata_props}
    for key in (Key.MODEL, Key.TRAINING, Key.WEIGHTS_SHA256):
        if key not in about:
            raise found_error(str(path), f"an ONNX file without {key}", "one of `adain export`")
    return about


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise AdaINError(f"{path}: no such file; give a .safetensors file") from error
    except (safetensors.SafetensorError, OSError) as error:  # which do not name the file
        raise AdaINError(f"{path}: not a readable .safetensors file: {error}") from error
