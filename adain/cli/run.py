"""How commands fail: a user's mistake is one line on stderr and exit status 2."""

import io
import sys
from collections.abc import Sequence

import click

from adain.errors import AdaINError


def run(command: click.Command, arguments: Sequence[str] | None = None) -> int:
    """Run a click command by this package's rules for failure; the exit status."""
    _encode_anything()
    name = "adain" if isinstance(command, click.Group) else None
    try:
        status = command.main(arguments, prog_name=name, standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.ClickException as error:
        return _mistake(error.format_message())
    except AdaINError as error:
        return _mistake(str(error))
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return 130
    return status if isinstance(status, int) else 0


def _encode_anything() -> None:
    """Let streams replace what their encoding lacks: a report is no reason to fail after the work.

    On Windows a redirected stream takes the code page's characters alone, in the C locale ASCII's.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")


def _mistake(message: str) -> int:
    click.echo(f"Error: {' '.join(message.split())}", err=True)
    return 2
