"""``adain compare``: AdaIN beside Gatys, or videos per frame and steady, as a report."""

from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import click

from adain.cli.parameters import (
    EXAMPLES,
    FILE,
    MODEL,
    check_file,
    check_output_folder,
    given,
    option_of,
    require_learn,
)
from adain.errors import AdaINError
from adain.learning.comparison.options import CompareOptions
from adain.learning.comparison.video_options import CompareVideoOptions
from adain.video.extras import require_video

_option = partial(option_of, CompareOptions)
_video = partial(option_of, CompareVideoOptions)


@click.command(
    epilog=EXAMPLES
    + "  adain compare photo.jpg --style starry.jpg --style wave.jpg -o report\n"
    + "  adain compare --pairs pictures/pairs.csv --count 10 -o report --size 256\n"
    + "  adain compare --video film.mp4 photo.jpg --style starry.jpg -o report\n"
)
@click.argument("contents", metavar="CONTENT...", type=FILE, nargs=-1)
@click.option("--style", "styles", type=FILE, multiple=True, help="May be given more than once.")
@click.option("--pairs", type=FILE, help="Instead: a CSV of pairs beside content/ and style/.")
@click.option("--count", type=int, help="Only so many of --pairs, spread evenly.")
@click.option(
    "--video",
    is_flag=True,
    help="Instead: how steady videos are. CONTENTs are films, or pictures that clips are made of.",
)
@click.option(
    "-o",
    "--output",
    type=FILE,
    required=True,
    help="Folder of the report; what it holds already is not made again.",
)
@_option("size", help="Side of all pictures; of --video the longer one, by default 320.")
@_option("models", "--model", type=MODEL, multiple=True, help="[default: all that are here]")
@_option("alphas", "--alpha", type=float, multiple=True)
@_option("iterations", type=int, multiple=True, help="Of Gatys et al.")
@_option("adain_iterations", help="From the AdaIN picture.")
@_option("style_weight", help="Of Gatys et al., as `adain gatys` has it.")
@_option("threads", help="Of both methods. [default: one per core]")
@_option("device")
@_option("seed")
@_video("steady", help="Of --video.")
@_video("stylize_every", help="Of --video, of the steady ones.")
@_video("frames", help="Of --video, of each clip.")
def compare(
    contents: tuple[Path, ...],
    styles: tuple[Path, ...],
    pairs: Path | None,
    count: int | None,
    video: bool,
    output: Path,
    **options: Any,
) -> None:
    """Set AdaIN beside Gatys: every CONTENT in every style, with the same losses and clock.

    Writes report.html, metrics.csv and contact-sheet.png, and goes on where it was interrupted.

    With --video: videos frame by frame and steadied, by warping error, detail and losses, in
    video-report.html, video-metrics.csv and video-frames.png.
    """
    require_learn("the comparison")
    chosen_options = given(options)
    if video:
        if pairs is not None or count is not None:
            raise AdaINError("--video takes contents and --style, and no --pairs or --count")
        _compare_videos(contents, styles, output, chosen_options)
        return
    _refuse(chosen_options, CompareOptions, "--video")
    from adain.learning.comparison.compare import all_pairs, compare_methods, listed_pairs
    from adain.learning.comparison.report import WRITTEN

    if (pairs is None) == (not contents and not styles):
        raise AdaINError("give contents and --style, or --pairs, and not both")
    if count is not None and pairs is None:
        raise AdaINError("--count goes with --pairs: it says how many of them")
    chosen = all_pairs(contents, styles) if pairs is None else listed_pairs(pairs, count)
    inputs = [path for pair in chosen for path in (pair.content, pair.style)]
    inputs += [] if pairs is None else [pairs]
    check_output_folder(output)
    for name in WRITTEN if output.exists() else ():
        check_file(output / name, inputs)
    page = compare_methods(chosen, output, CompareOptions(**chosen_options), click.echo)
    click.echo(f"{page}: ready")


def _compare_videos(
    contents: tuple[Path, ...], styles: tuple[Path, ...], output: Path, options: dict[str, Any]
) -> None:
    require_video()
    from adain.learning.comparison.video_report import WRITTEN
    from adain.learning.comparison.videos import compare_videos

    _refuse(options, CompareVideoOptions, "no --video")
    check_output_folder(output)
    for name in WRITTEN if output.exists() else ():
        check_file(output / name, [*contents, *styles])
    page = compare_videos(contents, styles, output, CompareVideoOptions(**options), click.echo)
    click.echo(f"{page}: ready")


def _refuse(options: dict[str, Any], kind: type[Any], needed: str) -> None:
    """Raise AdaINError for options of the other comparison."""
    known = {field.name for field in fields(kind)}
    for name in options:
        if name not in known:
            flag = "alpha" if name == "alphas" else name.replace("_", "-")
            raise AdaINError(f"--{flag} goes with {needed}")
