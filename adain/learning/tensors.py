"""Pictures as PyTorch tensors ``[N, 3, H, W]``, RGB in [0, 1], and their luma."""

import torch
from torch import Tensor

from adain.images.picture import Picture


def to_tensor(picture: Picture) -> Tensor:
    """A picture's colours, float32 ``[1, 3, H, W]`` in [0, 1]; hidden ones do not count."""
    return view_of(picture).contiguous()


def view_of(picture: Picture) -> Tensor:
    """`to_tensor` without a copy where there is no alpha, in the picture's own memory."""
    return torch.from_numpy(picture.opaque().rgb).permute(2, 0, 1)[None]


def luma(image: Tensor) -> Tensor:
    """Rec. 601 luma ``[N, 1, H, W]`` of gamma-encoded RGB ``[N, 3, H, W]``."""
    weights = torch.tensor([0.299, 0.587, 0.114], dtype=image.dtype, device=image.device)
    return torch.einsum("nchw,c->nhw", image, weights)[:, None]
