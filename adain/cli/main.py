"""The ``adain`` command: gathers the commands, each in a file of its own."""

import importlib
import sys

import click

from adain import __version__
from adain.cli.parameters import EXAMPLES
from adain.cli.run import run

# Each is a function in the module ``adain.cli`` of its name, with an underscore for a hyphen.
COMMANDS = {
    "Pictures": ("stylize", "video", "camera", "models", "gatys", "doctor"),
    "Servers": ("serve", "demo"),
    "Training": ("train", "specialise", "long-run", "pack", "candidates"),
    "Evaluation": ("evaluate", "artefacts", "compare", "gallery", "curves"),
    "Export": ("export", "quantize", "parity"),
}


class LazyGroup(click.Group):
    """A click group that imports a command when it is named, and lists them under headings."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for names in COMMANDS.values() for name in names]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(importlib.import_module(f"adain.cli.{name}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(len(name) for name in self.list_commands(ctx))
        for heading, names in COMMANDS.items():
            rows = []
            for name in names:
                command = self.get_command(ctx, name)
                assert command is not None
                text = command.get_short_help_str(formatter.width - width - 6)
                rows.append((name.ljust(width), text))
            with formatter.section(heading):
                formatter.write_dl(rows)


@click.group(
    cls=LazyGroup,
    # Every option is a variable as well: `adain serve --port` is ADAIN_SERVE_PORT.
    context_settings={"auto_envvar_prefix": "ADAIN"},
    epilog=EXAMPLES
    + "  adain stylize photo.jpg starry.jpg -o out.png\n"
    + "  adain stylize photo.jpg starry.jpg -o out.png --alpha 0.6\n"
    + "  adain models\n",
)
@click.version_option(__version__, prog_name="adain", allow_from_autoenv=False)
def cli() -> None:
    """Arbitrary style transfer: any photo in the style of any painting, in one pass."""


def main() -> None:
    sys.exit(run(cli))
