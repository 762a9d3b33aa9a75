"""Runs of a comparison: one worker process each, measured, and cached in a folder."""

import io
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from adain import __version__, weights
from adain.cores import cores
from adain.errors import AdaINError, failing, found_error
from adain.files import make_folder, write_atomically
from adain.images import load_image
from adain.images.picture import from_array
from adain.learning.comparison.options import Method
from adain.learning.comparison.results import Compared, Result
from adain.learning.comparison.worker import Job, Snapshot, gatys_options
from adain.learning.evaluation.metrics import sliced_wasserstein
from adain.learning.evaluation.pairs import Pair
from adain.learning.evaluation.scoring import Scorer
from adain.learning.gatys.objective import GatysObjective
from adain.learning.labels import file_name, label
from adain.learning.models.pretrained import load_vgg19_encoder
from adain.learning.models.vgg import load_vgg19_layers
from adain.learning.tensors import to_tensor
from adain.published import PUBLISHED_VGG19

FORMAT = 1  # of what is kept; another number makes all of it anew
ENDING = 5.0  # seconds for a process to end that has stopped making sense
ROOT = Path(__file__).resolve().parents[3]


class Runs:
    """What is kept in ``folder/results`` of these methods, and how it gets there.

    ``size``: the side of the pictures. ``threads`` None: one per core.
    """

    def __init__(
        self,
        folder: Path,
        methods: Sequence[Method],
        *,
        size: int,
        device: str = "cpu",
        threads: int | None = None,
    ) -> None:
        self.folder, self.methods, self.size, self.device = folder, methods, size, device
        self.threads = threads or cores()
        self._digests: dict[Path, str] = {}
        self._labels: dict[Path, str] = {}
        self._scorer: Scorer | None = None
        self._objective: tuple[Pair, GatysObjective] | None = None

    def name(self, pair: Pair) -> str:
        return f"{self.label(pair.content)} in {self.label(pair.style)}"

    def label(self, path: Path) -> str:
        """The name of an image without suffix; a number tells those of one name apart."""
        if path not in self._labels:
            self._labels[path] = label(path, self._labels.values())
        return self._labels[path]

    def digest(self, path: Path) -> str:
        if path not in self._digests:
            with failing(str(path), "a file that cannot be read", "an image"):
                self._digests[path] = weights.sha256(path)
        return self._digests[path]

    def made_of(self, pair: Pair, method: Method) -> dict[str, Any]:
        """All that a run depends on."""
        models = {} if method.model is None else weights.find_model(method.model)
        vgg19 = weights.find(*PUBLISHED_VGG19.names, get=PUBLISHED_VGG19.get)
        made_of = {
            "format": FORMAT,
            "version": __version__,
            "content": self.digest(pair.content),
            "style": self.digest(pair.style),
            "size": self.size,
            "method": asdict(method),
            "model": {part: self.digest(path) for part, path in models.items()},
            "vgg19": self.digest(vgg19),
            "device": self.device,
            "threads": self.threads,
        }
        plain: dict[str, Any] = json.loads(json.dumps(made_of))
        return plain

    def path(self, pair: Pair, method: Method, suffix: str) -> Path:
        names = (file_name(self.label(image)) for image in (pair.content, pair.style))
        return self.folder.joinpath("results", *names, f"{method.name}{suffix}")

    def kept(self, pair: Pair, method: Method) -> dict[str, Any] | None:
        """What an earlier run of the same kept; None where it did not."""
        path = self.path(pair, method, ".json")
        made_of = self.made_of(pair, method)
        try:
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            pictures = [path.with_name(result["picture"]) for result in found["results"]]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        whole = found.get("made_of") == made_of and all(p.is_file() for p in pictures)
        return found if whole else None

    def make(self, pair: Pair, method: Method, done: Callable[[], object]) -> None:
        """Run a method on a pair, measure its pictures and keep all of it."""
        target = self.path(pair, method, ".json")
        make_folder(target.parent)
        job = Job(method, pair.content, pair.style, self.size, self.device, self.threads)
        snapshots, about = [], {}
        for message in _messages(job):
            if isinstance(message, Snapshot):
                snapshots.append(message)
            elif isinstance(message, dict):
                about = message
            else:
                done()
        if method.alpha is not None:
            done()
        # Only now: what is computed meanwhile would take the run's time.
        results, curve = [], []
        for snapshot in snapshots:
            point = {
                "iterations": snapshot.iteration,
                "seconds": snapshot.seconds,
                "memory": snapshot.memory,
                **self.figures(snapshot.pixels, pair),
            }
            curve.append(point)
            if method.alpha is not None or snapshot.iteration in method.iterations:
                suffix = "" if method.alpha is not None else f"-{snapshot.iteration}"
                picture = self.path(pair, method, f"{suffix}.png")
                write_atomically(picture, _png(snapshot.pixels))
                results.append({"picture": picture.name, **point})
        kept = {"made_of": self.made_of(pair, method), **about, "results": results, "curve": curve}
        write_atomically(target, json.dumps(kept, indent=1).encode())

    @torch.inference_mode()
    def figures(self, pixels: npt.NDArray[np.uint8], pair: Pair) -> dict[str, float]:
        """The figures of a picture, which are those of its 8 bits."""
        if self._scorer is None:
            self._scorer = Scorer(load_vgg19_encoder(), self.size)
            self._vgg = load_vgg19_layers()
        content, style = (self._scorer.image(path) for path in (pair.content, pair.style))
        if self._objective is None or self._objective[0] != pair:
            method = next(method for method in self.methods if method.alpha is None)
            options = gatys_options(method, 1, "cpu")
            self._objective = pair, GatysObjective(self._vgg, content, [style], options)
        image = to_tensor(from_array(pixels, "result"))
        gatys = self._objective[1].losses(image)
        return {
            **self._scorer.losses(image, pair),
            "colour_distance": sliced_wasserstein(image, style).item(),
            "gatys_loss": gatys["total"].item(),
            "gatys_style": gatys["style"].item(),
            "gatys_content": gatys["content"].item(),
        }

    def compared(self, pairs: Sequence[Pair]) -> Compared:
        """All that is kept of these pairs, for the report."""
        results, devices = [], set()
        for pair in pairs:
            for method in self.methods:
                kept = self.kept(pair, method)
                assert kept is not None
                devices.add(kept["device"])
                for entry in kept["results"]:
                    path = self.path(pair, method, ".json").with_name(entry["picture"])
                    last = entry is kept["results"][-1]
                    results.append(
                        Result(
                            self.label(pair.content),
                            self.label(pair.style),
                            method,
                            path,
                            {name: entry[name] for name in entry if name != "picture"},
                            kept["curve"] if last else [],
                            kept["history"] if last else [],
                        )
                    )
        images = {
            self.label(path): load_image(path).resized(self.size, self.size)
            for pair in pairs
            for path in (pair.content, pair.style)
        }
        options = gatys_options(next(m for m in self.methods if m.alpha is None), 1, "cpu")
        optimizer = "L-BFGS" if options.optimizer == "lbfgs" else "Adam"
        notes = (
            f"Gatys: {optimizer}, {options.pooling} pooling, content weight"
            f" {options.content_weight:g}, style weight {options.style_weight:,.0f} at 512 x 512"
            f" pixels. adain {__version__}."
        )
        return Compared(results, images, self.size, self.threads, sorted(devices), notes)


