"""``adain stylize`` of many pictures: what is asked for, how far it is, what became of each."""

import contextlib
import json
import sys
import time
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adain.batch.journal import open_journal
from adain.batch.listing import check_formats, jobs
from adain.batch.looks import looks, mixtures
from adain.batch.pipeline import Outcome, Pipeline, Settings
from adain.batch.ray_engine import RayPipeline
from adain.batch.ray_worker import Worker
from adain.batch.stores import is_stored, is_url, place
from adain.cli.parameters import check_output_folder
from adain.errors import AdaINError, checked_integer, found_error
from adain.files import make_folder
from adain.images.formats import WRITTEN_SUFFIXES
from adain.maps import load_map
from adain.options import StylizeOptions

if TYPE_CHECKING:
    from adain.stylizer import Stylizer


# For options that go with one kind of contents only.
ONE, MANY = "a single picture", "a folder, a pattern or a list of pictures"


@dataclass(frozen=True)
class Many:
    """Options of the command that are about many pictures, or about the files of all."""

    content: str
    output: Path
    format: str | None
    quality: int
    each_style: bool
    skip_existing: bool
    json_lines: bool
    # Whether the style's size is each content's to decide.
    auto_style_size: bool


def check_many(many: Many) -> None:
    """Raise AdaINError where pictures cannot be written, before the work."""
    place(many.content)
    if many.output.suffix.lower() in WRITTEN_SUFFIXES and not many.output.is_dir():
        found = f"many pictures, for a single output {many.output}"
        raise found_error(many.content, found, "a folder as output, such as out/")
    check_formats(many.format)
    checked_integer("quality", many.quality, 1, 100)
    if is_stored(many.output):
        return
    inputs = [Path(many.content)] if Path(many.content).is_dir() else []
    check_output_folder(many.output, inputs)


def stylize_many(
    stylizers: "Sequence[Stylizer]",
    styles: Sequence[Path],
    options: StylizeOptions,
    many: Many,
    worker: Worker | None = None,
) -> int:
    """Stylize all that is asked for; exit status 1 where a picture failed.

    With a ``worker``, those of a Ray cluster do it, and the first Stylizer is for the styles alone.
    """
    if options.masks is not None:
        masks = [load_map(mask, f"mask {n}") for n, mask in enumerate(options.masks, 1)]
        options = replace(options, masks=masks)
    each, auto = many.each_style, many.auto_style_size
    given = [*mixtures(stylizers[0], styles, options, many.quality, each=each, auto=auto)]
    listed = partial(jobs, many.content, many.output, many.format)
    lines: Sequence[str] | Any = sys.stdin if many.content == "-" else ()
    # A store takes minutes to list millions, a list on stdin is there once.
    unknown = many.content == "-" or is_url(many.content)
    total = None if unknown else sum(1 for _ in listed(())) * len(given)
    if total == 0:
        raise _nothing(many)
    if not is_stored(many.output):
        make_folder(many.output)
    settings = Settings(many.output, many.quality, options.max_side, many.skip_existing)
    with contextlib.closing(open_journal(many.output)) as journal:
        if worker is None:
            made = looks(stylizers, given)
            outcomes = Pipeline(listed(lines), made, journal, settings, len(stylizers)).run()
        else:
            outcomes = RayPipeline(listed(lines), given, journal, settings, worker).run()
        return _reported(outcomes, total, many)


def _reported(outcomes: Generator[Outcome, None, None], total: int | None, many: Many) -> int:
    """Say what becomes of each picture, how fast, and how long it will take; the exit status."""
    started, counts = time.monotonic(), Counter[str]()

    def speed(_: Outcome | None = None) -> str:
        return f"{counts['done'] / max(time.monotonic() - started, 1e-9):.2f} pictures/s"

    with (
        contextlib.closing(outcomes),
        click.progressbar(
            outcomes, total, "stylizing", item_show_func=speed, show_pos=True, file=sys.stderr
        ) as bar,
    ):
        for outcome in bar:
            counts[outcome.kind] += 1
            if outcome.error:
                click.echo(f"Error: {outcome.error}", err=True)
            if many.json_lines:
                click.echo(json.dumps(_plain(outcome, many.output)))
    if not counts and many.content != "-":
        raise _nothing(many)
    seconds = time.monotonic() - started
    if not many.json_lines:
        kinds = ", ".join(f"{counts[kind]} {kind}" for kind in ("done", "skipped", "failed"))
        name = click.format_filename(str(many.output))
        click.echo(f"{name}: {kinds}, {seconds:.2f} s, {speed()}")
    return 1 if counts["failed"] else 0


def _nothing(many: Many) -> AdaINError:
    return found_error(many.content, "no picture", "a folder or pattern with some")


def _plain(outcome: Outcome, output: Path) -> dict[str, Any]:
    found: dict[str, Any] = {
        "status": outcome.kind,
        "source": str(outcome.source),
        "output": str(output / outcome.result),
    }
    if outcome.kind == "done":
        found |= {"width": outcome.width, "height": outcome.height}
    return found | ({"error": outcome.error} if outcome.error else {})


def refused(found: str, allowed: str, options: Mapping[str, object]) -> None:
    """Raise AdaINError for one of the options that is given, by its flag."""
    for flag, value in options.items():
        if value:
            raise found_error(flag, found, allowed)
