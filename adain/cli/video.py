"""``adain video``: a video in the style of a painting, steady, with its sound."""

import signal
import time
import warnings
from pathlib import Path
from typing import Any, get_args

import click

from adain import registry
from adain.backends import DEVICES
from adain.batch.looks import named_style
from adain.cli.parameters import EXAMPLES, FILE, MODEL, OneOf, check_not_an_input, field_option
from adain.colours import Colours
from adain.options import StylizeOptions
from adain.video.extras import require_video
from adain.video.formats import check_output_format
from adain.video.options import STEADY, VideoOptions, about, parse_style_at, parse_time


@click.command(
    epilog=EXAMPLES
    + "  adain video film.mp4 starry.jpg -o out.mp4\n"
    + "  adain video film.mp4 starry.jpg -o out.webm --steady 0.9 --max-side 640 --end 0:20\n"
    + "  adain video film.mp4 starry.jpg -o out.mp4 --style-at 10=wave.jpg --style-at 20=sun.jpg\n"
    + "  adain video frames/%04d.png starry.jpg -o out.mkv --fps 24\n"
    + "  adain video cat.gif starry.jpg -o out.gif\n"
)
@click.argument("source", metavar="IN", type=FILE)
@click.argument("styles", metavar="STYLE...", type=FILE, nargs=-1, required=True)
@click.option("-o", "--output", type=FILE, required=True, help="Video to write.")
@field_option("alpha", "--alpha", type=float, show_default=True)
@field_option("style_weights", "--style-share", type=float, multiple=True)
@field_option("masks", "--mask", type=FILE, multiple=True)
@field_option("colours", "--colours", type=OneOf(get_args(Colours)), show_default=True)
@field_option("smooth", "--smooth", type=float, show_default=True)
@field_option("style_size", "--style-size", type=int, show_default=True)
@field_option("max_side", "--max-side", type=int)
@click.option("--steady", type=float, default=STEADY, show_default=True, help=about("steady"))
@click.option(
    "--stylize-every", type=int, default=1, show_default=True, help=about("stylize_every")
)
@click.option("--style-at", metavar="TIME=STYLE", multiple=True, help=about("style_at"))
@click.option("--start", metavar="TIME", help="Where to begin: 12.5, or 1:02:03.5.")
@click.option("--end", metavar="TIME", help="Where to end.")
@click.option("--fps", type=float, help=about("fps"))
@click.option("--codec", help=about("codec"))
@click.option("--crf", type=int, help=about("crf"))
@click.option(
    "--resume",
    is_flag=True,
    help="Keep what is finished beside the output until that is whole, and go on from there.",
)
@click.option("--model", type=MODEL, default=registry.DEFAULT_MODEL, show_default=True)
@click.option("--device", default="auto", show_default=True, help=f"{DEVICES}.")
@click.option("--precision", type=OneOf(registry.PRECISIONS), default="fp32", show_default=True)
@click.option("--threads", type=int, help="Of the CPU. [default: one per core]")
def video(
    source: Path,
    styles: tuple[Path, ...],
    output: Path,
    steady: float,
    stylize_every: int,
    style_at: tuple[str, ...],
    start: str | None,
    end: str | None,
    fps: float | None,
    codec: str | None,
    crf: int | None,
    resume: bool,
    model: str,
    device: str,
    precision: str,
    threads: int | None,
    style_weights: tuple[float, ...],
    masks: tuple[Path, ...],
    **picture: Any,
) -> int | None:
    """Write the video IN in the style of one STYLE, or of a mixture of several.

    IN is a video, a GIF, APNG or WebP, a folder of frames or a pattern such as frames/%04d.png.
    Sound, subtitles, chapters and time stamps stay as they are. Interrupted, it writes the part so
    far; begun with --resume, it goes on from there, even where it was killed.
    """
    named = parse_style_at(style_at, "--style-at")
    later = {time: Path(style) for time, style in named.items()}
    check_output_format(output)
    check_not_an_input(output, [source, *styles, *masks, *later.values()])
    options = StylizeOptions(style_weights=style_weights or None, masks=masks or None, **picture)
    chosen = VideoOptions(
        steady=steady,
        stylize_every=stylize_every,
        start=None if start is None else parse_time(start, "--start"),
        end=None if end is None else parse_time(end, "--end"),
        fps=fps,
        codec=codec,
        crf=crf,
        style_at={time: named_style(style) for time, style in later.items()},
    )
    require_video()
    # Of animations Pillow tells by warnings what else ends in an error of one line.
    warnings.filterwarnings("ignore", module="PIL")
    from tqdm import tqdm

    from adain.stylizer import Stylizer
    from adain.video.run import stylize_video

    stylizer = Stylizer(model, device, precision=precision, threads=threads, cached_contents=0)
    interrupted: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, frame: interrupted.append(number))
    begun = time.perf_counter()
    try:
        # Into a file, a line for each frame would be no progress.
        with tqdm(unit="frame", disable=None, smoothing=0.1) as bar:

            def callback(done: int, total: int | None) -> bool:
                bar.total = total if total is None or done <= total else done
                bar.update()
                return bool(interrupted)

            result = stylize_video(
                source,
                [named_style(style) for style in styles],
                output,
                options,
                chosen,
                stylizer=stylizer,
                callback=callback,
                resume=resume,
            )
    finally:
        signal.signal(signal.SIGINT, handler)
    for note in result.notes:
        click.echo(f"Note: {note}", err=True)
    seconds, made = time.perf_counter() - begun, result.frames - result.kept
    part = ""
    if result.interrupted:
        part = ", interrupted: the part so far"
    if made < 0:
        # While an earlier run's frames were written again: nothing is lost, and nothing is new.
        part, made = f", interrupted: {result.kept} frames are kept for --resume", 0
    elif result.kept:
        part = f", {result.kept} of them by an earlier run{part}"
    frames = f"{result.frames} frame" + "s" * (result.frames != 1)
    click.echo(
        f"{click.format_filename(output)}: {result.width} x {result.height},"
        f" {frames}, model {model} on {result.device}, {seconds:.1f} s,"
        f" {made / seconds:.1f} frames/s{part}"
    )
    return 130 if result.interrupted else None
