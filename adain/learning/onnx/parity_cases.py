"""The inputs of the parity check: random sizes, batches and strengths, and hostile pictures."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

CASES = 50

Array = npt.NDArray[np.generic]


@dataclass(frozen=True)
class Case:
    """One comparison: the content's and the style's size, how many pictures, how strong.

    Pictures have shapes and noise, or are all of one ``colour``, RGB in [0, 1].
    """

    height: int
    width: int
    style_height: int
    style_width: int
    batch: int
    alpha: float
    content_colour: tuple[float, float, float] | None = None
    style_colour: tuple[float, float, float] | None = None


HOSTILE = (
    Case(16, 16, 2000, 16, 1, 1.0),
    Case(64, 80, 64, 64, 1, 1.0, style_colour=(0, 0, 0)),
    Case(64, 80, 64, 64, 1, 1.0, style_colour=(1, 1, 1)),
    Case(64, 80, 64, 64, 2, 1.0, style_colour=(0.8, 0.1, 0.3)),
    Case(64, 80, 64, 64, 1, 1.0, content_colour=(0, 0, 0)),
    Case(64, 80, 64, 64, 1, 1.0, content_colour=(1, 1, 1)),
    Case(64, 80, 64, 64, 1, 1.0, content_colour=(0.2, 0.4, 0.9), style_colour=(1, 1, 0)),
    # Sides that are padded by more than they have.
    Case(1, 1, 1, 1, 1, 1.0),
    Case(5, 40, 3, 7, 2, 0.6),
    # Where the content is blended in, and where it is all.
    Case(96, 96, 64, 64, 1, 0.0),
    Case(96, 96, 64, 64, 2, 0.03),
    Case(96, 96, 64, 64, 1, 1.0),
)


def cases(count: int = CASES, seed: int = 0) -> list[Case]:
    """Random cases; the smallest allowed picture and a long strip are always among them."""
    random = np.random.default_rng(seed)

    def size() -> int:
        return int(np.exp(random.uniform(np.log(16), np.log(160))))

    drawn = [
        Case(size(), size(), size(), size(), int(random.integers(1, 4)), random.uniform())
        for _ in range(count)
    ]
    fixed = [
        Case(16, 16, 16, 16, 1, 1.0),
        Case(1030, 33, 64, 48, 1, 0.5),
        Case(64, 64, 16, 200, 2, 0.0),
        Case(100, 75, 64, 64, 3, 1.0),
    ]
    return (fixed + drawn)[:count]


def pictures_of(
    random: np.random.Generator,
    count: int,
    height: int,
    width: int,
    colour: tuple[float, float, float] | None,
) -> Array:
    """Pictures with large shapes and noise, or of one colour, uint8 ``[N, H, W, 3]``."""
    coarse = torch.from_numpy(random.random((count, 3, 5, 5))).float()
    smooth = F.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)
    noise = torch.from_numpy(random.normal(0, 0.05, smooth.shape)).float()
    pictures = (smooth + noise).clamp(0, 1)
    if colour is not None:
        pictures = torch.tensor(colour).view(1, 3, 1, 1).expand_as(pictures)
    return np.ascontiguousarray(pictures.mul(255).byte().permute(0, 2, 3, 1).numpy())
