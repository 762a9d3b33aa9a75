"""``adain export``: a model's ONNX files, or what is in one of them."""

from pathlib import Path

import click

from adain import weights
from adain.cli.parameters import MODEL, check_output_folder, require_learn
from adain.contract import WHOLE
from adain.errors import AdaINError, found_error


class Size(click.ParamType[tuple[int, int]]):
    """A width and a height as 640x480, or one number for both."""

    name = "size"

    def convert(
        self, value: object, param: click.Parameter | None, context: click.Context | None
    ) -> tuple[int, int]:
        width, _, height = str(value).lower().partition("x")
        sides = (width, height or width)
        if not all(side.isdecimal() and 16 <= int(side) <= 8192 for side in sides):
            self.fail(f"{value!r}. Allowed: WIDTHxHEIGHT, each 16 to 8192.", param, context)
        return int(sides[0]), int(sides[1])


@click.command(
    epilog="\b\nExamples:\n"
    "  python -m export --model fast -o weights\n"
    "  python -m export --model fast -o fixed --size 512x512 --opset 17\n"
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
    type=Size(),
    help="WIDTHxHEIGHT: files for pictures of this size alone, as TensorRT, CoreML and LiteRT want"
    " them. With --describe, the side of the pictures to count the work for.  [default: any; 512]",
)
@click.option(
    "--opset",
    type=click.IntRange(13, 18),
    default=18,
    show_default=True,
    help="An older one, with --size, for older tools.",
)
def export(
    model: str | None,
    output: Path | None,
    source: Path | None,
    described: Path | None,
    size: tuple[int, int] | None,
    opset: int,
) -> None:
    """Write a model's ONNX files: encoder, decoder, style where it is a network, and the whole.

    The files are run in ONNX Runtime against torch first, over fifty sizes, strengths and batches;
    where one differs by more than its precision allows, none is kept. Files for one size are run
    against those for all sizes.
    """
    if described is not None:
        if size is not None and size[0] != size[1]:
            raise found_error("--size", "x".join(map(str, size)), "one side with --describe")
        click.echo(_describe(described, size[0] if size else 512))
        return
    if model is None or output is None:
        missing = "--model" if model is None else "--output"
        raise click.UsageError(
            f"Missing option {missing!r}: allowed are --model with --output, or --describe"
        )
    if opset != 18 and size is None:
        raise click.UsageError("Missing option '--size': allowed is --opset with --size")
    require_learn("exporting")
    check_output_folder(output)
    if size is not None:
        from adain.learning.onnx.fixed import export_fixed

        for path in export_fixed(model, output, size, opset=opset, source=source):
            click.echo(f"{path}: {path.stat().st_size / 1e6:.1f} MB, sha256 {weights.sha256(path)}")
        return
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
