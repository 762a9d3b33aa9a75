"""The one exception family of the package, and how its messages are made."""

import operator
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class AdaINError(ValueError):
    """A mistake a caller can mend.

    The message is one line that names the file or argument, what was found and what is allowed.
    """


class DeviceError(AdaINError):
    """A failure of the device, of ONNX Runtime or of a model's files: no argument explains it.

    Programs that serve others tell by it their own faults (HTTP status 500) from their clients'.
    """


class MissingError(AdaINError, ModuleNotFoundError):
    """A package that is not installed, and what installs it."""


def found_error(name: str, found: str, allowed: str) -> AdaINError:
    """The error for a file or argument: what was found and what is allowed, on one line."""
    if len(name) > 200:
        name = f"...{name[-197:]}"
    line = " ".join(f"{name}: found {found}; allowed: {allowed}".split())
    # Control characters and lone surrogates from a file name would break the terminal.
    return AdaINError("".join(c if c.isprintable() else "?" for c in line))


@contextmanager
def failing(name: str, found: str, allowed: str) -> Iterator[None]:
    """Turn whatever goes wrong into an AdaINError.

    Decoders meet bytes of any kind, and what they then raise is no fixed list: OSError,
    SyntaxError, struct.error, zlib.error, EOFError, KeyError, MemoryError and more.
    """
    try:
        yield
    except AdaINError:
        raise
    except Exception as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        reason = f"{type(error).__name__}: {reason}" if reason else type(error).__name__
        raise found_error(name, f"{found} ({reason[:200]})", allowed) from error


def checked_integer(name: str, value: Any, low: int, high: int | None = None) -> int:
    """``value`` as an int within the bounds; AdaINError otherwise."""
    allowed = f"an integer of at least {low}" if high is None else f"an integer in {low}..{high}"
    try:
        number = operator.index(value)
    except TypeError:
        raise found_error(name, repr(value)[:80], allowed) from None
    if isinstance(value, bool) or number < low or (high is not None and number > high):
        raise found_error(name, repr(value)[:80], allowed)
    return number
