"""Training state: networks, optimizer, EMA, checkpoints, and what a step changes."""

import copy
import gc
import hashlib
import io
import json
import math
import os
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

from adain.errors import found_error
from adain.files import make_folder, write_atomically
from adain.learning.devices import torch_device, training_dtype
from adain.learning.memory import keep_freed_memory
from adain.learning.models.fast import Fast
from adain.learning.models.layers import SubPixels
from adain.learning.models.loss_network import load_loss_network
from adain.learning.models.pretrained import load_trainable, make_trainable
from adain.learning.training import schedule
from adain.learning.training.checkpoint import CHECKPOINT, read_checkpoint, restore
from adain.learning.training.data import ImageStore, split
from adain.learning.training.held_out import HeldOut, sheet
from adain.learning.training.objective import TrainingObjective
from adain.learning.training.optimizer import MuonAndAdam
from adain.learning.training.options import TrainOptions, check_continues
from adain.learning.training.processes import rank, ranks

# The options that the held-out total, by which weights are chosen, depends on.
TOTAL_WEIGHTS = ("style_weight", "reconstruction_weight", "shift_weight", "steady_weight")


class Trainer:
    """One training run in ``run_dir``; where that holds a checkpoint, its continuation.

    In a process group (torch.distributed) each process computes its share of every batch, and the
    result is that of one process with the whole batch.
    """

    @property
    def name(self) -> str:
        """What weights say that they are of."""
        return self.options.model

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
        self.device = torch_device(options.device)
        self.dtype = self._agreed(training_dtype(options.precision, self.device))
        torch.manual_seed(options.seed)
        # VGG-19 in the losses runs wholly in the training precision: autocast would convert its
        # frozen weights anew at every call.
        self.vgg = load_loss_network(options.vgg).to(self.device, self.dtype)
        self.vgg.to(memory_format=torch.channels_last)
        self.trained: nn.Module = self._start()
        if options.estimate_weight == 0 and isinstance(self.trained, Fast):
            self.trained.style.requires_grad_(False)
        self.trained.train().to(self.device).to(memory_format=torch.channels_last)
        self.ema = AveragedModel(self.trained).eval()
        self.optimizer = MuonAndAdam(
            self.trained,
            options.learning_rate,
            muon=options.optimizer == "muon",
            dtype=self._agreed(training_dtype("auto", self.device)),
        )
        self.step = 0
        self.seconds = 0.0  # of the loop, evaluations included
        self.stopped = False  # before the end, and saved: by a signal, or as the session was over
        self.signal: int | None = None  # which one
        self.best = math.inf
        self.run_dir = Path(run_dir)
        make_folder(self.run_dir)
        self._resume()
        # A run may lie among the photos: its own pictures are none of them.
        content, held_content, no_content = split(
            content_dir, options.held_out, "contents", run_dir
        )
        style, held_style, no_style = self._styles(style_dir, len(held_content))
        self.training_digest = _digest([*content, *style])
        self.content = ImageStore(
            content, device=self.device, label="content images", zoom=options.zoom
        )
        self.style = ImageStore(
            style, device=self.device, label="style images", vivid=True, zoom=options.zoom
        )
        held = (
            ImageStore(held_content, label="held-out content images"),
            ImageStore(held_style, label="held-out style images"),
        )
        self.held_out = HeldOut(*held, self.device)
        self.skipped = [*no_content, *no_style]
        for store in (self.content, self.style, *held):
            self.skipped += store.skipped
        compiled = self.device.type == "cuda" if options.compile is None else options.compile
        self.objective = self._objective(compiled=compiled)
        self.network: nn.Module = self.trained
        if self.ranks > 1:
            self.network = DistributedDataParallel(
                self.trained, find_unused_parameters=options.estimate_steps > 0
            )
        if compiled:
            self.network = cast(nn.Module, torch.compile(self.network))
        self._flops: dict[tuple[schedule.Phase, int | None], int] = {}

    def _start(self) -> nn.Module:
        """The network that is trained, as it starts."""
        model, start = self.options.model, self.options.weights
        return make_trainable(model) if start is None else load_trainable(model, Path(start))

    def _styles(
        self, style_dir: str | os.PathLike[str], contents: int
    ) -> tuple[list[Path], list[Path], list[str]]:
        """Style pictures to train on, those for the held-out ``contents``, and what is left out."""
        return split(style_dir, self.options.held_out, "styles", self.run_dir)

    def _objective(self, *, compiled: bool) -> TrainingObjective:
        return TrainingObjective(
            self.options, self.vgg, self.content, self.style, compiled=compiled
        )

    @torch.no_grad()
    def _update_average(self) -> None:
        """Move the averaged weights (EMA) towards the trained ones.

        `AveragedModel.update_parameters` counts on the device, and waits for it at every tensor.
        """
        # The first steps are forgotten faster, or a short run would end near its random start.
        decay = min(self.options.ema_decay, (1 + self.step) / (10 + self.step)) if self.step else 0
        averages: list[Tensor] = list(self.ema.module.parameters())
        current: list[Tensor] = list(self.trained.parameters())
        torch._foreach_lerp_(averages, current, 1 - decay)

    def progress(self) -> float:
        """How much of the run is done, 0 to 1; always 0 for one without an end."""
        return schedule.progress(self.options, self.step, self.seconds)

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

    def train_step(self) -> dict[str, Tensor]:
        """One step of the optimiser; the losses of its batch, on the device."""
        losses = self.objective.losses(self.network, self.step)
        losses["total"].backward()
        nn.utils.clip_grad_norm_(self.trained.parameters(), self.options.clip_norm)
        self.optimizer.step(schedule.learning_rate(self.options, self.step, self.seconds))
        for layer in self.trained.modules():
            if isinstance(layer, SubPixels):
                layer.equalise()
        self._update_average()
        self.step += 1
        return {name: loss.detach() for name, loss in losses.items()}

    def evaluate(self) -> tuple[dict[str, float], Tensor]:
        """Mean losses of the averaged weights on the held-out pairs, and pictures of eight.

        The weights with the lowest total so far are written to ``weights.safetensors``.
        """
        losses, pictures = self.held_out.evaluate(self.ema.module, self.objective)
        if losses["total"] < self.best:
            self.best = losses["total"]
            self._save_weights()
        return losses, sheet(pictures)

    def images_per_step(self) -> int:
        """Pictures made or looked at in the step that comes next."""
        reconstruction = schedule.phase_of(self.options, self.step) == "reconstruction"
        return self.options.batch_size * (2 if reconstruction else 1)

    def flops(self) -> int:
        """Floating-point operations of the step that comes next, forwards and backwards.

        Two for each multiply-add of convolutions and matrix products; nothing else is counted, the
        optimiser neither. It takes a step's time, once for each phase and size of crops.
        """
        phase = schedule.phase_of(self.options, self.step)
        # The style network alone is trained on crops of many sizes, each with work of its own.
        kind = phase, self.objective.estimate_crop(self.step) if phase == "estimate" else None
        if kind not in self._flops:
            # The pools are as they were in the step before, so that only what is new is counted.
            for pool in self.objective.pools if phase == "style" else ():
                pool.at(self.step - 1)
            if self.objective.estimates and phase != "reconstruction":
                self.objective.deviation()  # once a run and not in every step
            with FlopCounterMode(display=False) as counter:
                plain = copy.copy(self.objective)
                plain.relu_features = self.vgg.relu_features  # not the compiled one
                plain.losses(self.trained, self.step)["total"].backward()
            self.trained.zero_grad(set_to_none=True)
            self._flops[kind] = counter.get_total_flops() * self.ranks
        return self._flops[kind]

    def save(self) -> None:
        """Write ``checkpoint.pt``, from which the run goes on."""
        if self.rank > 0 or not self.options.resumable:
            return
        state = {
            "options": _plain(self.options),
            "step": self.step,
            "seconds": self.seconds,
            "best": self.best,
            "trained": self.trained.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        buffer = io.BytesIO()
        torch.save(state, buffer)
        write_atomically(self.run_dir / CHECKPOINT, buffer.getvalue())

    def _save_weights(self) -> None:
        if self.rank > 0:
            return
        state = self.ema.module.state_dict()
        tensors = {name: tensor.half().contiguous().cpu() for name, tensor in state.items()}
        options = _plain(self.options)
        for name in ("weights", "vgg"):
            # Not the folder: these files are for others as well.
            options[name] = options[name] and Path(options[name]).name
        about = {
            "model": self.name,
            "step": str(self.step),
            "options": json.dumps(options),
            "training_digest": self.training_digest,
        }
        write_atomically(self.run_dir / "weights.safetensors", save(tensors, metadata=about))

    def _resume(self) -> None:
        path = self.run_dir / CHECKPOINT
        if not path.exists():
            return
        state = read_checkpoint(path, self.device)
        check_continues(self.options, state["options"], self.run_dir)
        restore(path, state, trained=self.trained, ema=self.ema, optimizer=self.optimizer)
        self.step, self.seconds = state["step"], state["seconds"]
        # Totals that were weighted in another way do not compare.
        now = asdict(self.options)
        if all(state["options"].get(name, 0.0) == now[name] for name in TOTAL_WEIGHTS):
            self.best = state["best"]


def _plain(options: TrainOptions) -> dict[str, Any]:
    """The options with paths as text, as files can hold them."""
    values = asdict(options)
    return {k: os.fspath(v) if isinstance(v, os.PathLike) else v for k, v in values.items()}


def _digest(paths: list[Path]) -> str:
    """Names the training images: SHA-256 over the names and sizes of the files."""
    names = sorted(f"{path.name} {path.stat().st_size}" for path in paths if path.is_file())
    return hashlib.sha256(os.fsencode("\n".join(names))).hexdigest()
