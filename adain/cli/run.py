"""How commands fail: a user's mistake is one line on stderr and exit status 2.

Stopped by a signal they end with 128 and its number, as shells have it, and leave nothing half.
"""

import io
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

import click

from adain.errors import AdaINError


class Terminated(SystemExit):
    """SIGTERM, as KeyboardInterrupt is SIGINT; no Exception, so that nothing goes on after it."""


def run(command: click.Command, arguments: Sequence[str] | None = None) -> int:
    """Run a click command by this package's rules for failure; the exit status."""
    _encode_anything()
    name = "adain" if isinstance(command, click.Group) else None
    try:
        with _terminable():
            status = command.main(arguments, prog_name=name, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.ClickException as error:
        return _mistake(error.format_message())
    except AdaINError as error:
        return _mistake(str(error))
    except OSError as error:
        # Of outputs and inputs AdaINError tells; what is left is a report that has no room.
        _forget_stdout()
        return _mistake(f"{error.filename or 'stdout'}: {error.strerror or error}")
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return 128 + signal.SIGINT
    except Terminated:
        click.echo("terminated", err=True)
        return 128 + signal.SIGTERM
    return status if isinstance(status, int) else 0


@contextmanager
def _terminable() -> Iterator[None]:
    """Raise Terminated at SIGTERM, which would end Python at once: temporary files would be left.

    Commands that stop in a way of their own set their own handler over this one.
    """

    def terminate(number: int, frame: FrameType | None) -> None:
        # `timeout` sends it twice, and the second would break off the clearing up.
        signal.signal(number, signal.SIG_IGN)
        raise Terminated

    main = threading.current_thread() is threading.main_thread()
    # A process whose parent ignores it goes on ignoring it.
    if not main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGTERM) in (terminate, signal.SIG_IGN):
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _encode_anything() -> None:
    """Let streams replace what their encoding lacks: a report is no reason to fail after the work.

    On Windows a redirected stream takes the code page's characters alone, in the C locale ASCII's.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")


def _forget_stdout() -> None:
    """Let what cannot be written go, else Python tries, and says so, once more as it ends."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _mistake(message: str) -> int:
    click.echo(f"Error: {' '.join(message.split())}", err=True)
    return 2
