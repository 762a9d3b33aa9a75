"""The training of a model: what a step does, and what survives it.

First a warm-up of plain reconstruction, then AdaIN eq. 11: the target loss plus the weighted style
loss, end to end. In each batch of the second part every sample is one of four kinds, so that the
whole strength slider is learned at once: full strength (five eighths), strength 0 under a foreign
style, the content as its own style, and a random strength (an eighth each). The second and third
must give the content back, pixel by pixel.
"""

import hashlib
import io
import json
import math
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from safetensors.torch import save
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from torchvision.utils import make_grid

from adain.errors import AdaINError, found_error
from adain.files import write_atomically
from adain.learning.data import ImageStore, find_images, hold_out
from adain.learning.losses import mean_squared_error, pixel_loss, style_loss
from adain.learning.memory import keep_freed_memory
from adain.learning.networks import MODELS, VGG19, Fast, adain, channel_statistics
from adain.learning.pretrained import load_vgg19_encoder


@dataclass(frozen=True)
class TrainOptions:
    """How to train; ``steps`` or ``hours`` says how long, and both end with a decayed rate."""

    model: str = "fast"
    crop: int = 128
    batch_size: int = 8
    steps: int | None = None
    hours: float | None = None
    learning_rate: float = 1e-3
    ramp_steps: int = 100
    reconstruction_steps: int = 300
    style_weight: float = 10.0
    reconstruction_weight: float = 10.0
    clip_norm: float = 5.0
    ema_decay: float = 0.999
    seed: int = 0
    device: str = "auto"
    precision: str = "bf16"
    held_out: int = 16
    log_every: int = 10
    evaluate_every: int = 250
    checkpoint_minutes: float = 3.0

    def __post_init__(self) -> None:
        def check(good: bool, name: str, allowed: str) -> None:
            if not good:
                raise found_error(name, repr(getattr(self, name)), allowed)

        check(self.model in MODELS, "model", " or ".join(MODELS))
        check(self.crop >= 64 and self.crop % 16 == 0, "crop", "a multiple of 16, at least 64")
        check(self.batch_size >= 1, "batch_size", "1 or more")
        check(self.steps is None or self.steps >= 1, "steps", "1 or more")
        check(self.hours is None or self.hours > 0, "hours", "more than 0")
        check(self.ramp_steps >= 1, "ramp_steps", "1 or more")
        check(self.learning_rate > 0, "learning_rate", "more than 0")
        check(self.precision in ("bf16", "fp32"), "precision", "bf16 or fp32")
        if (self.steps is None) == (self.hours is None):
            raise AdaINError("give either steps or hours, so that the learning rate can decay")


def choose_device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise AdaINError(f"device: found {name!r}, but PyTorch sees no CUDA device; allowed is cpu")
    return torch.device(name)


class Content(NamedTuple):
    """A batch of content images and what VGG-19 sees in them at relu4_1."""

    image: Tensor
    features: Tensor
    statistics: Tensor


