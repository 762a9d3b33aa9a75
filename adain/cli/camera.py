"""``adain camera``: what a camera sees in the style of a painting, in a window, as it happens."""

import time
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import click

from adain import registry
from adain.backends import DEVICES
from adain.batch.looks import named_style
from adain.cli.parameters import EXAMPLES, FILE, MODEL, OneOf, check_not_an_input, field_option
from adain.errors import AdaINError, found_error
from adain.options import StylizeOptions
from adain.video.extras import require_video
from adain.video.options import STEADY, VideoOptions, about

# Of a camera's 1280 x 720, few machines stylize many frames a second.
_SIDE = 480


@click.command(
    epilog=EXAMPLES
    + "  adain camera starry.jpg wave.jpg\n"
    + "  adain camera starry.jpg --virtual --source 1 --size 640x480\n"
    + "  adain camera starry.jpg --source film.mp4 -o live.mp4\n"
)
@click.argument("styles", metavar="STYLE...", type=FILE, nargs=-1, required=True)
@click.option("--source", default="0", show_default=True, help="Number of a camera, or a video.")
@click.option("--to-window", is_flag=True, help="Beside --virtual or -o; alone, it is the default.")
@click.option("--virtual", is_flag=True, help="Show it as a camera to other programs.")
@click.option("-o", "--output", type=FILE, help="Video to write.")
@field_option("alpha", "--alpha", type=float, show_default=True)
@field_option("smooth", "--smooth", type=float, show_default=True)
@field_option("style_size", "--style-size", type=int, show_default=True)
@click.option("--max-side", type=int, default=_SIDE, show_default=True, help="In pixels.")
@click.option("--steady", type=float, default=STEADY, show_default=True, help=about("steady"))
@click.option("--size", metavar="WxH", help="What the camera is asked for.")
@click.option("--fps", type=float, help="What the camera is asked for.")
@click.option("--model", type=MODEL, default=registry.DEFAULT_MODEL, show_default=True)
@click.option("--device", default="auto", show_default=True, help=f"{DEVICES}.")
@click.option("--precision", type=OneOf(registry.PRECISIONS), default="fp32", show_default=True)
@click.option("--threads", type=int, help="Of the CPU. [default: one per core]")
def camera(
    styles: tuple[Path, ...],
    source: str,
    to_window: bool,
    virtual: bool,
    output: Path | None,
    steady: float,
    size: str | None,
    fps: float | None,
    model: str,
    device: str,
    precision: str,
    threads: int | None,
    **picture: Any,
) -> None:
    """Show what a camera sees in the first STYLE.

    In the window 1 to 9 choose a style, - and + change the strength, and q ends.
    """
    options = StylizeOptions(**picture)
    VideoOptions(steady=steady, fps=fps)  # numbers that may be
    wanted = _size(size)
    if not source.isdecimal() and (size or fps):
        raise found_error("--size and --fps", f"the file {source}", "a camera's number")
    if output is not None:
        check_not_an_input(output, [Path(source), *styles])
    chosen = [named_style(style) for style in styles]
    require_video()
    from adain.stylizer import Stylizer
    from adain.video.live import LiveStatus, stylize_live
    from adain.video.live.cameras import DeviceCamera, FileCamera
    from adain.video.live.displays import Recorder, VirtualCamera, Window

    with ExitStack() as stack:
        shown: list[Any] = []
        if virtual:
            shown.append(stack.enter_context(closing(VirtualCamera(fps))))
        recorder = None
        if output is not None:
            recorder = stack.enter_context(closing(Recorder(output)))
            shown.append(recorder)
        if to_window or not shown:
            shown.append(stack.enter_context(closing(Window())))
        seen: DeviceCamera | FileCamera
        if source.isdecimal():
            seen = DeviceCamera(int(source), wanted, fps, options.max_side)
        else:
            seen = FileCamera(Path(source), options.max_side)
        stack.enter_context(closing(seen))
        stylizer = Stylizer(model, device, precision=precision, threads=threads, cached_contents=0)
        begun = said = time.monotonic()
        latest = LiveStatus()

        def show(frame: Any, status: LiveStatus) -> str:
            nonlocal said, latest
            latest = status
            keys = "".join(each(frame, status) or "" for each in shown)
            if time.monotonic() > said + 1:
                said = time.monotonic()
                click.echo(f"\r{status} ", nl=False, err=True)
            return keys

        # Ctrl-C is how it ends without a window.
        try:
            with suppress(KeyboardInterrupt):
                stylize_live(seen, chosen, show, options, steady=steady, stylizer=stylizer)
        except AdaINError:
            # What a camera showed until it failed is kept: it will not show it again.
            if recorder is not None and isinstance(seen, FileCamera):
                recorder.discard()
            raise
        seconds = time.monotonic() - begun
        if said > begun:
            click.echo(err=True)
        if not latest.shown:
            raise found_error(seen.name, "no frame", "one or more")
        frames = f"{latest.shown} frame" + "s" * (latest.shown != 1)
        click.echo(
            f"{seen.name}: {frames} of {latest.seen}, model {model} on"
            f" {stylizer.device}, {seconds:.1f} s, {latest}"
        )


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    width, x, height = text.partition("x")
    if not (x and width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise found_error("--size", repr(text), "a width and a height, such as 640x480")
    return int(width), int(height)
