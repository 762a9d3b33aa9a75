"""Loading pretrained weights: which file, checked, into which network."""

import hashlib
import importlib
import os
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from adain import maps, registry, weights
from adain.contract import WHOLE
from adain.errors import AdaINError, failing, found_error
from adain.learning.models.decoders import as_network, read_decoder
from adain.learning.models.fast import Fast
from adain.learning.models.networks import VGG19, ResidualDecoder, VGG19Encoder
from adain.learning.models.smoothed import Smoothed
from adain.learning.models.wct import WCT
from adain.learning.models.weight_files import read_tensors
from adain.published import PUBLISHED_VGG19

# What the decoder released with the paper is called in tables.
PAPER_DECODER = "paper decoder"

# Positions of the convolutions in the sequential network that vgg_normalised.pth was saved from.
_PTH_KEYS = {
    "preprocess": 0, "conv1_1": 2, "conv1_2": 5, "conv2_1": 9, "conv2_2": 12, "conv3_1": 16,
    "conv3_2": 19, "conv3_3": 22, "conv3_4": 25, "conv4_1": 29, "conv4_2": 32, "conv4_3": 35,
    "conv4_4": 38, "conv5_1": 42,
}  # fmt: skip


def load_vgg19_encoder() -> VGG19Encoder:
    """The fixed encoder with the paper's weights, verified tensor by tensor."""
    encoder = VGG19Encoder()
    encoder.load_published(load_vgg19_tensors())
    return encoder.eval()


def load_vgg19_tensors() -> dict[str, Tensor]:
    """``preprocess`` and ``conv1_1`` ... ``conv5_1``, weights OIHW and biases, by name.

    Raises AdaINError where the file is missing or a tensor is not the published one.
    """
    path = weights.find(*PUBLISHED_VGG19.names, get=PUBLISHED_VGG19.get)
    if path.suffix == ".pth":
        with failing(str(path), "a file that cannot be read as tensors alone", "a state dict"):
            state = dict(torch.load(path, map_location="cpu", weights_only=True))
        tensors = {
            f"{name}.{kind}": state[f"{index}.{kind}"]
            for name, index in _PTH_KEYS.items()
            for kind in ("weight", "bias")
            if f"{index}.{kind}" in state
        }
    else:
        tensors = read_tensors(path)
    _verify(path, tensors)
    return tensors


def _verify(path: Path, tensors: dict[str, Tensor]) -> None:
    """Compare with the published tensors' digests; conv4_1 may be a restored copy."""
    for name, digest in PUBLISHED_VGG19.digests.items():
        if name not in tensors:
            raise AdaINError(f"{path}: tensor {name} is missing; {PUBLISHED_VGG19.get}")
        data = tensors[name].float().contiguous().numpy().astype("<f4").tobytes()
        if hashlib.sha256(data).hexdigest() != digest:
            raise AdaINError(
                f"{path}: tensor {name} is not the published one; {PUBLISHED_VGG19.get}"
            )


