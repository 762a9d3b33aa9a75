"""Types of options, and checks before the work, that several commands share."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, TypeVar

import click

from adain import weights
from adain.choices import choices, plain_type
from adain.errors import AdaINError, checked_integer, found_error
from adain.files import check_folder, check_writable
from adain.images import QUALITY, format_of
from adain.options import about
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

quality_option = click.option(
    "--quality",
    type=int,
    default=QUALITY,
    show_default=True,
    help="Of JPEG, WebP and AVIF, 1 to 100.",
)


def field_option(field: str, flag: str, **more: Any) -> Callable[[Command], Command]:
    """The click option of a field of StylizeOptions, with its default and help."""
    found = about(field)
    return click.option(flag, field, default=found["default"], help=found["help"], **more)


def transform_option(help: str) -> Callable[[Command], Command]:
    """Give a command ``transform``, AdaIN or WCT at the bottleneck, whose ``help`` this is."""
    choice = OneOf(("adain", "wct"))
    return click.option("--transform", type=choice, default="adain", show_default=True, help=help)


def model_options(command: Command) -> Command:
    """Give a command what `load_models` takes."""
    for option in (
        click.option(
            "--model",
            "names",
            type=MODEL,
            multiple=True,
            default=TRAINED,
            help=f"Which models; may be given more than once. [default: {' and '.join(TRAINED)}]",
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
        transform_option("wct: models on VGG-19 also with the whitening and colouring transform."),
        click.option(
            "--smooth",
            type=float,
            default=0.0,
            show_default=True,
            help="All models also with contents smoothed so much, 0 to 1.",
        ),
    ):
        command = option(command)
    return command


class OneOf(click.Choice[str]):
    """A choice whose mistakes read like all others: what was found, and what is allowed."""

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        if value not in self.choices:
            name = param.opts[0] if param is not None else "value"
            raise found_error(name, repr(value), weights.one_of(self.choices))
        return str(value)


def engine_options(help: str) -> Callable[[Command], Command]:
    """Give a command ``engine``, whose ``help`` this is, and the ``address`` of a cluster."""

    def give(command: Command) -> Command:
        address = "Of the Ray cluster. [default: RAY_ADDRESS, else one on this machine alone]"
        command = click.option("--address", metavar="HOST:PORT", help=address)(command)
        engines = OneOf(["local", "ray"])
        return click.option(
            "--engine", type=engines, default="local", show_default=True, help=help
        )(command)

    return give


def training_options(command: Command) -> Command:
    """Give a command the fields of `TrainOptions` that mean the same in every training."""
    from adain.learning.training.options import TrainOptions

    helps = {
        "session_minutes": "Stop, saved, after so long; go on later.",
        "crop": "Side of the training crops in pixels.",
        "style_weight": "Weight of the style loss.",
        "device": "auto, cpu, cuda or cuda:N.",
        "precision": "auto is bf16 where that is faster.",
    }
    for field, help in reversed(helps.items()):
        command = option_of(TrainOptions, field, help=help)(command)
    return command


def option_of(
    options: type, field: str, *flags: str, help: str = "", **settings: Any
) -> Callable[[Command], Command]:
    """The click option of a field of an options dataclass, which keeps the default to itself.

    Flag, type, choices and the default that the help names are the field's. An option that is not
    given is None, or empty where it may be given several times: see `given`.
    """
    kind = plain_type(options, field)
    words = choices(options, field)
    if "type" not in settings and kind in (int, float, str):
        settings["type"] = kind
    elif "type" not in settings and words is not None:
        settings["type"] = OneOf(words)
    (default,) = (f for f in fields(options) if f.name == field)
    value = default.default
    if default.default_factory is not MISSING:
        value = default.default_factory()
    text = "" if value in (None, MISSING) else f"[default: {_shown(value)}]"
    names = flags or (f"--{field.replace('_', '-')}",)
    return click.option(
        *names, field, default=None, help=" ".join(filter(None, (help, text))), **settings
    )


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={_shown(weight)}" for name, weight in value.items())
    if isinstance(value, tuple):
        return ", ".join(map(_shown, value))
    return str(value)


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given on the command line, without the others' None and ()."""
    return {name: value for name, value in values.items() if value not in (None, ())}


def require_learn(what: str) -> None:
    """Raise AdaINError where PyTorch and its like are not installed; and limit its threads."""
    for name in LEARN:
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise AdaINError(
                f"{what} needs {name}, which cannot be imported ({error});"
                " `pip install 'adain[learn]'` installs it"
            ) from error
    from adain.learning.devices import limit_threads

    limit_threads()


def check_output(output: Path, inputs: Sequence[Path], *, quality: int = QUALITY) -> None:
    """Raise AdaINError where a picture could not be written, or would replace what it is made of.

    All that `save_image` would find, before the work and not after it.
    """
    format_of(str(output), output.suffix)
    checked_integer("quality", quality, 1, 100)
    check_file(output, inputs)


def check_file(output: Path, inputs: Sequence[Path]) -> None:
    """Raise AdaINError where a file of any kind could not be written, or is one of the inputs."""
    check_not_an_input(output, inputs)
    check_writable(output)


def check_output_folder(output: Path, inputs: Sequence[Path] = ()) -> None:
    """Raise AdaINError where a folder cannot be made or written into, or is one of the inputs."""
    check_not_an_input(output, inputs)
    check_folder(output)


def check_not_an_input(output: Path, inputs: Sequence[Path]) -> None:
    """Raise AdaINError where a file that is to be written is one of the inputs.

    An input that is a folder stands for all files in it.
    """
    for source in inputs:
        # What is missing or out of reach is reported by whoever opens it.
        with suppress(OSError):
            within = source.is_dir() and output.exists() and not output.is_dir()
            if output.samefile(source) or (within and _lies_in(output, source)):
                raise found_error(str(output), "one of the inputs", "another file")


def _lies_in(file: Path, folder: Path) -> bool:
    return file.resolve().is_relative_to(folder.resolve())
