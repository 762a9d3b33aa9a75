"""``adain export``: a model's ONNX files, or what is in one of them."""

from pathlib import Path

import click

from adain import weights
from adain.cli.parameters import MODEL, check_output_folder, require_learn
from adain.contract import WHOLE
from adain.errors import AdaINError


@click.command(
    epilog="\b\nExamples:\n"
    "  python -m export --model fast -o weights\n"
    "  python -m export --describe weights/adain-fast.onnx --size 1024\n"
)
@click.option("--model", type=MODEL, help="What to export.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write the ONNX files into.",
)
@click.option(
    "--weights",
    "source",
    type=click.Path(path_type=Path),
    help="A safetensors file of `adain train`. [default: the model's own]",
)
@click.option(
    "--describe",
    "described",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Print what is in a model file of ours, and export nothing.",
)
@click.option(
    "--size",
    type=click.IntRange(16, 8192),
    default=512,
    show_default=True,
    help="Side of the pictures that --describe counts the work for.",
)
def export(
    model: str | None,
    output: Path | None,
    source: Path | None,
    described: Path | None,
    size: int,
) -> None:
    """Write a model's ONNX files: encoder, decoder, style where it is a network, and the whole.

    The files are run in ONNX Runtime against torch first, over fifty sizes, strengths and batches;
    where one differs by more than its precision allows, none is kept.
    """
    if described is not None:
        click.echo(_describe(described, size))
        return
    if model is None or output is None:
        missing = "--model" if model is None else "--output"
        raise click.UsageError(
            f"Missing option {missing!r}: allowed are --model with --output, or --describe"
        )
    require_learn("exporting")
    check_output_folder(output)
    from adain.learning.onnx.export import export_model

    for report in export_model(model, output, source=source):
        for part in (*weights.model_parts(model), WHOLE):
            path = output / weights.onnx_file(model, part, report.precision)
            click.echo(f"{path}: {path.stat().st_size / 1e6:.1f} MB, sha256 {weights.sha256(path)}")
        click.echo(str(report))


def _describe(file: Path, size: int) -> str:
    try:
        from adain.learning.onnx.describe import describe
    except ImportError as error:
        raise AdaINError(
            f"--describe needs onnx, which cannot be imported ({error});"
            " `pip install 'adain[learn]'` installs it"
        ) from error
    return str(describe(file, size))
