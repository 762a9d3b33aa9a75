"""The options that `adain serve` and `adain demo` share: limits and the address of a server."""

import math
from collections.abc import Callable
from typing import Any, TypeVar

import click

from adain.amounts import parsed_amount

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

    def convert(
        self, value: object, param: click.Parameter | None, context: click.Context | None
    ) -> tuple[str, str]:
        user, colon, password = str(value).partition(":")
        if not (
            user.strip() == user and user and colon and password.strip() == password and password
        ):
            self.fail("allowed is a name, a colon and a password, neither empty")
        return user, password


def server_options(command: Command) -> Command:
    """Give a command the fields of `adain.server.settings.Settings`, but for ``mcp``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS = (
    click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on."),
    click.option("--port", type=click.IntRange(1, 65535), default=7860, show_default=True),
    click.option("--auth", type=NameAndPassword(), help="Ask for this name and password."),
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
)
