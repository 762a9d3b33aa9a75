"""The training loop: steps, a log, pictures and checkpoints, until done or told to stop.

`adain train` runs it in one process. On several GPUs or machines, with the same arguments:

    torchrun --nproc-per-node N -m adain train CONTENT_DIR STYLE_DIR -o RUN_DIR ...
"""

import math
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

import torch
import torch.distributed as dist
from torch import Tensor
from tqdm import tqdm

from adain.errors import AdaINError, failing, found_error
from adain.files import make_folder
from adain.learning.devices import matrix_peak, torch_device
from adain.learning.training.log import Log
from adain.learning.training.options import TrainOptions
from adain.learning.training.processes import rank
from adain.learning.training.trainer import Trainer


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


def train(
    content_dir: str | os.PathLike[str],
    style_dir: str | os.PathLike[str],
    run_dir: str | os.PathLike[str],
    options: TrainOptions,
    report: Callable[[str], object] = tqdm.write,
    trainer_of: Callable[..., Trainer] = Trainer,
) -> Trainer:
    """Train to the end, or until SIGINT or SIGTERM; the same call then goes on from there.

    Writes into ``run_dir``: ``weights.safetensors``, the averaged weights of the step whose losses
    on held-out images were the lowest, as float16; ``checkpoint.pt``; ``log.jsonl`` and
    TensorBoard's files; ``held_out.png``, rows of contents, styles, stylised pictures and
    reconstructions that training never saw. Where ``options.resumable`` is False, there is no
    checkpoint, and weights and log are brought up to date in its place. Files that are left out are
    told to ``report``. In the processes that torchrun starts, each computes its share of the batch.
    Raises AdaINError for bad folders, where the loss is no longer finite, and where another process
    is lost. ``trainer_of`` makes the trainer: a `Trainer`, perhaps with another objective. Returned
    is the trainer, which was ``stopped`` where there are steps left.
    """
    with _process_group(options), _alone(Path(run_dir)):
        trainer = trainer_of(content_dir, style_dir, run_dir, options)
        try:
            _train(trainer, report if trainer.rank == 0 else lambda message: None)
        except RuntimeError as error:
            if trainer.ranks == 1:
                raise
            raise AdaINError(
                f"step {trainer.step}: process {trainer.rank} of {trainer.ranks} failed or lost"
                f" another one ({str(error).splitlines()[0]}); the last checkpoint in"
                f" {trainer.run_dir} is kept, and the same command goes on from there"
            ) from error
        finally:
            trainer.leave_group()
        return trainer


@contextmanager
def _alone(run_dir: Path) -> Iterator[None]:
    """Hold the folder of a run; AdaINError where another run holds it, alive and not killed.

    A folder that was made for it, and into which nothing came, is gone afterwards.
    """
    made = rank() == 0 and not run_dir.exists()
    make_folder(run_dir)
    try:
        with _held(run_dir):
            yield
    finally:
        if made:
            with suppress(OSError):  # not empty, as a rule
                run_dir.rmdir()


@contextmanager
def _held(run_dir: Path) -> Iterator[None]:
    if fcntl is None or rank() > 0:
        yield
        return
    # The system lets go of it with the process, however that ends.
    with failing(str(run_dir), "a folder that cannot be read", "a folder of one's own"):
        descriptor = os.open(run_dir, os.O_RDONLY)
    try:
        _lock(descriptor, run_dir)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, run_dir: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        allowed = "one process for each folder; wait for the other, or end it"
        raise found_error(str(run_dir), "another process that trains there", allowed) from error
    except OSError:
        pass  # some network file systems have no locks


@contextmanager
def _process_group(options: TrainOptions) -> Iterator[None]:
    """Join the processes that torchrun started; on the CPU over gloo, else over NCCL."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    cuda = torch_device(options.device).type == "cuda"
    if cuda:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if cuda else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()


def _train(trainer: Trainer, report: Callable[[str], object]) -> None:
    options = trainer.options
    if trainer.skipped:
        report(f"{len(trainer.skipped)} unreadable files left out:")
        for message in trainer.skipped:
            report(f"  {message}")
    first = trainer.rank == 0
    log = None
    if first:
        log = Log(trainer.run_dir, trainer.step, tensorboard=options.tensorboard)
        if trainer.step == 0 and options.weights is not None:
            # What weights bring is the first to be beaten.
            _evaluate(trainer, log)
    recent: list[dict[str, Tensor]] = []
    peak = trainer.ranks * matrix_peak(trainer.device, trainer.dtype)
    session = saved = time.monotonic()
    began = session - trainer.seconds
    logged, flops, images = session, 0, 0  # since the last line of the log
    with (
        _stop_requested() as received,
        tqdm(
            total=options.steps,
            initial=trainer.step,
            unit="step",
            smoothing=0.05,
            disable=not first,
        ) as bar,
    ):
        stop = False
        while trainer.progress() < 1 and not stop:
            started = time.monotonic()
            flops += trainer.flops()
            images += trainer.images_per_step()
            logged += time.monotonic() - started  # no part of the rate of steps
            latest = trainer.train_step()
            recent.append(latest)
            now = time.monotonic()
            trainer.seconds = now - began
            over = now - session > 60 * (options.session_minutes or math.inf)
            stop = trainer.agree(bool(received) or over)
            bar.update()
            done = stop or trainer.progress() >= 1
            due = done or now - saved > 60 * options.checkpoint_minutes
            if trainer.step % options.log_every == 0 or done:
                values = trainer.averaged(_means(recent))  # waits for the device
                recent.clear()
                now = time.monotonic()
                values["images_per_second"] = images / (now - logged)
                values["teraflops"] = flops / (now - logged) / 1e12
                values["fraction_of_peak"] = flops / (now - logged) / peak
                logged, flops, images = now, 0, 0
                _require_finite(trainer, values["total"])
                if log is not None:
                    log.write(trainer.step, "train", values)
                bar.set_postfix_str(_shown(values, trainer))
            every = trainer.step % options.evaluate_every == 0
            if log is not None and (every or done or (due and not options.resumable)):
                started = time.monotonic()
                _evaluate(trainer, log)
                logged += time.monotonic() - started
            if due:
                started = time.monotonic()
                _require_finite(trainer, latest["total"].item())
                trainer.save()
                saved = time.monotonic()
                logged += saved - started
    if log is not None:
        log.close()
    trainer.stopped = trainer.progress() < 1
    trainer.signal = received[0] if received else None


def _evaluate(trainer: Trainer, log: Log) -> None:
    losses, pictures = trainer.evaluate()
    log.write(trainer.step, "held_out", losses)
    log.show(trainer.step, pictures)


def _require_finite(trainer: Trainer, total: float) -> None:
    # A checkpoint of a run that has diverged would overwrite the last good one.
    if not math.isfinite(total):
        raise AdaINError(
            f"step {trainer.step}: found a loss of {total}; the last checkpoint in"
            f" {trainer.run_dir} is kept, lower the learning rate and run again"
        )


def _means(steps: list[dict[str, Tensor]]) -> dict[str, float]:
    """The mean over the steps of each loss that the last of them has."""
    return {
        name: torch.stack([losses[name] for losses in steps if name in losses]).mean().item()
        for name in steps[-1]
    }


def _shown(values: dict[str, float], trainer: Trainer) -> str:
    text = ", ".join(f"{name}={value:.3f}" for name, value in values.items())
    if trainer.options.hours is None:
        return text
    return f"{text}, minutes_left={60 * trainer.options.hours - trainer.seconds / 60:.0f}"
