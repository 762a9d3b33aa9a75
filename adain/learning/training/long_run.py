"""Continual training without an end, the models in turn: what ``make train`` runs.

adain long-run photos/ paintings/ --turn 30
"""

import hashlib
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path

import click

from adain.errors import AdaINError
from adain.files import write_atomically
from adain.learning.evaluation.candidates import Judge, consider
from adain.learning.models.pretrained import load_trainable
from adain.learning.training.checkpoint import CHECKPOINT
from adain.registry import BUILT_IN


def train_in_turn(
    content_dir: Path,
    style_dir: Path,
    models: Sequence[str],
    *,
    turn: float = 30.0,
    turns: int | None = None,
    runs: Path = Path("runs/long"),
    folder: Path = Path("weights"),
    weights: Path | None = None,
    options: Sequence[str] = (),
    report: Callable[[str], object] = click.echo,
) -> None:
    """Train models in turn, ``turn`` minutes each, until SIGINT or SIGTERM, or so many turns.

    `adain train` does the work, in ``runs``/MODEL at a constant rate, with further ``options``; the
    same call goes on from its checkpoints. A model without one starts from ``weights`` or those
    that ship in ``folder``. After each turn its weights are considered as candidates to ship.
    Raises AdaINError where training fails, having said why on stderr.
    """
    child: subprocess.Popen[bytes] | None = None
    stopped: list[int] = []

    def stop(number: int, frame: object) -> None:
        stopped.append(number)
        if child is not None:
            child.send_signal(signal.SIGTERM)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    considered: dict[str, str] = {}
    try:
        for model in islice(cycle(models), turns):
            run_dir = runs / model
            command = _command(content_dir, style_dir, run_dir, model, turn)
            command += _start(model, run_dir, folder, weights, report)
            if stopped:
                return
            child = subprocess.Popen([*command, *options])
            status = child.wait()
            child = None
            if stopped:
                return
            if status:
                raise AdaINError(
                    f"{run_dir}: `adain train` ended with status {status}, for the reason above"
                )
            best = run_dir / "weights.safetensors"
            if best.is_file():
                digest = hashlib.sha256(best.read_bytes()).hexdigest()
                if considered.get(model) != digest:
                    report(consider(Judge(model, content_dir, style_dir), best, folder))
                considered[model] = digest
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _command(content: Path, style: Path, run_dir: Path, model: str, turn: float) -> list[str]:
    command = [sys.executable, "-m", "adain", "train", str(content), str(style)]
    command += ["-o", str(run_dir), "--model", model, "--schedule", "constant"]
    return [*command, "--session-minutes", str(turn)]


def _start(
    model: str, run_dir: Path, folder: Path, given: Path | None, report: Callable[[str], object]
) -> list[str]:
    """The option that says what a run starts from; the same at every call for the same run.

    The weights are copied beside the checkpoint, since those that ship may change meanwhile.
    """
    start = run_dir / "start.safetensors"
    if (run_dir / CHECKPOINT).exists():
        return ["--weights", str(start)] if start.is_file() else []
    source = folder / BUILT_IN[model].source if given is None else given
    try:
        load_trainable(model, source)
    except AdaINError as error:
        if given is not None:
            raise
        report(f"{model} starts from scratch, or from --weights FILE: {error}")
        start.unlink(missing_ok=True)
        return []
    run_dir.mkdir(parents=True, exist_ok=True)
    write_atomically(start, source.read_bytes())
    return ["--weights", str(start)]
