"""The command ``python -m export --model fast|vgg19 -o DIR``."""

import sys
from pathlib import Path

import click

from adain import weights
from adain.cli import require_learn, run


@click.command(epilog="Example: python -m export --model fast -o weights")
@click.option("--model", type=click.Choice(weights.MODELS), required=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder to write the ONNX files into.",
)
@click.option(
    "--weights",
    "source",
    type=click.Path(path_type=Path),
    help="A safetensors file of `adain train`. [default: the shipped weights]",
)
def export(model: str, output: Path, source: Path | None) -> None:
    """Write MODEL's ONNX files: encoder, decoder, style where it is a network, and the whole.

    The files are run in ONNX Runtime against torch first, over fifty sizes, strengths and batches;
    files that differ by more than 1e-4 are not kept.
    """
    require_learn("exporting")
    from adain.learning.export import export_model

    report = export_model(model, output, source=source)
    for part in (*weights.model_parts(model), "whole"):
        path = output / weights.onnx_file(model, part)
        click.echo(f"{path}: {path.stat().st_size / 1e6:.1f} MB, sha256 {weights.sha256(path)}")
    click.echo(str(report))


if __name__ == "__main__":
    sys.exit(run(export))
