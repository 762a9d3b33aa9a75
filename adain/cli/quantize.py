"""``adain quantize``: 8-bit ONNX files, kept where they pay."""

from pathlib import Path

import click

from adain import weights
from adain.cli.parameters import OneOf, check_output_folder, require_learn
from adain.registry import TRAINED

_AT_LEAST_1 = click.IntRange(min=1)


@click.command(
    epilog="Exit status 0: the files were kept; 1: they do not pay and were not; 2: a mistake."
)
@click.argument("content", metavar="CONTENT_DIR", type=click.Path(path_type=Path))
@click.argument("style", metavar="STYLE_DIR", type=click.Path(path_type=Path))
@click.option("--model", type=OneOf(TRAINED), required=True)
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("--pictures", type=_AT_LEAST_1, default=48, show_default=True, help="To calibrate.")
@click.option("--held-out", type=_AT_LEAST_1, default=12, show_default=True, help="To compare.")
@click.option("--side", type=click.IntRange(16), default=512, show_default=True, help="Of these.")
@click.option("--runs", type=_AT_LEAST_1, default=9, show_default=True, help="To take times.")
def quantize(
    content: Path,
    style: Path,
    model: str,
    output: Path,
    pictures: int,
    held_out: int,
    side: int,
    runs: int,
) -> int:
    """Make a model's 8-bit ONNX files, calibrated on pictures in two folders, and measure them.

    They are kept only if they are at least 1.5 times faster than float32 on this machine and their
    pictures differ by less than 2/255 in the mean.
    """
    require_learn("quantizing")
    check_output_folder(output)
    from adain.learning.onnx.quantize import FASTER, MEAN_STEPS, NOT_KEPT, quantize_model

    comparison, kept = quantize_model(
        model, content, style, output, pictures=pictures, held_out=held_out, side=side, runs=runs
    )
    click.echo(str(comparison))
    for path in kept:
        click.echo(f"{path}: {path.stat().st_size / 1e6:.1f} MB, sha256 {weights.sha256(path)}")
    if kept:
        return 0
    click.echo(
        f"{model}: {comparison.speedup():.2f} times faster, {comparison.mean():.2f}/255 away;"
        f" kept would be {FASTER} times and less than {MEAN_STEPS:g}/255, so nothing is kept"
    )
    return NOT_KEPT
