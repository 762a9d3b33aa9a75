"""The training loop: steps, a log, pictures and checkpoints, until done or told to stop."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from adain.errors import AdaINError
from adain.images import save_image
from adain.learning.trainer import Trainer, TrainOptions


@contextmanager
def _stop_requested() -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM instead of dying, so that the step can end and be saved."""
    received: list[int] = []
    handlers = {
        number: signal.signal(number, lambda number, frame: received.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield received
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


class _Log:
    """``log.jsonl`` and TensorBoard; lines past the resumed step are dropped: it repeats them."""

    def __init__(self, run_dir: Path, step: int) -> None:
        self.path = run_dir / "log.jsonl"
        kept = []
        if self.path.exists():
            lines = self.path.read_text().splitlines()
            kept = [line for line in lines if json.loads(line)["step"] <= step]
        self.path.write_text("".join(line + "\n" for line in kept))
        self.board = SummaryWriter(str(run_dir), purge_step=step + 1)

    def write(self, step: int, kind: str, values: dict[str, float]) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps({"step": step, "kind": kind, **values}) + "\n")
        for name, value in values.items():
            self.board.add_scalar(f"{kind}/{name}", value, step)


def train(
    content_dir: str | os.PathLike[str],
    style_dir: str | os.PathLike[str],
    run_dir: str | os.PathLike[str],
    options: TrainOptions,
    report: Callable[[str], object] = tqdm.write,
) -> Trainer:
    """Train to the end, or until SIGINT or SIGTERM; the same call then goes on from there.

    Writes into ``run_dir``: ``weights.safetensors``, the averaged weights as float16;
    ``checkpoint.pt``; ``log.jsonl`` and TensorBoard's files; ``held_out.png``, rows of contents,
    styles, stylised pictures and reconstructions that training never saw. What to say to the user
    goes to ``report``. Raises AdaINError for bad folders, and where the loss is no longer finite.
    """
    trainer = Trainer(content_dir, style_dir, run_dir, options)
    if trainer.skipped:
        report(f"{len(trainer.skipped)} unreadable files left out:")
        for message in trainer.skipped:
            report(f"  {message}")
    log = _Log(trainer.run_dir, trainer.step)
    saved = time.monotonic()
    recent: list[dict[str, Tensor]] = []
    latest: dict[str, Tensor] = {}
    started_at, started_seconds = trainer.step, trainer.seconds
    with (
        _stop_requested() as stop,
        tqdm(total=options.steps, initial=trainer.step, unit="step", smoothing=0.05) as bar,
    ):
        while trainer.progress() < 1 and not stop:
            latest = trainer.train_step()
            recent.append(latest)
            bar.update()
            done = trainer.progress() >= 1
            if trainer.step % options.log_every == 0 or done:
                values = _means(recent)
                recent.clear()
                rate = (trainer.step - started_at) / (trainer.seconds - started_seconds)
                values["images_per_second"] = rate * options.batch_size
                log.write(trainer.step, "train", values)
                bar.set_postfix_str(_shown(values, trainer))
            if trainer.step % options.evaluate_every == 0 or done:
                losses, pictures = trainer.evaluate()
                log.write(trainer.step, "held_out", losses)
                log.board.add_image("held_out", pictures, trainer.step)
                grid = pictures.clamp(0, 1).permute(1, 2, 0).contiguous().numpy()
                save_image(grid, trainer.run_dir / "held_out.png")
            if time.monotonic() - saved > 60 * options.checkpoint_minutes:
                _save(trainer, latest)
                saved = time.monotonic()
        _save(trainer, latest)
    log.board.close()
    if stop:
        report(f"stopped at step {trainer.step} and saved; the same command goes on from here")
    return trainer


def _means(steps: list[dict[str, Tensor]]) -> dict[str, float]:
    """The mean over the steps of each loss that the last of them has."""
    return {
        name: torch.stack([losses[name] for losses in steps if name in losses]).mean().item()
        for name in steps[-1]
    }


def _save(trainer: Trainer, latest: dict[str, Tensor]) -> None:
    # A checkpoint of a run that has diverged would overwrite the last good one.
    if latest and not torch.isfinite(latest["total"]):
        raise AdaINError(
            f"step {trainer.step}: found a loss of {latest['total'].item()}; the last checkpoint"
            f" in {trainer.run_dir} is kept, lower the learning rate and run again"
        )
    trainer.save()


def _shown(values: dict[str, float], trainer: Trainer) -> str:
    text = ", ".join(f"{name}={value:.3f}" for name, value in values.items())
    if trainer.options.hours is None:
        return text
    return f"{text}, minutes_left={60 * trainer.options.hours - trainer.seconds / 60:.0f}"
