"""The loss network (Johnson et al. 2016): VGG-19 to relu4_1, as published or rounded to bfloat16.

The rounded copy takes 7 MB instead of 80, to travel with the images to another machine. Trained in
bfloat16 the losses are the same, since the published kernels would be rounded there as well. It is
no encoder of a model: what is exported has the published weights, and these are verified.
"""

import os
from pathlib import Path

import safetensors
import torch
from safetensors.torch import load_file, save
from torch import Tensor

from adain.errors import found_error
from adain.files import write_atomically
from adain.learning.models.networks import VGG19Encoder
from adain.learning.models.pretrained import load_vgg19_encoder

ROUNDED_FILE = "vgg19-rounded.safetensors"
_ABOUT = {"content": "VGG-19 to relu4_1 with kernels in bfloat16, for training losses only"}


def write_rounded(path: Path) -> int:
    """Write the rounded loss network as safetensors; its size in bytes.

    Raises AdaINError where the published weights are missing, or the file cannot be written.
    """
    data = save(
        {name: _rounded(tensor) for name, tensor in load_vgg19_encoder().state_dict().items()},
        metadata=_ABOUT,
    )
    write_atomically(path, data)
    return len(data)


def load_loss_network(path: str | os.PathLike[str] | None = None) -> VGG19Encoder:
    """The network of the losses, float32: the published one, or a rounded copy from ``path``.

    Raises AdaINError where the published weights are missing, or the file is no such copy.
    """
    if path is None:
        return load_vgg19_encoder()
    allowed = f"a {ROUNDED_FILE}, as `adain pack --vgg` writes it"
    try:
        with safetensors.safe_open(path, "pt") as file:
            about = file.metadata()
        tensors = load_file(path)
    except (OSError, safetensors.SafetensorError) as error:
        raise found_error(str(path), f"no readable file ({error})", allowed) from error
    if about != _ABOUT:
        raise found_error(str(path), "another file", allowed)
    encoder = VGG19Encoder()
    encoder.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    return encoder.eval()


def _rounded(tensor: Tensor) -> Tensor:
    # The kernels of the first layer and all biases are 16 KB: nothing is won by rounding them.
    large = tensor.ndim == 4 and tensor.shape[1] > 3
    return tensor.to(torch.bfloat16 if large else torch.float32).contiguous()
