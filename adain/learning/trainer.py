"""A training run: what a step changes, what survives it, and what it is judged by."""

import gc
import hashlib
import io
import json
import math
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import torch
import torch.distributed as dist
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel
from torch.utils.flop_counter import FlopCounterMode
from torchvision.utils import make_grid

from adain.errors import AdaINError, found_error
from adain.files import write_atomically
from adain.learning.data import ImageStore, find_images, hold_out
from adain.learning.fast import Fast
from adain.learning.layers import ToPixels, adain
from adain.learning.losses import estimate_loss, mean_squared_error, pixel_loss, style_loss
from adain.learning.memory import keep_freed_memory
from adain.learning.objective import Objective
from adain.learning.optimizer import MuonAndAdam
from adain.learning.options import TrainOptions, choose_device
from adain.learning.pool import see
from adain.learning.precision import training_dtype
from adain.learning.pretrained import load_model, load_vgg19_encoder, make_model
from adain.learning.processes import rank, ranks

# The side of the pictures that runs are compared by, whatever the crops they train on.
HELD_OUT_SIZE = 256
# The options that the held-out total, by which weights are chosen, depends on.
TOTAL_WEIGHTS = ("style_weight", "reconstruction_weight", "shift_weight")


class Trainer:
    """One training run in ``run_dir``; where that holds a checkpoint, its continuation.

    In a process group (torch.distributed) each process computes its share of every batch, and the
    result is that of one process with the whole batch.
    """

    def __init__(
        self,
        content_dir: str | os.PathLike[str],
        style_dir: str | os.PathLike[str],
        run_dir: str | os.PathLike[str],
        options: TrainOptions,
    ) -> None:
        keep_freed_memory()
        self.options = options
        self.rank, self.ranks = rank(), ranks()
        if options.batch_size % self.ranks:
            raise found_error(
                "batch_size", str(options.batch_size), f"a multiple of the {self.ranks} processes"
            )
        self.device = choose_device(options.device)
        self.dtype = self._agreed(training_dtype(options.precision, self.device))
        torch.manual_seed(options.seed)
        # VGG-19 in the losses runs wholly in the training precision: autocast would convert its
        # frozen weights anew at every call.
        self.vgg = load_vgg19_encoder().to(self.device, self.dtype)
        self.vgg.to(memory_format=torch.channels_last)
        start = options.weights
        model = load_model(options.model, start) if start is not None else make_model(options.model)
        self.trained: nn.Module = model if isinstance(model, Fast) else model.decoder
        self.trained.train().to(self.device).to(memory_format=torch.channels_last)
        if isinstance(model, Fast) and not model.told:
            raise found_error("weights", f"{start}, of the first fast", "of dense blocks, or none")
        self.ema = AveragedModel(self.trained, avg_fn=self._average).eval()
        self.optimizer = MuonAndAdam(
            self.trained,
            options.learning_rate,
            muon=options.optimizer == "muon",
            dtype=self._agreed(training_dtype("auto", self.device)),
        )
        self.step = 0
        self.seconds = 0.0
        self.best = math.inf
        self.run_dir = Path(run_dir)
        self.run_dir.mkdir(parents=True, exist_ok=True)
        self._resume()
        content, held_content = hold_out(find_images(content_dir), options.held_out)
        style, held_style = hold_out(find_images(style_dir), options.held_out)
        self.training_digest = _digest([*content, *style])
        self.content = ImageStore(content, device=self.device, label="content images")
        self.style = ImageStore(style, device=self.device, label="style images", vivid=True)
        held = [
            ImageStore(held_content, label="held-out content images"),
            ImageStore(held_style, label="held-out style images"),
        ]
        pairs = min(map(len, held))
        self.held_out = [
            self._input(torch.stack([store.centre_crop(i, HELD_OUT_SIZE) for i in range(pairs)]))
            for store in held
        ]
        stores = [self.content, self.style, *held]
        self.skipped = [message for store in stores for message in store.skipped]
        cuda = self.device.type == "cuda"
        compiled = cuda if options.compile is None else options.compile
        self.objective = Objective(options, self.vgg, self.content, self.style, compiled=compiled)
        self.network: nn.Module = self.trained
        if self.ranks > 1:
            self.network = DistributedDataParallel(
                self.trained, find_unused_parameters=options.estimate_steps > 0
            )
        if compiled:
            self.network = cast(nn.Module, torch.compile(self.network))
        self._flops: dict[str, int] = {}

    def _average(self, average: Tensor, current: Tensor, updates: Tensor | int) -> Tensor:
        # The first steps are forgotten faster, or a short run would end near its random start.
        decay = min(self.options.ema_decay, (1 + float(updates)) / (10 + float(updates)))
        return average.lerp(current, 1 - decay)

    def _input(self, images: Tensor) -> Tensor:
        return images.to(self.device).contiguous(memory_format=torch.channels_last)

    def progress(self) -> float:
        """How much of the run is done, 0 to 1."""
        if self.options.steps is not None:
            return min(1.0, self.step / self.options.steps)
        assert self.options.hours is not None
        return min(1.0, self.seconds / (3600 * self.options.hours))

    def leave_group(self) -> None:
        """Let go of the process group, so that its threads end with it.

        Where they outlive the interpreter they call into it, which ends a process that has done all
        its work by SIGABRT.
        """
        self.network = self.trained
        gc.collect()

    def agree(self, stop: bool) -> bool:
        """Whether any process is to stop; their clocks are set to the latest as well."""
        if self.ranks > 1:
            state = torch.tensor([float(stop), self.seconds], device=self.device)
            dist.all_reduce(state, dist.ReduceOp.MAX)
            stop, self.seconds = bool(state[0]), state[1].item()
        return stop

    def _agreed(self, dtype: torch.dtype) -> torch.dtype:
        """float32 where any process has to compute in that: each measures for itself."""
        if self.ranks > 1:
            half = torch.tensor(float(dtype == torch.bfloat16), device=self.device)
            dist.all_reduce(half, dist.ReduceOp.MIN)
            return torch.bfloat16 if half else torch.float32
        return dtype

    def averaged(self, losses: dict[str, float]) -> dict[str, float]:
        """Losses of all processes from those of this one's share of the batches."""
        if self.ranks > 1:
            values = torch.tensor(list(losses.values()), device=self.device)
            dist.all_reduce(values)
            losses = dict(zip(losses, (values / self.ranks).tolist(), strict=True))
        return losses

    def _learning_rate(self) -> float:
        ramp = min(1.0, (self.step + 1) / self.options.ramp_steps)
        decay = 0.02 + 0.98 * (1 + math.cos(math.pi * self.progress())) / 2
        return self.options.learning_rate * ramp * decay

    def train_step(self) -> dict[str, Tensor]:
        """One step of the optimiser; the losses of its batch, on the device."""
        started = time.monotonic()
        losses = self.objective.losses(self.network, self.step)
        losses["total"].backward()
        nn.utils.clip_grad_norm_(self.trained.parameters(), self.options.clip_norm)
        self.optimizer.step(self._learning_rate())
        for layer in self.trained.modules():
            if isinstance(layer, ToPixels):
                layer.equalise()
        self.ema.update_parameters(self.trained)
        self.step += 1
        self.seconds += time.monotonic() - started
        return {name: loss.detach() for name, loss in losses.items()}

    @torch.no_grad()
    def evaluate(self) -> tuple[dict[str, float], Tensor]:
        """Mean losses of the averaged weights on the held-out pairs, and pictures of eight.

        The weights with the lowest total so far are what `save` writes.
        """
        sums: dict[str, float] = {}
        pictures = []
        for content, style in zip(*(half.split(4) for half in self.held_out), strict=True):
            one = torch.ones(len(content), 1, 1, 1, device=self.device)
            seen = see(self.vgg, content, self.objective.skips)
            seen_style = see(self.vgg, style)
            generator = torch.Generator().manual_seed(0)
            network = self.ema.module
            shift, image, estimate = self.objective.shift_loss(
                network, seen, seen_style, one, generator
            )
            same, _ = self.objective.stylize(network, seen, seen_style, 0 * one)
            image, same = (pixels.float().clamp(0, 1) for pixels in (image, same))
            output = see(self.vgg, image)
            target = adain(seen.features, seen.statistics[-1], seen_style.statistics[-1], one)
            losses = {
                "target": mean_squared_error(output.features, target),
                "style": style_loss(output.statistics, seen_style.statistics),
                "pixel": pixel_loss(same, content),
                **({} if shift is None else {"shift": shift}),
            }
            if estimate is not None:
                deviation = self.objective.deviation()
                losses["estimate"] = estimate_loss(estimate, seen_style.style, deviation)
            for name, loss in losses.items():
                sums[name] = sums.get(name, 0.0) + loss.sum().item() / len(self.held_out[0])
            pictures.append(torch.stack([content, style, image, same], dim=1))
        sums["total"] = (
            sums["target"]
            + self.options.style_weight * sums["style"]
            + self.options.reconstruction_weight * sums["pixel"]
            + self.options.shift_weight * sums.get("shift", 0.0)
        )
        if sums["total"] < self.best:
            self.best = sums["total"]
            self._save_weights()
        grid = torch.cat(pictures)[:8].transpose(0, 1)
        return sums, make_grid(grid.flatten(0, 1).float().cpu(), nrow=grid.shape[1], padding=4)

    def images_per_step(self) -> int:
        """Pictures made or looked at in the step that comes next."""
        return self.options.batch_size * (2 if self._phase() == "reconstruction" else 1)

    def _phase(self) -> str:
        if self.step < self.options.estimate_steps:
            return "estimate"
        warming_up = self.step < self.options.estimate_steps + self.options.reconstruction_steps
        return "reconstruction" if warming_up else "style"

    def flops(self) -> int:
        """Floating-point operations of the step that comes next, forwards and backwards.

        Two for each multiply-add of convolutions and matrix products; nothing else is counted, the
        optimiser neither. It takes a step's time, once for each phase.
        """
        phase = self._phase()
        if phase not in self._flops:
            # The pools are as they were in the step before, so that only what is new is counted.
            for pool in self.objective.pools if phase == "style" else ():
                pool.at(self.step - 1)
            if self.options.model == "fast" and phase != "reconstruction":
                self.objective.deviation()  # once a run and not in every step
            with FlopCounterMode(display=False) as counter:
                plain = Objective(self.options, self.vgg, self.content, self.style)
                plain.pools = self.objective.pools
                plain._deviation = self.objective._deviation
                plain.losses(self.trained, self.step)["total"].backward()
            self.trained.zero_grad(set_to_none=True)
            self._flops[phase] = counter.get_total_flops() * self.ranks
        return self._flops[phase]

    def save(self) -> None:
        """Write ``checkpoint.pt``, from which the run goes on."""
        if self.rank > 0:
            return
        options = asdict(self.options)
        state = {
            "options": options | {"weights": options["weights"] and str(options["weights"])},
            "step": self.step,
            "seconds": self.seconds,
            "best": self.best,
            "trained": self.trained.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        buffer = io.BytesIO()
        torch.save(state, buffer)
        write_atomically(self.run_dir / "checkpoint.pt", buffer.getvalue())

    def _save_weights(self) -> None:
        if self.rank > 0:
            return
        tensors = {
            name: tensor.half().contiguous().cpu()
            for name, tensor in self.ema.module.state_dict().items()
        }
        options = asdict(self.options)
        # Not the folder: these files are for others as well.
        options["weights"] = options["weights"] and Path(options["weights"]).name
        about = {
            "model": self.options.model,
            "step": str(self.step),
            "options": json.dumps(options),
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
        # Totals that were weighted in another way do not compare.
        now = asdict(self.options)
        if all(state["options"].get(name, 0.0) == now[name] for name in TOTAL_WEIGHTS):
            self.best = state["best"]


def _digest(paths: list[Path]) -> str:
    """Names the training images: SHA-256 over the names and sizes of the files."""
    names = sorted(f"{path.name} {path.stat().st_size}" for path in paths)
    return hashlib.sha256("\n".join(names).encode()).hexdigest()
