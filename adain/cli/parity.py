"""``adain parity``: how far ONNX files are from PyTorch."""

import click

from adain.cli.parameters import MODEL, require_learn


@click.command()
@click.option("--model", "names", type=MODEL, multiple=True, help="[default: all that are here]")
def parity(names: tuple[str, ...]) -> None:
    """Print how far the model files that are here are from torch in float32.

    Steps of 1/255: of pictures as they are, of features, statistics and styles relative to their
    largest value.
    """
    require_learn("parity")
    from adain.learning.onnx.parity import table

    for line in table(names):
        click.echo(line)
