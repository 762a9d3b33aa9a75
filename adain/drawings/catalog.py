"""The catalog of contents and styles that ship: photographs and drawings, and no painting.

Each drawing has its own seed, so that all machines show the same pictures.
"""

from __future__ import annotations

import hashlib
import tempfile
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from adain.drawings import primitives
from adain.drawings.contents import coast, scenes
from adain.drawings.photographs import PHOTOGRAPHS, Photograph
from adain.drawings.styles import (
    brush,
    modern,
    paint,
    patterns,
    posters,
    prints,
    tiles,
    walls,
    water,
)
from adain.weights import cache_folder

# The code that draws; what else lies in this folder does not change the pictures.
SOURCES = [
    path
    for pattern in ("primitives.py", "contents/*.py", "styles/*.py")
    for path in sorted(Path(__file__).parent.glob(pattern))
]


@dataclass(frozen=True)
class Drawing:
    """What draws a picture, what it is called, and what one sees in it."""

    draw: Callable[[], primitives.Array]
    title: str
    description: str
    credit: str = ""  # as a Photograph has it; drawings are ours


class Pair(NamedTuple):
    """What a page opens with, or offers to try: names of this catalog, the strength, the model."""

    content: str
    style: str
    strength: float
    model: str


# The photographs come first: a page opens with the first, and a face or a sky of a camera is what
# people want to see stylized.
CONTENTS: dict[str, Drawing | Photograph] = {
    **PHOTOGRAPHS,
    "landscape": Drawing(
        scenes.landscape,
        "Mountain lake",
        "Snowy mountains at sunset, mirrored in a lake with firs and grass in front.",
    ),
    "still-life": Drawing(
        scenes.still_life,
        "Still life",
        "A blue glazed jar and five fruits on a wooden table.",
    ),
    "city": Drawing(
        scenes.city,
        "City at dusk",
        "A skyline with lit windows after sunset, mirrored in a river.",
    ),
    "lighthouse": Drawing(
        coast.lighthouse,
        "Lighthouse",
        "A red and white lighthouse on a rocky shore, and a sailing boat on the sea.",
    ),
}
STYLES: dict[str, Drawing] = {
    "night": Drawing(
        brush.night,
        "Starry night",
        "A blue night sky that swirls around yellow stars, in long curved brush strokes.",
    ),
    "stained-glass": Drawing(
        brush.stained_glass,
        "Stained glass",
        "A rose window of red, gold, green and blue panes between dark leads.",
    ),
    "woodcut": Drawing(
        brush.woodcut,
        "Woodcut",
        "A red sun over hills and waves, cut in bold blue-black lines on cream paper.",
    ),
    "impasto": Drawing(
        brush.impasto,
        "Thick oil paint",
        "A field of red and yellow flowers under a turquoise sky, in thick strokes of oil.",
    ),
    "pointillism": Drawing(
        brush.pointillism,
        "Dots of colour",
        "A sunny river bank with trees and a sail, made of small dots of pure colour.",
    ),
    "great-wave": Drawing(
        prints.great_wave,
        "Great wave",
        "A breaking wave with claws of foam before a snowy peak, as a Japanese colour print.",
    ),
    "watercolour": Drawing(
        water.watercolour,
        "Watercolour",
        "Red and violet poppies between green leaves, in transparent washes on rough paper.",
    ),
    "ink-wash": Drawing(
        water.ink_wash,
        "Ink wash",
        "Gray mountains in mist with crooked pines and a red sun, in ink on warm paper.",
    ),
    "mosaic": Drawing(
        walls.mosaic,
        "Mosaic",
        "A blue peacock with its green train spread, laid in small glass tiles on gold.",
    ),
    "halftone": Drawing(
        prints.halftone,
        "Comic print",
        "A red and yellow comic-book explosion on pink and blue rays, printed in coarse dots.",
    ),
    "gilded": Drawing(
        modern.gilded,
        "Gilded spirals",
        "Golden, black and teal spirals packed close between small bright mosaics.",
    ),
    "cubist": Drawing(
        modern.cubist,
        "Cubist still life",
        "A guitar, a bottle and a glass broken into shaded facets of ochre, red and slate.",
    ),
    "colour-discs": Drawing(
        modern.colour_discs,
        "Discs of colour",
        "Large discs of rings in pure red, yellow, blue, green and violet brush strokes.",
    ),
    "palette-knife": Drawing(
        paint.palette_knife,
        "Palette knife",
        "White birches in an orange and yellow autumn wood, in short slabs of thick paint.",
    ),
    "pastel": Drawing(
        paint.pastel,
        "Chalk pastel",
        "Sailing boats on a teal sea under a pink and violet sunset, hatched in soft chalk.",
    ),
    "linocut": Drawing(
        prints.linocut,
        "Linocut",
        "Leaves and blossoms in ochre, coral, green and cream, cut out of dark petrol blue.",
    ),
    "marbling": Drawing(
        patterns.marbling,
        "Marbled paper",
        "Drops of navy, red, ochre, teal and cream drawn out into waves on marbled paper.",
    ),
    "composition": Drawing(
        modern.composition,
        "Abstract composition",
        "Bright circles, wedges, chequers and black lines that float over a pale ground.",
    ),
    "action-painting": Drawing(
        paint.action_painting,
        "Action painting",
        "Threads and drops of black, white, ochre, red and blue paint flung over raw canvas.",
    ),
    "art-deco": Drawing(
        posters.art_deco,
        "Art deco fans",
        "Overlapping fans ruled in gold on emerald, midnight blue and wine red.",
    ),
    "psychedelic": Drawing(
        posters.psychedelic,
        "Psychedelic poster",
        "Flowing bands of orange, pink, violet, green and yellow with dark outlines.",
    ),
    "synthwave": Drawing(
        posters.synthwave,
        "Synthwave",
        "A striped sun behind blue mesh mountains over a glowing magenta grid.",
    ),
    "kilim": Drawing(
        patterns.kilim,
        "Woven rug",
        "Stepped diamonds in red, navy, saffron and cream wool within a toothed border.",
    ),
    "delft": Drawing(
        tiles.delft,
        "Delft tiles",
        "White tiles painted in cobalt blue with flowers, ships and windmills.",
    ),
    "fresco": Drawing(
        walls.fresco,
        "Weathered fresco",
        "Bands of spirals, rosettes and palms in red, ochre and teal on cracked plaster.",
    ),
    "topographic": Drawing(
        patterns.topographic,
        "Contour map",
        "A relief map from blue depths to red and white summits, ruled with contour lines.",
    ),
}

