"""``adain export``: a model's ONNX files, or what is in one of them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from adain import weights
from adain.cli.parameters import MODEL, check_output_folder, require_learn, transform_option
from adain.contract import WHOLE
from adain.errors import AdaINError, found_error
from adain.registry import DEFAULT_MODEL, precision_of


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
    "  python -m export --model vgg19 --transform wct -o wct\n"
    "  python -m export --model fast --hub my-repository\n"
    "  python -m export --model fast --triton repository\n"
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
    "--hub",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write a repository for the Hugging Face Hub, of files that are here, and export nothing.",
)
@click.option(
    "--triton",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write the model's files, as they are here, as a model repository of Triton.",
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
@transform_option(
    "wct: of a model on VGG-19 the whole alone, with the whitening and colouring transform."
)
def export(
    model: str | None,
    output: Path | None,
    source: Path | None,
    described: Path | None,
    hub: Path | None,
    triton: Path | None,
    size: tuple[int, int] | None,
    opset: int,
    transform: str,
) -> None:
    """Write a model's ONNX files: encoder, decoder, style where it is a network, and the whole.

    The files are run in ONNX Runtime against torch first, over fifty sizes, strengths and batches;
    where one differs by more than its precision allows, none is kept. Files for one size are run
    against those for all sizes.
    """
    if transform == "wct":
        rest: dict[str, object] = {"--describe": described, "--hub": hub, "--triton": triton}
        rest |= {"--size": size, "--opset": None if opset == 18 else opset}
        _export_wct(model, output, source, rest)
        return
    if described is not None:
        if size is not None and size[0] != size[1]:
            raise found_error("--size", "x".join(map(str, size)), "one side with --describe")
        click.echo(_describe(described, size[0] if size else 512))
        return
    if hub is not None or triton is not None:
        option = "--triton" if hub is None else "--hub"
        others = {"--output": output, "--weights": source, "--size": size}
        for other, given in (others if hub is None else others | {"--triton": triton}).items():
            if given is not None:
                raise found_error(other, f"{option}, of files that are here", "one of the two")
        for path in _laid_out(model or DEFAULT_MODEL, hub, triton):
            click.echo(path)
        return
    if model is None or output is None:
        missing = "--model" if model is None else "--output"
        raise click.UsageError(
            f"Missing option {missing!r}: allowed are --model with --output, --hub or --triton, or"
            " --describe"
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
            if precision_of(part, report.precision) != report.precision:
                continue
            path = output / weights.onnx_file(model, part, report.precision)
            click.echo(f"{path}: {path.stat().st_size / 1e6:.1f} MB, sha256 {weights.sha256(path)}")
        click.echo(str(report))


def _export_wct(
    model: str | None, output: Path | None, source: Path | None, others: Mapping[str, object]
) -> None:
    """Write the whole file with WCT; ``others`` are options that do not go with it."""
    for option, given in others.items():
        if given is not None:
            raise found_error(option, "--transform wct", "one of the two")
    if model is None or output is None:
        raise click.UsageError("--transform wct: allowed is with --model and --output")
    if not weights.about(model).has_vgg19:
        raise found_error("--transform", f"wct for {model}", "wct for a model on VGG-19")
    require_learn("exporting")
    check_output_folder(output)
    from adain.learning.onnx.wct import export_wct

    path, report = export_wct(model, output, source=source)
    click.echo(f"{path}: {path.stat().st_size / 1e6:.1f} MB, sha256 {weights.sha256(path)}")
    click.echo(str(report))


def _laid_out(model: str, hub: Path | None, triton: Path | None) -> Sequence[Path]:
    """Write a repository for the Hub or for Triton; what was written."""
    if hub is not None:
        from adain.hub import write_repository

        return write_repository(model, hub)
    assert triton is not None
    check_output_folder(triton)
    with _needs_onnx("--triton"):
        from adain.learning.onnx import triton as layout

    return layout.write_repository(model, triton)


def _describe(file: Path, size: int) -> str:
    with _needs_onnx("--describe"):
        from adain.learning.onnx.describe import describe
    return str(describe(file, size))


@contextmanager
def _needs_onnx(option: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise AdaINError(
            f"{option} needs onnx, which cannot be imported ({error});"
            " `pip install 'adain[learn]'` installs it"
        ) from error
