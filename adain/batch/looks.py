"""What pictures are made in: one mixture of styles, or each style by itself, for any engine."""

import contextlib
import itertools
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from adain import weights
from adain.batch.journal import recipe_digest
from adain.batch.pipeline import Look
from adain.errors import found_error
from adain.footprint import network_bytes
from adain.images import Picture
from adain.options import StylizeOptions, style_side_for
from adain.recipe import Recipe
from adain.style import Style

if TYPE_CHECKING:
    from adain.stylizer import Stylizer

# Pictures whose networks take more bytes than this take turns on a device: two at a time are for
# small ones.
_SMALL = 500_000_000


@dataclass(frozen=True)
class Mixture:
    """The styles of a `Look`, and how they are used; it goes to other processes.

    ``folder`` and ``recipe`` are the look's. Where ``auto``, the size that style pictures are
    looked at is each content's to decide.
    """

    folder: Path
    recipe: str
    styles: Sequence[Style | Path | bytes]
    options: StylizeOptions
    auto: bool

    def alone(self) -> "Mixture":
        """The same without files, for a machine that may not have them."""
        styles = [s.read_bytes() if isinstance(s, Path) else s for s in self.styles]
        return replace(self, styles=styles)


def named_style(name: Path) -> Style | Path:
    """A style file, a picture, or where there is neither the drawn style of this name.

    Raises AdaINError for a file of another kind that is easily taken for a style.
    """
    if name.suffix.lower() == ".onnx":
        allowed = (
            "a picture, a file of Style.save or a drawn style; what `adain specialise` wrote runs"
            " by ONNX Runtime alone, as docs/one-style.md has it"
        )
        raise found_error("STYLE", f"{str(name)!r}, a network", allowed)
    if name.suffix == ".style":
        return Style.load(name)
    if not name.exists():
        from adain.drawings.catalog import STYLES, file_of

        if str(name) in STYLES:
            return file_of(str(name))
    return name


def mixtures(
    stylizer: "Stylizer",
    styles: Sequence[Path],
    options: StylizeOptions,
    quality: int,
    *,
    each: bool,
    auto: bool,
) -> Iterator[Mixture]:
    """One mixture of all ``styles``, or ``each`` by itself in a folder of its name.

    Styles that look the same beside every content are encoded here, once. Raises AdaINError for
    styles that cannot be read, or that the options do not go with.
    """
    files = stylizer.files.values()
    about = asdict(options) | {
        "model": [weights.sha256(file) for file in files],
        "quality": quality,
        "auto": auto,
    }
    folders: set[str] = set()
    for group in [[style] for style in styles] if each else [list(styles)]:
        given = [named_style(style) for style in group]
        Recipe.of(given, options)  # as many masks and shares as styles
        if options.colours == "style" and not auto:
            given = [
                style
                if isinstance(style, Style)
                else stylizer.encode_style(style, max_side=options.style_size)
                for style in given
            ]
        told = [s.vector if isinstance(s, Style) else weights.sha256(s) for s in given]
        folder = Path(_unused(group[0].stem, folders)) if each else Path()
        yield Mixture(folder, recipe_digest(about | {"styles": told}), given, options, auto)


class Turns:
    """Turns on the devices of a folder: each is of one thread at a time."""

    def __init__(self, devices: int) -> None:
        self._free, self._changed = set(range(devices)), threading.Condition()

    @contextlib.contextmanager
    def take(self, device: int) -> Iterator[int]:
        """Wait for a turn on ``device``, or on another that is free earlier; which it was."""
        with self._changed:
            self._changed.wait_for(lambda: self._free)
            taken = device if device in self._free else min(self._free)
            self._free.remove(taken)
        try:
            yield taken
        finally:
            with self._changed:
                self._free.add(taken)
                self._changed.notify()


def looks(stylizers: "Sequence[Stylizer]", of: Sequence[Mixture]) -> list[Look]:
    """How the mixtures are made on these devices."""
    turns = Turns(len(stylizers))
    return [
        Look(mixture.folder, mixture.recipe, partial(_stylized, stylizers, turns, mixture))
        for mixture in of
    ]


def _unused(name: str, names: set[str]) -> str:
    """A name that is not among these, whatever their case, and is then."""
    numbered = (f"{name}-{number}" for number in itertools.count(2))
    found = next(n for n in itertools.chain([name], numbered) if n.lower() not in names)
    names.add(found.lower())
    return found


def _stylized(
    stylizers: "Sequence[Stylizer]",
    turns: Turns,
    mixture: Mixture,
    device: int,
    picture: Picture,
) -> Picture:
    networks = network_bytes(stylizers[device].row, picture.width, picture.height)
    # It has been brought down to max_side as it was read.
    options = replace(mixture.options, max_side=None)
    if mixture.auto:
        options = replace(options, style_size=style_side_for(picture.width, picture.height))
    turn = turns.take(device) if networks > _SMALL else contextlib.nullcontext(device)
    with turn as device:
        return stylizers[device].stylize_with(picture, mixture.styles, options)
