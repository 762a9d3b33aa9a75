"""Damaged models, styles, weights and checkpoints: ``python -m benchmarks.damaged --count 2000``.

Each is a sound file with a few bytes changed, cut out, doubled or zeroed, read as our programs read
it, in a process of its own for every hundred. What must come of it: a result, or one line
(AdaINError); never a traceback, a process that dies, or half of an output.
"""

import io
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import SimpleNamespace

import click
import numpy as np
from PIL import Image

from adain import AdaINError, Style, Stylizer, weights
from adain.cli.main import cli
from adain.cli.run import run
from adain.registry import DEFAULT_MODEL
from adain.tables import markdown_table
from benchmarks.mutation import mutated

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

KINDS = ("model", "description", "style", "weights", "checkpoint")
READ, REFUSED, TRACEBACK, DIED, HALF = "read", "refused", "traceback", "died", "half written"
GOOD = (READ, REFUSED)
MEMORY = 16 << 30  # bytes of addresses for a process: what a damaged size asks for is refused
BATCH = 100


class Reader:
    """Reads damaged files of one kind, one after the other, in ``folder``."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.folder = folder
        self.read: Callable[[int], object] = getattr(self, f"_{kind}")
        picture = np.random.default_rng(0).integers(0, 256, (32, 40, 3), np.uint8)
        Image.fromarray(picture).save(folder / "photo.png")
        self.sound: list[bytes] = getattr(self, f"_sound_{kind}", self._model_files)()

    def outcome(self, seed: int) -> tuple[str, str]:
        """What came of a file, one of the words above, and the error's text."""
        try:
            self.read(seed)
        except AdaINError as error:
            text = str(error)
            return (TRACEBACK if "\n" in text else REFUSED), text
        except SystemExit as error:
            return str(error), ""
        except BaseException as error:
            return TRACEBACK, f"{type(error).__name__}: {error}"[:300]
        return READ, ""

    def _write(self, name: str, seed: int) -> Path:
        path = self.folder / name
        path.write_bytes(mutated(self.sound[seed % len(self.sound)], seed))
        return path

    def _model_files(self) -> list[bytes]:
        self.files = list(weights.find_model(DEFAULT_MODEL).values())
        return [path.read_bytes() for path in self.files]

    def _model(self, seed: int) -> None:
        """The command, which finds the damaged file before all others."""
        out = self.folder / "out.png"
        out.unlink(missing_ok=True)
        path = self._write(self.files[seed % len(self.files)].name, seed)
        photo = str(self.folder / "photo.png")
        os.environ["ADAIN_WEIGHTS"] = str(self.folder)
        said = io.StringIO()
        with redirect_stderr(said), redirect_stdout(io.StringIO()):
            status = run(cli, ["stylize", photo, photo, "-o", str(out), "--threads", "1"])
        path.unlink()
        if out.exists():
            with Image.open(out) as image:
                image.load()
        if status == 0 and not out.exists():
            raise SystemExit(HALF)
        if list(self.folder.glob(".*")):
            raise SystemExit(HALF)
        if status:
            raise AdaINError(said.getvalue().removesuffix("\n"))
        if said.getvalue():
            raise RuntimeError(f"said {said.getvalue()!r} on stderr")

    def _description(self, seed: int) -> None:
        from adain.learning.onnx.describe import describe

        str(describe(self._write("described.onnx", seed), 64))

    def _sound_style(self) -> list[bytes]:
        self.stylizer = Stylizer(device="cpu", threads=1)
        path = self.folder / "sound.style"
        self.stylizer.encode_style(self.folder / "photo.png").save(path)
        return [path.read_bytes()]

    def _style(self, seed: int) -> None:
        style = Style.load(self._write("damaged.style", seed))
        self.stylizer.stylize(np.zeros((16, 16, 3), np.uint8), style)

    def _sound_weights(self) -> list[bytes]:
        from safetensors.torch import save

        from adain.learning.models.fast import Fast

        tensors = {name: tensor.half() for name, tensor in Fast().state_dict().items()}
        return [save(tensors, metadata={"model": DEFAULT_MODEL, "training_digest": "0"})]

    def _weights(self, seed: int) -> None:
        from adain.learning.models.pretrained import load_trainable
        from adain.learning.models.weight_files import training_digest

        path = self._write("damaged.safetensors", seed)
        training_digest(path)
        load_trainable(DEFAULT_MODEL, path)

    def _sound_checkpoint(self) -> list[bytes]:
        import torch

        state = self._state()
        modules = {name: getattr(state, name).state_dict() for name in ("trained", "ema")}
        rest = {"options": {}, "step": 9, "seconds": 1.0, "best": 2.0}
        saved, buffer = {**modules, **rest, "optimizer": state.optimizer.state_dict()}, io.BytesIO()
        torch.save(saved, buffer)
        return [buffer.getvalue()]

    def _state(self) -> SimpleNamespace:
        import torch
        from torch.optim.swa_utils import AveragedModel

        from adain.learning.models.fast import Fast
        from adain.learning.training.optimizer import MuonAndAdam

        trained = Fast()
        optimizer = MuonAndAdam(trained, 1e-3, muon=True, dtype=torch.float32)
        return SimpleNamespace(trained=trained, ema=AveragedModel(trained), optimizer=optimizer)

    def _checkpoint(self, seed: int) -> None:
        import torch

        from adain.learning.training.checkpoint import read_checkpoint, restore
        from adain.learning.training.options import TrainOptions, check_continues

        path = self._write("checkpoint.pt", seed)
        state = read_checkpoint(path, torch.device("cpu"))
        check_continues(TrainOptions(steps=1), state["options"], self.folder)
        restore(path, state, **vars(self._state()))


