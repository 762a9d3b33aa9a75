"""Decoders of the paper's form as other programs saved them: state dicts, read and checked.

The form is that of naoto0804/pytorch-AdaIN: the state dict of a sequential network whose nine 3x3
convolutions, each after reflection padding, stand at positions 1, 5, 8, 11, 14, 18, 21, 25 and 28.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from adain.errors import failing, found_error
from adain.learning.models import torch7
from adain.learning.models.networks import PaperDecoder

POSITIONS = (1, 5, 8, 11, 14, 18, 21, 25, 28)
CHANNELS = (512, 256, 256, 256, 256, 128, 128, 64, 64, 3)
KINDS = ("weight", "bias")
SHAPES: dict[str, tuple[int, ...]] = {
    f"{position}.{kind}": shape
    for position, before, after in zip(POSITIONS, CHANNELS[:-1], CHANNELS[1:], strict=True)
    for kind, shape in (("weight", (after, before, 3, 3)), ("bias", (after,)))
}
DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
FORM = f"keys N.weight and N.bias alone, for N = {', '.join(map(str, POSITIONS))}"
# Training programs keep the network's state beside the optimiser's.
WRAPPINGS = ("state_dict", "decoder", "model")

SKETCH = 64
# What `verify_published` compares with; made by ``json.dumps(digest(tensors))``.
PUBLISHED = Path(__file__).with_name("paper_decoder.json")


def read_decoder(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """The tensors of a decoder's file, float32, by the keys of `SHAPES`.

    ``path`` is a safetensors file, a .t7 file of torch7 as xunhuang1995/AdaIN-style has it, or a
    .pth file that ``torch.load`` reads with
    ``weights_only=True``, so that nothing in it is executed. The state dict may be an entry
    ``state_dict``, ``decoder`` or ``model`` of what the file holds, and all its keys may begin
    alike, as with ``decoder.`` or ``module.``. Raises AdaINError, with what was found and what is
    allowed, for another form, shape or dtype, and for numbers that are not finite.
    """
    path = Path(path)
    name = str(path)
    state = _unwrapped(name, _load(path))
    tensors = {}
    for key, shape in SHAPES.items():
        tensor = state[key]
        if not isinstance(tensor, Tensor) or tensor.layout != torch.strided:
            raise found_error(name, f"{key}, no dense tensor", f"one of shape {list(shape)}")
        if tuple(tensor.shape) != shape:
            raise found_error(name, f"{key} of shape {list(tensor.shape)}", f"shape {list(shape)}")
        if tensor.dtype not in DTYPES:
            allowed = ", ".join(str(dtype).removeprefix("torch.") for dtype in DTYPES)
            found = str(tensor.dtype).removeprefix("torch.")
            raise found_error(name, f"{key} of dtype {found}", allowed)
        # After the conversion: a float64 may be finite and too large for what it becomes.
        tensors[key] = tensor.detach().to(torch.float32).contiguous()
        bad = tensor.numel() - int(tensors[key].isfinite().sum())
        if bad:
            raise found_error(
                name, f"{key} with {bad} numbers that are not finite", "finite numbers"
            )
    return tensors


def _load(path: Path) -> Any:
    name = str(path)
    if not path.is_file():
        found = "a folder" if path.is_dir() else "no such file"
        raise found_error(name, found, "a .pth, .safetensors or .t7 file")
    suffix = path.suffix.lower()
    if suffix not in (".pth", ".pt", ".safetensors", ".t7"):
        raise found_error(name, f"the suffix {suffix!r}", ".pth, .pt, .safetensors or .t7")
    if suffix == ".t7":
        with failing(name, "a file that cannot be read as torch7's", "a decoder of torch7"):
            layers = torch7.convolutions(path)
        if len(layers) != len(POSITIONS):
            raise found_error(name, f"{len(layers)} convolutions", f"{len(POSITIONS)} of them")
        named = zip(POSITIONS, layers, strict=True)
        return {f"{n}.{key}": t for n, pair in named for key, t in zip(KINDS, pair, strict=True)}
    if suffix == ".safetensors":
        from safetensors.torch import load_file

        with failing(name, "a file that cannot be read as safetensors", "tensors by name"):
            return load_file(path)
    with failing(name, "a file that cannot be read as tensors alone", "a PyTorch state dict"):
        return torch.load(path, map_location="cpu", weights_only=True)


def _unwrapped(name: str, state: Any) -> dict[str, Any]:
    """The entries by the keys of `SHAPES`, out of dicts in dicts and without a common prefix."""
    for _ in WRAPPINGS:
        inner = next((w for w in WRAPPINGS if isinstance(state, Mapping) and w in state), None)
        if inner is None:
            break
        state = state[inner]
    if not isinstance(state, Mapping) or not all(isinstance(key, str) for key in state):
        raise found_error(name, f"a {type(state).__name__}", "a state dict: tensors by name")
    last = f"{POSITIONS[-1]}.weight"
    prefixes = {
        key.removesuffix(last) for key in state if re.fullmatch(rf"(.*\.)?{re.escape(last)}", key)
    }
    if len(prefixes) > 1:
        # A whole model: its encoder may be a sequential network as well.
        prefixes = {prefix for prefix in prefixes if "decoder" in prefix} or prefixes
    prefix = min(prefixes, default="")
    keys = {key.removeprefix(prefix): key for key in state if key.startswith(prefix)}
    missing = [key for key in SHAPES if key not in keys]
    others = [key for key in keys if key not in SHAPES]
    if len(prefixes) > 1:
        raise found_error(name, f"{len(prefixes)} networks: {_some(prefixes)}", "one decoder")
    if missing:
        found = f"no {_some(missing)} among {len(state)} keys ({_some(state) or 'none'})"
        raise found_error(name, found, FORM)
    if others:
        raise found_error(name, f"keys of another network: {_some(others)}", FORM)
    return {key: state[keys[key]] for key in SHAPES}


def _some(names: Any) -> str:
    first = [str(name)[:60] for name in names][:3]
    return ", ".join(first) + (" ..." if len(names) > len(first) else "")


def as_network(tensors: Mapping[str, Tensor]) -> PaperDecoder:
    """A decoder with the weights of `read_decoder`, in evaluation mode."""
    decoder = PaperDecoder()
    convolutions = [layer for layer in decoder.layers if isinstance(layer, torch.nn.Conv2d)]
    with torch.no_grad():
        for position, layer in zip(POSITIONS, convolutions, strict=True):
            layer.weight.copy_(tensors[f"{position}.weight"])
            assert layer.bias is not None
            layer.bias.copy_(tensors[f"{position}.bias"])
    return decoder.eval()


def sketch(key: str, values: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """A count sketch of a tensor (Charikar, Chen and Farach-Colton 2002), float64 ``[k]``.

    Each value goes with a sign into one of k sums, both drawn by SHAKE-128 of ``key``; k is 64, or
    a 16th of the number of values. The squared length of the difference of two sketches is, in the
    mean over the signs, that of the tensors' difference.
    """
    flat = values.astype(np.float64).reshape(-1)
    drawn = np.frombuffer(hashlib.shake_128(key.encode()).digest(flat.size), np.uint8)
    signed = np.where(drawn & 1, flat, -flat)
    buckets = max(1, min(SKETCH, flat.size // 16))
    sums = np.bincount((drawn >> 1) % buckets, weights=signed, minlength=buckets)
    return sums.astype(np.float64, copy=False)


def digest(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """By key the step of a grid of 256 levels over the values, and their sketch in tenths of it.

    At most a number for every 16 values, and 64 for the largest tensors: none can be had back.
    """
    digests = {}
    for key in SHAPES:
        values = tensors[key].double().numpy()
        step = float(f"{(values.max() - values.min()) / 255:.6g}")
        tenths = np.rint(10 * sketch(key, values) / step).astype(int)
        digests[key] = {"step": step, "sketch": tenths.tolist()}
    return digests


def verify_published(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Raise AdaINError where a decoder's tensors are not those released with the paper.

    The released file's own digest is not known here; what is known is a copy whose weights were
    rounded to a grid of 256 levels, from which each released value is at most half a step away.
    What ships is `digest` of that copy. Checked is, for each of the 18 tensors, that its distance
    from the copy, root mean square as the sketches estimate it, is at most half a step, where
    rounding makes 0.29; the estimate of a weight's is good to 9 %. Of biases, which have fewer
    sums, it is one step. This tells another training, permuted channels and noise of a step from
    the released decoder, and takes the rounded copy for it. It does not find a few changed values
    among a million.
    """
    published: dict[str, Any] = json.loads(PUBLISHED.read_bytes())
    for key, tensor in tensors.items():
        step = published[key]["step"]
        values = tensor.numpy()
        difference = sketch(key, values) / step - np.array(published[key]["sketch"]) / 10
        distance = float(np.sqrt(np.square(difference).sum() / values.size))
        allowed = 0.5 if key.endswith(".weight") else 1.0
        if not distance <= allowed:
            raise found_error(
                str(path),
                f"another decoder than the one released with the paper ({key} is"
                f" {distance:.3g} steps of 8 bits away)",
                f"at most {allowed:g}; `adain models import FILE --name NAME` takes any other",
            )
