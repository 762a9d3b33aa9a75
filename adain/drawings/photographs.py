"""The photographs that the catalog offers as contents: people bring photos, not drawings.

All may be passed on by everybody; `photos/CREDITS.txt` says where each is from.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "photos"


@dataclass(frozen=True)
class Photograph:
    """A file, what it is called, what one sees in it, and who made it by which licence."""

    path: Path
    title: str
    description: str
    credit: str


# The one that both models show best is the first.
PHOTOGRAPHS: dict[str, Photograph] = {
    "pavilion": Photograph(
        FOLDER / "pavilion.jpg",
        "Pavilion",
        "A Chinese tower of red columns and green roofs above trees and a lake, in haze.",
        "danielbuechele, CC BY 2.0",
    ),
    "autumn": Photograph(
        FOLDER / "autumn.jpg",
        "Autumn hills",
        "A green meadow before orange larches and a gray mountain, under a pale sky.",
        "Aitzol Berasategi, CC BY 4.0",
    ),
    "astronaut": Photograph(
        FOLDER / "astronaut.jpg",
        "Astronaut",
        "Eileen Collins smiles in an orange space suit, with a flag and a model of the shuttle.",
        "NASA, public domain",
    ),
    "spaniels": Photograph(
        FOLDER / "spaniels.jpg",
        "Two spaniels",
        "Two brown dogs with curly ears look out between the boards of a house.",
        "Aitzol Berasategi, CC BY 4.0",
    ),
}
