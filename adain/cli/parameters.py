"""Types of options, and checks before the work, that several commands share."""

import importlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import click

from adain import weights
from adain.errors import AdaINError, found_error
from adain.images import format_of
from adain.registry import TRAINED

# The modules of the extra `learn` that training and exporting import.
LEARN = ("torch", "torchvision", "onnx", "onnxscript", "tensorboard", "tqdm")
EXAMPLES = "\b\nExamples:\n"
FILE = click.Path(path_type=Path)

Command = TypeVar("Command", bound=Callable[..., Any])


class ModelName(click.ParamType[str]):
    """A model of the registry: built in, or imported by whenever the command is run."""

    name = "model"

    def convert(
        self, value: object, param: click.Parameter | None, context: click.Context | None
    ) -> str:
        try:
            return weights.about(str(value)).name
        except AdaINError as error:
            self.fail(str(error).removeprefix("model: "), param, context)

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return f"Allowed: {weights.one_of(weights.models())}"


MODEL = ModelName()


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


def require_learn(what: str) -> None:
    """Raise AdaINError where PyTorch and its like are not installed."""
    for name in LEARN:
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise AdaINError(
                f"{what} needs {name}, which cannot be imported ({error});"
                " `pip install 'adain[learn]'` installs it"
            ) from error


def check_output(output: Path, inputs: Sequence[Path]) -> None:
    """Raise AdaINError where a picture could not be written, or would replace what it is made of.

    Before the work and not after it.
    """
    for source in inputs:
        # What is missing or out of reach is reported by whoever opens it.
        with suppress(OSError):
            if output.samefile(source):
                raise found_error(str(output), "one of the inputs", "another file")
    format_of(str(output), output.suffix)