class Trainer:
    """One training run in ``run_dir``; where that holds a checkpoint, its continuation."""

    def __init__(
        self,
        content_dir: str | os.PathLike[str],
        style_dir: str | os.PathLike[str],
        run_dir: str | os.PathLike[str],
        options: TrainOptions,
    ) -> None:
        keep_freed_memory()
        self.options = options
        self.device = choose_device(options.device)
        self.dtype = torch.bfloat16 if options.precision == "bf16" else torch.float32
        torch.manual_seed(options.seed)
        # VGG-19 in the losses runs wholly in the training precision: autocast would convert its
        # frozen weights anew at every call.
        self.vgg = load_vgg19_encoder().to(self.device, self.dtype)
        self.vgg.to(memory_format=torch.channels_last)
        self.trained: nn.Module = Fast() if options.model == "fast" else VGG19().decoder
        self.trained.to(self.device).to(memory_format=torch.channels_last)
        self.ema = AveragedModel(self.trained, avg_fn=self._average)
        self.optimizer = torch.optim.Adam(
            self.trained.parameters(), lr=options.learning_rate, betas=(0.9, 0.99)
        )
        self.step = 0
        self.seconds = 0.0
        self.run_dir = Path(run_dir)
        self.run_dir.mkdir(parents=True, exist_ok=True)
        self._resume()
        content, held_content = hold_out(find_images(content_dir), options.held_out)
        style, held_style = hold_out(find_images(style_dir), options.held_out)
        self.training_digest = _digest([*content, *style])
        self.content = ImageStore(content, device=self.device, label="content images")
        self.style = ImageStore(style, device=self.device, label="style images")
        held = [
            ImageStore(held_content, label="held-out content images"),
            ImageStore(held_style, label="held-out style images"),
        ]
        pairs, size = min(map(len, held)), 2 * options.crop
        self.held_out = [
            self._input(torch.stack([store.centre_crop(i, size) for i in range(pairs)]))
            for store in held
        ]
        stores = [self.content, self.style, *held]
        self.skipped = [message for store in stores for message in store.skipped]

    def _average(self, average: Tensor, current: Tensor, updates: Tensor | int) -> Tensor:
        # The first steps are forgotten faster, or a short run would end near its random start.
        decay = min(self.options.ema_decay, (1 + float(updates)) / (10 + float(updates)))
        return average.lerp(current, 1 - decay)

    def _input(self, images: Tensor) -> Tensor:
        return images.to(self.device).contiguous(memory_format=torch.channels_last)

    def _decode(self, network: nn.Module, content: Content, style: Tensor, alpha: Tensor) -> Tensor:
        """The stylised image; ``style`` is an image for ``fast``, else relu4_1's statistics."""
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            if isinstance(network, Fast):
                encoded = network.encoder(content.image)
                return cast(Tensor, network.decoder(*encoded, network.style(style), alpha))
            return cast(Tensor, network(content.features, content.statistics, style, alpha))

    @torch.no_grad()
    def _judge(self, image: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Features and statistics of relu1_1 to relu4_1."""
        layers = self.vgg.relu_features(image.to(self.dtype))
        return layers, [channel_statistics(layer) for layer in layers]

    def _stylize(
        self, network: nn.Module, content: Tensor, style: Tensor, alpha: Tensor
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """The image, the features it should have, and the style's statistics, layer by layer."""
        with torch.no_grad():
            features, statistics = self.vgg(content.to(self.dtype))
        style_statistics = self._judge(style)[1]
        target = adain(features, statistics, style_statistics[-1], alpha)
        condition = style if isinstance(network, Fast) else style_statistics[-1]
        known = Content(content, features, statistics)
        return self._decode(network, known, condition, alpha), target, style_statistics

    def _batch(self, step: int, count: int, crop: int) -> tuple[Tensor, Tensor, torch.Generator]:
        # Everything random follows from the step alone, so a resumed run draws the same batches.
        generator = torch.Generator().manual_seed(self.options.seed * 1_000_003 + step)
        content = self._input(self.content.random_crops(count, crop, generator))
        style = self._input(self.style.random_crops(count, crop, generator))
        return content, style, generator

    def _reconstruction_losses(self, step: int) -> dict[str, Tensor]:
        """Pixel losses of pictures that must come back as they are; no VGG-19 in the gradient."""
        # Smaller crops teach as much here, and twice as many of them still cost only half.
        crop = max(64, self.options.crop // 2)
        content, style, generator = self._batch(step, 2 * self.options.batch_size, crop)
        # Paintings must be reconstructed as well as photos.
        photo = (torch.rand(len(content), generator=generator) < 0.5).to(self.device)
        photo = photo.view(-1, 1, 1, 1)
        content, style = torch.where(photo, content, style), torch.where(photo, style, content)
        if self.options.model == "fast":
            identity = (torch.rand(len(content), generator=generator) < 0.5).to(self.device)
            alpha = identity.float().view(-1, 1, 1, 1)
            known = Content(content, content, content)
            condition = torch.where(alpha > 0, content, style)
        else:
            with torch.no_grad():
                known = Content(content, *self.vgg(content.to(self.dtype)))
            alpha, condition = torch.zeros(1, 1, 1, 1, device=self.device), known.statistics
        pixel = pixel_loss(self._decode(self.trained, known, condition, alpha), content).mean()
        return {"pixel": pixel, "total": self.options.reconstruction_weight * pixel}

    def _losses(self, step: int) -> dict[str, Tensor]:
        """The losses of the training batch that belongs to this step, ``total`` among them."""
        options = self.options
        if step < options.reconstruction_steps:
            return self._reconstruction_losses(step)
        content, style, generator = self._batch(step, options.batch_size, options.crop)
        kind = torch.rand(len(content), generator=generator)
        strength = torch.rand(len(content), generator=generator)
        off, identity, random = kind < 1 / 8, (kind >= 1 / 8) & (kind < 2 / 8), kind >= 7 / 8
        alpha = torch.where(off, 0.0, torch.where(random, strength, 1.0))
        alpha, off, identity, random = (
            tensor.to(self.device) for tensor in (alpha, off, identity, random)
        )
        style = self._input(torch.where(identity.view(-1, 1, 1, 1), content, style))
        image, target, style_statistics = self._stylize(
            self.trained, content, style, alpha.view(-1, 1, 1, 1)
        )
        layers = self.vgg.relu_features(image.to(self.dtype))
        statistics = [channel_statistics(layer) for layer in layers]
        losses = {
            "pixel": _masked_mean(pixel_loss(image, content), off | identity),
            "target": mean_squared_error(layers[-1], target).mean(),
            "style": _masked_mean(style_loss(statistics, style_statistics), ~off & ~random),
        }
        losses["total"] = (
            losses["target"]
            + options.style_weight * losses["style"]
            + options.reconstruction_weight * losses["pixel"]
        )
        return losses

    def progress(self) -> float:
        """How much of the run is done, 0 to 1."""
        if self.options.steps is not None:
            return min(1.0, self.step / self.options.steps)
        assert self.options.hours is not None
        return min(1.0, self.seconds / (3600 * self.options.hours))

    def _learning_rate(self) -> float:
        ramp = min(1.0, (self.step + 1) / self.options.ramp_steps)
        decay = 0.02 + 0.98 * (1 + math.cos(math.pi * self.progress())) / 2
        return self.options.learning_rate * ramp * decay

    def train_step(self) -> dict[str, Tensor]:
        """One step of the optimiser; the losses of its batch, on the device."""
        started = time.monotonic()
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate()
        losses = self._losses(self.step)
        self.optimizer.zero_grad(set_to_none=True)
        losses["total"].backward()
        nn.utils.clip_grad_norm_(self.trained.parameters(), self.options.clip_norm)
        self.optimizer.step()
        self.ema.update_parameters(self.trained)
        self.step += 1
        self.seconds += time.monotonic() - started
        return {name: loss.detach() for name, loss in losses.items()}

    @torch.no_grad()
    def evaluate(self) -> tuple[dict[str, float], Tensor]:
        """Mean losses of the averaged weights on the held-out pairs, and pictures of eight."""
        sums: dict[str, float] = {}
        pictures = []
        contents, styles = self.held_out
        for content, style in zip(contents.split(4), styles.split(4), strict=True):
            one = torch.ones(len(content), 1, 1, 1, device=self.device)
            image, target, style_statistics = self._stylize(self.ema.module, content, style, one)
            image = image.float().clamp(0, 1)
            same = self._stylize(self.ema.module, content, style, 0 * one)[0].float().clamp(0, 1)
            layers, statistics = self._judge(image)
            losses = {
                "target": mean_squared_error(layers[-1], target),
                "style": style_loss(statistics, style_statistics),
                "pixel": pixel_loss(same, content),
            }
            for name, loss in losses.items():
                sums[name] = sums.get(name, 0.0) + loss.sum().item() / len(contents)
            pictures.append(torch.stack([content, style, image, same], dim=1))
        grid = torch.cat(pictures)[:8].transpose(0, 1)
        return sums, make_grid(grid.flatten(0, 1).float().cpu(), nrow=grid.shape[1], padding=4)

    def save(self) -> None:
        """Write ``checkpoint.pt``, from which the run goes on, and the weights as float16."""
        state = {
            "options": asdict(self.options),
            "step": self.step,
            "seconds": self.seconds,
            "trained": self.trained.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        buffer = io.BytesIO()
        torch.save(state, buffer)
        write_atomically(self.run_dir / "checkpoint.pt", buffer.getvalue())
        tensors = {
            name: tensor.half().contiguous().cpu()
            for name, tensor in self.ema.module.state_dict().items()
        }
        about = {
            "model": self.options.model,
            "step": str(self.step),
            "options": json.dumps(asdict(self.options)),
            "training_digest": self.training_digest,
        }
        write_atomically(self.run_dir / "weights.safetensors", save(tensors, metadata=about))

    def _resume(self) -> None:
        path = self.run_dir / "checkpoint.pt"
        if not path.exists():
            return
        state: dict[str, Any] = torch.load(path, map_location=self.device, weights_only=True)
        found = state["options"]["model"]
        if found != self.options.model:
            raise AdaINError(
                f"{self.run_dir}: holds a run of model {found!r}, not {self.options.model!r};"
                " choose another folder"
            )
        self.trained.load_state_dict(state["trained"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds = state["step"], state["seconds"]


def _digest(paths: list[Path]) -> str:
    """Names the training images: SHA-256 over the names and sizes of the files."""
    names = sorted(f"{path.name} {path.stat().st_size}" for path in paths)
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def _masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """The mean over the samples where the mask is set; 0 where it is nowhere."""
    return (values * mask).sum() / mask.sum().clamp(min=1)
