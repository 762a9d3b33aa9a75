"""A model that is shown smoothed contents, as by `StylizeOptions.smooth`."""

import torch
from torch import Tensor, nn

from adain.learning.models.fast import Fast
from adain.learning.models.networks import VGG19
from adain.learning.models.wct import WCT
from adain.smoothing import smoothed


class SmoothedEncoder(nn.Module):
    """An encoder that sees contents as `adain.smoothing` leaves them; no gradient flows back."""

    def __init__(self, encoder: nn.Module, amount: float) -> None:
        super().__init__()
        self.network, self.amount = encoder, amount

    @torch.no_grad()
    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Images ``[N, 3, H, W]``, RGB in [0, 1], to what the encoder gives."""
        pictures = [
            torch.from_numpy(smoothed(picture.permute(1, 2, 0).contiguous().numpy(), self.amount))
            for picture in image.float().cpu()
        ]
        seen = torch.stack(pictures).permute(0, 3, 1, 2).contiguous()
        found: tuple[Tensor, ...] = self.network(seen.to(image.device, image.dtype))
        return found


class Smoothed(nn.Module):
    """A model as it is but for its encoder of contents; styles are not smoothed."""

    def __init__(self, model: Fast | VGG19 | WCT, amount: float) -> None:
        super().__init__()
        self.stride = model.stride
        self.style, self.decoder = model.style, model.decoder
        self.encoder = SmoothedEncoder(model.encoder, amount)
