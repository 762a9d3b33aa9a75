"""The networks in torch, as their authors' programs run them."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from adain.learning.models.fast import Fast
from adain.learning.models.networks import VGG19, PaperDecoder
from adain.learning.models.pretrained import load_model
from adain.registry import BUILT_IN
from benchmarks.pipeline import Pixels


def make_network(name: str) -> VGG19 | Fast:
    """A network with random weights: neither speed nor MACs depend on them."""
    row = BUILT_IN[name]
    if not row.has_vgg19:
        # Which of its shapes has the weights that ship.
        with torch.device("cpu"):
            return load_model(name)
    return VGG19(None if row.trained else PaperDecoder())


def count_macs(name: str, part: str, size: int) -> int:
    """Multiply-accumulates of a network's encoder, decoder or style for a square picture."""
    # On the meta device nothing is computed; the counter knows two operations for each MAC.
    with torch.device("meta"), torch.no_grad():
        network = make_network(name)
        image, alpha = torch.empty(1, 3, size, size), torch.empty(1, 1, 1, 1)
        style = torch.empty(1, network.style_channels, 1, 1)
        encoded = network.encoder(image)
        with FlopCounterMode(display=False) as counter:
            if part == "encoder":
                network.encoder(image)
            elif part == "decoder":
                network.decoder(*encoded[:2], style, alpha, *encoded[2:])
            else:
                network.style(image)
    return int(counter.get_total_flops()) // 2


class TorchPipeline:
    """A network on a device, uint8 pictures in and out; see `benchmarks.sides.Side`."""

    def __init__(
        self, name: str, device: str, precision: str, *, channels_last: bool, compiled: bool
    ) -> None:
        self._device = torch.device(device)
        self._dtype = {"fp32": torch.float32, "fp16": torch.float16}[precision]
        self._layout = torch.channels_last if channels_last else torch.contiguous_format
        network = make_network(name).eval().to(self._device, self._dtype)
        network = network.to(memory_format=self._layout)
        parts: list[Callable[..., Any]] = [network.encoder, network.decoder, network.style]
        if compiled:
            # Each size is compiled on its own, in the rounds that warm up.
            parts = [torch.compile(part, dynamic=False) for part in parts]
        self._encode, self._decode, self._style = parts

    def _image(self, pixels: Pixels) -> Tensor:
        levels = torch.from_numpy(pixels).to(self._device).permute(2, 0, 1)[None]
        return levels.to(self._dtype).div(255).contiguous(memory_format=self._layout)

    @torch.inference_mode()
    def encode_style(self, pixels: Pixels) -> Tensor:
        style: Tensor = self._style(self._image(pixels))
        return style

    @torch.inference_mode()
    def stylize(self, content: Pixels, style: Tensor, alpha: float = 1.0) -> Pixels:
        strength = torch.full((1, 1, 1, 1), alpha, device=self._device)
        features, statistics, *skips = self._encode(self._image(content))
        image = self._decode(features, statistics, style, strength, *skips)
        levels = image.clamp(0, 1).mul(255).round().to(torch.uint8)
        pixels: Pixels = levels[0].permute(1, 2, 0).contiguous().cpu().numpy()
        return pixels
