"""The options that `adain serve` and `adain demo` share: limits and the address of a server."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from adain.amounts import parsed_amount
from adain.cli.parameters import OneOf
from adain.errors import failing, found_error
from adain.server.root_path import split
from adain.server.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])


class Amount(click.ParamType[int]):
    """A whole number with a unit: 20MB, 40M."""

    def __init__(self, name: str, unit: str, example: str) -> None:
        self.name = name
        self._unit = unit
        self._example = example

    def convert(
        self, value: object, param: click.Parameter | None, context: click.Context | None
    ) -> int:
        if isinstance(value, int):
            return value
        amount = parsed_amount(str(value), self._unit) or 0
        if not 1 <= amount <= 10**12:
            self.fail(f"found {value!r}; allowed are amounts like {self._example}")
        return int(amount)


BYTES = Amount("SIZE", "b", "500kB or 20MB")
PIXELS = Amount("PIXELS", "", "500k or 40M")


class Seconds(click.FloatRange):
    """A time that is a number."""

    def convert(
        self, value: object, param: click.Parameter | None, context: click.Context | None
    ) -> float:
        seconds = float(super().convert(value, param, context))  # type: ignore[arg-type]
        if math.isnan(seconds):
            self.fail(f"{value!r} is no time")
        return seconds


class NameAndPassword(click.ParamType[tuple[str, str]]):
    """USER:PASSWORD."""

    name = "USER:PASSWORD"

    def split_envvar_value(self, rv: str) -> list[str]:
        return rv.splitlines()  # a password may well hold a blank

    def convert(
        self, value: object, param: click.Parameter | None, context: click.Context | None
    ) -> tuple[str, str]:
        user, colon, password = str(value).partition(":")
        if not (
            user.strip() == user and user and colon and password.strip() == password and password
        ):
            self.fail("allowed is a name, a colon and a password, neither empty")
        return user, password


class RootPath(click.ParamType[str]):
    """A path or a whole address."""

    name = "PATH"

    def convert(
        self, value: object, param: click.Parameter | None, context: click.Context | None
    ) -> str:
        text = str(value)
        try:
            split(text)
        except ValueError:
            self.fail(f"found {text!r}; allowed are /a/path and https://example.com/a/path")
        return text.rstrip("/")


def users(given: Sequence[tuple[str, str]], file: Path | None) -> tuple[tuple[str, str], ...]:
    """The names and passwords of ``--auth`` and of the lines of ``--auth-file``."""
    found = list(given)
    if file is not None:
        allowed = "lines of USER:PASSWORD"
        with failing(str(file), "a file that cannot be read", allowed):
            lines = file.read_text(encoding="utf-8").splitlines()
        lines = [line for line in lines if line.strip() and not line.startswith("#")]
        if not lines:
            raise found_error(str(file), "nothing", allowed)
        for number, line in enumerate(lines, 1):
            try:
                found.append(NameAndPassword().convert(line, None, None))
            except click.ClickException:
                # Not the line: it holds what may be a password.
                raise found_error(str(file), f"no such line ({number})", allowed) from None
    names = [name for name, _ in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise found_error("auth", f"{twice[0]!r} twice", "each name once")
    return tuple(found)


def settings_of(options: dict[str, Any]) -> Settings:
    """The options of a command as Settings."""
    options = dict(options)
    given, file = options.pop("auth"), options.pop("auth_file")
    return Settings(users=users(given, file), **options)


def server_options(command: Command) -> Command:
    """Give a command the options that `settings_of` makes Settings of."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS = (
    click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on."),
    click.option("--port", type=click.IntRange(1, 65535), default=7860, show_default=True),
    click.option(
        "--auth",
        type=NameAndPassword(),
        multiple=True,
        help="Ask for this name and password; several times for several people.",
    ),
    click.option(
        "--auth-file",
        type=click.Path(path_type=Path),
        help="As --auth, from the lines of a file.",
    ),
    click.option(
        "--max-upload",
        type=BYTES,
        default="20MB",
        show_default=True,
        help="The largest file taken.",
    ),
    click.option(
        "--max-pixels",
        type=PIXELS,
        default="40M",
        show_default=True,
        help="The largest picture taken.",
    ),
    click.option(
        "--queue",
        type=click.IntRange(0, 10_000),
        default=32,
        show_default=True,
        help="Requests that may wait; more are told to come back.",
    ),
    click.option(
        "--workers",
        type=click.IntRange(1, 64),
        default=1,
        show_default=True,
        help="Pictures computed at a time.",
    ),
    click.option(
        "--timeout",
        type=Seconds(1, 86_400),
        default=60,
        show_default=True,
        help="Seconds in which a request must arrive, and again in which it is answered.",
    ),
    click.option(
        "--keep",
        type=Seconds(1, 604_800),
        default=3600,
        show_default=True,
        help="Seconds that uploads of the page, encoded styles and videos stay.",
    ),
    click.option(
        "--video/--no-video",
        default=True,
        show_default=True,
        help="Stylize videos; needs adain[video].",
    ),
    click.option(
        "--max-video",
        type=BYTES,
        default="200MB",
        show_default=True,
        help="The largest video taken.",
    ),
    click.option(
        "--max-video-seconds",
        type=Seconds(1, 86_400),
        default=300,
        show_default=True,
        help="The most of a video that is stylized.",
    ),
    click.option(
        "--max-video-pixels",
        type=PIXELS,
        default="2100k",
        show_default=True,
        help="The largest frame stylized; four times as large are read and made smaller.",
    ),
    click.option(
        "--video-queue",
        type=click.IntRange(0, 1000),
        default=4,
        show_default=True,
        help="Videos that may wait while one is made.",
    ),
    click.option(
        "--video-disk",
        type=BYTES,
        default="4GB",
        show_default=True,
        help="What all videos and results that are kept may take.",
    ),
    click.option(
        "--drain",
        type=Seconds(0, 3600),
        default=30,
        show_default=True,
        help="Seconds in which what is being computed may end when the server is stopped.",
    ),
    click.option(
        "--grpc-port",
        type=click.IntRange(1, 65535),
        help="Of the Open Inference Protocol over gRPC, which HTTP has below /v2. [default: none]",
    ),
    click.option(
        "--root-path",
        type=RootPath(),
        default="",
        help="The path, or whole address, at which a proxy serves this server.",
    ),
    click.option(
        "--trusted-proxies",
        metavar="ADDRESSES",
        default="127.0.0.1",
        show_default=True,
        help="Who may say in X-Forwarded-For whom they ask for: addresses and networks, or *.",
    ),
    click.option(
        "--log-format",
        type=OneOf(["text", "json"]),
        default="text",
        show_default=True,
    ),
    click.option(
        "--access-log/--no-access-log",
        default=True,
        show_default=True,
        help="A line of the log for each request.",
    ),
)