def load_tensors(network: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Give a network weights, as float32; AdaINError, naming the file, where they do not fit."""
    try:
        network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        # All names of another model's tensors would be a page.
        first = textwrap.shorten(first, 160, placeholder=" ...")
        raise AdaINError(f"{path}: not weights of this model: {first}") from error


def find_trained(name: str) -> Path:
    """The weights that a model's ONNX files are exported from.

    A safetensors file, or where that of ``fast`` is not here, as in a wheel, the whole ONNX file.
    """
    row = weights.about(name)
    whole = [] if row.has_vgg19 else [weights.onnx_file(name, WHOLE)]
    get = "`adain train` makes it" if row.trained else row.get
    return weights.look_for(row.source) or weights.find(row.source, *whole, get=get)


def make_trainable(name: str | registry.Model) -> Fast | ResidualDecoder:
    """What is trained of a model, from scratch: all of ``fast``, the decoder of ``vgg19``."""
    return _trained_class(_row(name))()


def _row(name: str | registry.Model) -> registry.Model:
    return weights.about(name) if isinstance(name, str) else name


def _trained_class(row: registry.Model) -> type[Fast] | type[ResidualDecoder]:
    """The class of the network that a row names."""
    module, name = row.network.split(":")
    found = getattr(importlib.import_module(f"adain.learning.models.{module}"), name)
    return cast(type[Fast] | type[ResidualDecoder], found)


def load_trainable(name: str | registry.Model, path: Path) -> Fast | ResidualDecoder:
    """What is trained of a model, with weights from a file, float32.

    Raises AdaINError where they are of another model, or of another shape of it.
    """
    network = make_trainable(name)
    load_tensors(network, read_tensors(path), path)
    return network


def load_model(
    name: str | registry.Model, path: str | os.PathLike[str] | None = None
) -> Fast | VGG19:
    """A model of the registry with its weights, float32, in evaluation mode.

    ``path`` is a file that `weight_files` reads, or a decoder of the paper's form for the models
    that have one; by default the model's own.
    """
    row = _row(name)
    path = find_trained(row.name) if path is None else Path(path)
    if not row.network:
        return load_paper_decoder(path)
    network = load_trainable(row, path)
    if not row.has_vgg19:
        return cast(Fast, network).eval()
    vgg19 = VGG19(cast(ResidualDecoder, network))
    vgg19.encoder.load_published(load_vgg19_tensors())
    return vgg19.eval()


def load_paper_decoder(path: str | os.PathLike[str]) -> VGG19:
    """VGG-19 with a decoder of the paper's form, from a file that `read_decoder` reads."""
    model = VGG19(as_network(read_decoder(path)))
    model.encoder.load_published(load_vgg19_tensors())
    return model.eval()


def load_models(
    names: Sequence[str],
    entries: Iterable[str],
    paper_decoder: Path | None,
    transform: str = "adain",
    smooth: float = 0.0,
) -> dict[str, Fast | VGG19 | WCT | Smoothed]:
    """The chosen models by name, the paper's decoder first; ``entries`` are NAME=FILE.

    With the ``transform`` "wct" each model on VGG-19 is followed by itself with WCT, and with
    ``smooth`` above 0 all are by themselves with contents smoothed so much. Raises AdaINError for
    entries of another form, for weights that are missing or unfit, for "wct" without a model on
    VGG-19, and for a ``smooth`` that is no number from 0 to 1.
    """
    smooth = maps.check_smooth(smooth)
    files = {}
    for entry in entries:
        name, _, file = entry.partition("=")
        if name not in (known := weights.models()) or not file:
            allowed = weights.one_of(f"{model}=FILE" for model in known)
            raise found_error("--weights", repr(entry), allowed)
        files[name] = Path(file)
    if transform == "wct" and paper_decoder is None and not any(map(_has_vgg19, names)):
        found = f"wct for {' and '.join(names)}"
        raise found_error("--transform", found, "wct for a model on VGG-19")
    models: dict[str, Fast | VGG19 | WCT | Smoothed] = {}
    if paper_decoder is not None:
        models[PAPER_DECODER] = load_paper_decoder(paper_decoder)
    models |= {name: load_model(name, files.get(name)) for name in names}
    if transform == "wct":
        models = _beside(models, "wct", lambda model: WCT(model).eval(), VGG19)
    if smooth > 0:
        label = f"smooth {smooth:g}"
        models = _beside(models, label, lambda model: Smoothed(model, smooth).eval(), nn.Module)
    return models


def _beside(
    models: Mapping[str, Any], label: str, change: Callable[[Any], Any], kind: type[nn.Module]
) -> dict[str, Any]:
    """The models, those of a kind followed by themselves with a change."""
    found = {}
    for name, model in models.items():
        found[name] = model
        if isinstance(model, kind):
            found[f"{name} {label}"] = change(model)
    return found


def _has_vgg19(name: str) -> bool:
    return weights.about(name).has_vgg19