def survey(kind: str, count: int, first: int = 0) -> tuple[Counter[str], list[str]]:
    """How many files came to what, and a line for each that came to what it must not."""
    outcomes: Counter[str] = Counter()
    faults: list[str] = []
    seed, end = first, first + count
    while seed < end:
        last = min(seed + BATCH, end)
        command = [sys.executable, "-m", "benchmarks.damaged", "--worker", kind]
        done = subprocess.run(
            [*command, "--first", str(seed), "--count", str(last - seed)],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        results = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
        for number, (outcome, text) in enumerate(results, seed):
            outcomes[outcome] += 1
            if outcome not in GOOD:
                faults.append(f"{kind} {number}: {outcome}: {text}")
        seed += len(results)
        if seed < last:
            outcomes[DIED] += 1
            said = done.stderr.strip().splitlines()[-1:]
            faults.append(f"{kind} {seed}: {DIED} with status {done.returncode}: {said}")
            seed += 1
    return outcomes, faults


def _work(kind: str, first: int, count: int) -> None:
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as folder:
        reader = Reader(kind, Path(folder))
        for seed in range(first, first + count):
            print(json.dumps(reader.outcome(seed)), flush=True)


@click.command()
@click.option("--count", type=click.IntRange(1), default=2000, show_default=True, help="In all.")
@click.option("--first", type=click.IntRange(0), default=0, help="Seed of the first.")
@click.option("--kind", "kinds", type=click.Choice(KINDS), multiple=True, default=KINDS)
@click.option("--worker", type=click.Choice(KINDS), hidden=True)
def main(count: int, first: int, kinds: Sequence[str], worker: str | None) -> int:
    """Read damaged files of every kind, and print what came of them; exit status 1 for faults."""
    if worker is not None:
        _work(worker, first, count)
        return 0
    rows, faults = [], []
    for kind in kinds:
        outcomes, found = survey(kind, -(-count // len(kinds)), first)
        faults += found
        words = (READ, REFUSED, TRACEBACK, DIED, HALF)
        rows.append([kind, str(outcomes.total()), *(str(outcomes[word]) for word in words)])
    header = ("damaged", "files", READ, "one line", "tracebacks", DIED, HALF)
    click.echo(markdown_table(header, rows))
    for line in faults:
        click.echo(line)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(run(main))
