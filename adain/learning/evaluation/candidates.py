"""Model selection: weights that are better than the shipped ones are kept as candidates.

adain candidates photos/ paintings/ --weights fast=runs/x/weights.safetensors
"""

import math
from collections.abc import Mapping
from pathlib import Path

import safetensors
import torch
from torch import Tensor, nn

from adain.errors import AdaINError
from adain.files import write_atomically
from adain.learning.devices import torch_device, training_dtype
from adain.learning.evaluation.measures import colour_cast
from adain.learning.evaluation.metrics import share_of_change
from adain.learning.evaluation.structure import halo, invented_structure, lattice
from adain.learning.models.loss_network import load_loss_network
from adain.learning.models.pretrained import load_trainable
from adain.learning.training.data import ImageStore, split
from adain.learning.training.held_out import HeldOut
from adain.learning.training.objective import TrainingObjective
from adain.learning.training.options import TrainOptions
from adain.registry import BUILT_IN

# No loss may be more than 1 % worse, whatever the total gains, and no measure more than 5 %: they
# see fewer places of sixteen pictures than the losses do.
TOLERANCE = 1.01
MEASURE_TOLERANCE = 1.05
LOSSES = ("target", "style", "pixel")
HEADING = "## Candidates"
INTRODUCTION = f"""{HEADING}

Weights in `weights/candidates/`, each better than what shipped when it was made: `adain
candidates`. Held-out losses at 256 px, total as `adain train` weighs them.

| model | step | target | style | pixel | total | total of the shipped | measures |
|---|--:|--:|--:|--:|--:|--:|---|
"""


def picture_measures(
    contents: Tensor, images: Tensor, halves: Tensor, unstyled: Tensor
) -> dict[str, float]:
    """What people notice in pictures and no loss shows, by name; less is better.

    contents, and the images made of them at strengths 1, 0.5 and 0, are float32 ``[N, 3, H, W]`` in
    [0, 1]. The cast is in units of CIELAB; ``larger_half`` is the share of the change from strength
    0 to 1 that the larger half of the slider makes, 0.5 where it is linear and 1 where one half
    does nothing; the others are in 1/255. Means over the pictures in which a measure has a place to
    look at; one that has none in any is left out. A measure that is added here decides on
    candidates and is shown with them.
    """
    gone = share_of_change(halves, unstyled, images)
    found = {
        "structure": 255 * invented_structure(images, contents),
        "halo": 255 * halo(images, contents),
        "lattice": 255 * lattice(images),
        "cast": colour_cast(unstyled, contents),
        "larger_half": torch.maximum(gone, 1 - gone),
    }
    means = {name: values.nanmean().item() for name, values in found.items()}
    return {name: mean for name, mean in means.items() if not math.isnan(mean)}


class Judge:
    """Held-out losses and measures of any weights of one model, all on the same pictures.

    The folders are those of training. Raises AdaINError as `split` does.
    """

    def __init__(self, model: str, content_dir: Path, style_dir: Path) -> None:
        self.options = TrainOptions(model=model, schedule="constant")
        self.device = torch_device(self.options.device)
        dtype = training_dtype(self.options.precision, self.device)
        vgg = load_loss_network().to(self.device, dtype)
        vgg.to(memory_format=torch.channels_last)
        held = [
            ImageStore(split(folder, self.options.held_out, "images")[1], label="held-out images")
            for folder in (content_dir, style_dir)
        ]
        self.pairs = HeldOut(held[0], held[1], self.device)
        self.objective = TrainingObjective(self.options, vgg, held[0], held[1])

    def scores(self, network: nn.Module) -> dict[str, float]:
        """Losses ``target``, ``style``, ``pixel`` and their ``total``, and the measures."""
        network.eval().to(self.device)
        losses, pictures = self.pairs.evaluate(network, self.objective)
        contents, _, *made = pictures.unbind(dim=1)
        measures = picture_measures(contents, *made)
        return {name: losses[name] for name in (*LOSSES, "total")} | measures


def is_better(scores: Mapping[str, float], reference: Mapping[str, float]) -> bool:
    """Whether the total is lower, no loss more than 1 % worse and no measure more than 5 %."""
    for name, value in reference.items():
        tolerance = TOLERANCE if name in (*LOSSES, "total") else MEASURE_TOLERANCE
        if not scores[name] <= tolerance * value:
            return False
    return scores["total"] < reference["total"]


def consider(judge: Judge, weights: Path, folder: Path) -> str:
    """Keep weights in ``folder``/candidates if they are better than what is there and shipped.

    ``folder`` holds the shipped weights and MODEL_CARD.md, which gets a row for each that is kept.
    Shipped weights that no network here can load have nothing to be compared with. Returns what
    was decided, on one line. Raises AdaINError where the weights are no such weights.
    """
    model = judge.options.model
    scores = judge.scores(load_trainable(model, weights))
    kept = folder / "candidates" / BUILT_IN[model].source
    shipped = _loaded(model, folder / BUILT_IN[model].source)
    reference = judge.scores(shipped) if shipped is not None else None
    said = f"{weights}: held-out total {scores['total']:.4f}"
    if reference is not None and not is_better(scores, reference):
        return f"{said}, not better than what ships: {_compared(scores, reference)}"
    if kept.is_file():
        candidate = judge.scores(load_trainable(model, kept))
        if not is_better(scores, candidate):
            return f"{said}, not better than {kept}: {_compared(scores, candidate)}"
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(kept, weights.read_bytes())
    _add_row(folder / "MODEL_CARD.md", _row(model, weights, scores, reference))
    return f"{said}, kept as {kept}"


def _loaded(model: str, path: Path) -> nn.Module | None:
    """The shipped weights of a model; None where there are none that fit."""
    try:
        return load_trainable(model, path)
    except AdaINError:
        return None


def _compared(scores: Mapping[str, float], reference: Mapping[str, float]) -> str:
    pairs = [(name, scores[name], value) for name, value in reference.items()]
    return ", ".join(f"{name} {ours:.4f} to {theirs:.4f}" for name, ours, theirs in pairs)


def _row(
    model: str, path: Path, scores: Mapping[str, float], reference: Mapping[str, float] | None
) -> str:
    with safetensors.safe_open(path, "pt") as file:
        about: dict[str, str] = file.metadata() or {}
    measures = {k: round(v, 4) for k, v in scores.items() if k not in (*LOSSES, "total")}
    cells = [model, about.get("step", "unknown")]
    cells += [f"{scores[name]:.4f}" for name in (*LOSSES, "total")]
    cells += [f"{reference['total']:.4f}" if reference else "-"]
    cells += [", ".join(f"{name} {value}" for name, value in measures.items()) or "-"]
    return f"| {' | '.join(cells)} |\n"


def _add_row(card: Path, row: str) -> None:
    """Append a row to the table of candidates, which is the end of the model card."""
    text = card.read_text() if card.is_file() else ""
    if HEADING not in text:
        text = f"{text.rstrip()}\n\n{INTRODUCTION}".lstrip()
    write_atomically(card, (text + row).encode())
