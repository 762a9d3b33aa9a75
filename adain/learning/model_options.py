"""The options that choose trained models, shared by the commands that compare them."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from adain import weights
from adain.cli_options import MODEL
from adain.errors import found_error
from adain.learning.fast import Fast
from adain.learning.networks import VGG19
from adain.learning.pretrained import load_model, load_paper_decoder
from adain.registry import TRAINED

PAPER_DECODER = "paper decoder"

Command = TypeVar("Command", bound=Callable[..., Any])


def model_options(command: Command) -> Command:
    """Give a command ``paper_decoder``, ``weights`` and ``names``, for `load_models`."""
    for option in (
        click.option(
            "--model",
            "names",
            type=MODEL,
            multiple=True,
            default=TRAINED,
            help="Which models; may be given more than once. [default: fast and vgg19]",
        ),
        click.option(
            "--weights",
            metavar="NAME=FILE",
            multiple=True,
            help="Weights of a model instead of the shipped ones.",
        ),
        click.option(
            "--paper-decoder",
            type=click.Path(path_type=Path),
            help="The decoder released with the paper, to compare with.",
        ),
    ):
        command = option(command)
    return command


def load_models(
    names: Sequence[str], entries: Iterable[str], paper_decoder: Path | None
) -> dict[str, Fast | VGG19]:
    """The chosen models by name, the paper's decoder first; ``entries`` are NAME=FILE.

    Raises AdaINError for entries of another form, and for weights that are missing or unfit.
    """
    files = {}
    for entry in entries:
        name, _, file = entry.partition("=")
        if name not in (known := weights.models()) or not file:
            allowed = weights.one_of(f"{model}=FILE" for model in known)
            raise found_error("--weights", repr(entry), allowed)
        files[name] = Path(file)
    models: dict[str, Fast | VGG19] = {}
    if paper_decoder is not None:
        models[PAPER_DECODER] = load_paper_decoder(paper_decoder)
    return models | {name: load_model(name, files.get(name)) for name in names}