def _messages(job: Job) -> Iterator[Any]:
    """What a process sends that does a job; AdaINError for one that fails."""
    # Not by multiprocessing, which would import the program's main module there, and all it needs.
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    process = subprocess.Popen(
        [sys.executable, "-c", "from adain.learning.comparison.worker import main; main()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        # One that has ended already says so by what it has sent, which is nothing.
        with suppress(BrokenPipeError), process.stdin as stdin:
            pickle.dump(job, stdin)
        while True:
            message = _receive(process, job.method.name)
            if isinstance(message, str):
                raise AdaINError(message)
            yield message
            if isinstance(message, dict):
                return
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _receive(process: subprocess.Popen[bytes], name: str) -> Any:
    """The next message of a process; AdaINError where there is none, or none that can be read."""
    assert process.stdout is not None
    try:
        return pickle.load(process.stdout)
    except Exception as error:  # what is no pickle may raise anything
        try:
            found = f"a process that ended with status {process.wait(ENDING)}"
        except subprocess.TimeoutExpired:
            found = f"a process whose output cannot be read ({type(error).__name__})"
        raise found_error(name, found, "enough memory, or a smaller size") from error


def _png(pixels: npt.NDArray[np.uint8]) -> bytes:
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG", optimize=True)
    return data.getvalue()