# The first is what a page opens with. Chosen by eye among 26 styles at strengths from 0.7 to 1, for
# skies without worms and flat places without a lattice: above these strengths `fast` draws both.
PAIRS = (
    Pair("pavilion", "great-wave", 0.8, "fast"),
    Pair("autumn", "stained-glass", 0.8, "fast"),
    Pair("astronaut", "topographic", 0.8, "fast"),
    Pair("spaniels", "watercolour", 0.85, "fast"),
)


@cache
def folder() -> Path:
    """Where the drawings are kept, new for every version of the code that draws them."""
    code = b"".join(path.read_bytes() for path in SOURCES)
    kept = cache_folder() / f"examples-{hashlib.sha256(code).hexdigest()[:12]}"
    try:
        kept.mkdir(parents=True, exist_ok=True)
    except OSError:  # a read-only home: draw again at every start
        kept = Path(tempfile.mkdtemp(prefix="adain-examples-"))
    return kept


def file_of(name: str) -> Path:
    """The file of one of CONTENTS or STYLES, drawn where it is not there yet; KeyError else."""
    picture = CONTENTS[name] if name in CONTENTS else STYLES[name]
    if isinstance(picture, Photograph):
        return picture.path
    path = folder() / f"{name}.jpg"
    if not path.is_file():
        temporary = path.with_name(f".{uuid.uuid4().hex}.jpg")
        primitives.to_image(picture.draw()).save(temporary, quality=95, subsampling=0)
        temporary.replace(path)
    return path
