"""Data loading with augmentation: image folders as endless random crops."""

import hashlib
import math
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from adain.cores import cores
from adain.errors import AdaINError, found_error
from adain.images import load_image
from adain.learning.training import tessellation

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".avif"})
# The paper trains on crops of images whose short side was brought to 512.
MAX_SHORT_SIDE = 512
# The share of crops that are enlarged, where that is wanted.
ENLARGED = 1 / 3
# The share of crops whose colour channels are exchanged and inverted, where that is wanted.
EXCHANGED = 1 / 4
# The share of crops redrawn as mosaics and walls, where that is wanted.
TESSELLATED = 1 / 5


def find_images(
    folder: str | os.PathLike[str], but: str | os.PathLike[str] | None = None
) -> list[Path]:
    """Every image file below a folder, sorted; AdaINError where there is none.

    Links are followed, to folders too, but not round in circles. A link to nothing is listed, as
    other files are that cannot be read. ``but`` is a folder whose files are not.
    """
    root = Path(folder)
    if not root.is_dir():
        raise AdaINError(f"{root}: not a folder; give a folder of images")
    unseen = frozenset() if but is None else frozenset({os.path.realpath(but)})
    paths = sorted(path for path in _files(root, unseen) if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise AdaINError(f"{root}: no image found; looked for {', '.join(sorted(SUFFIXES))}")
    return paths


def _files(folder: Path, above: frozenset[str] = frozenset()) -> Iterator[Path]:
    above |= {os.path.realpath(folder)}
    try:
        entries = list(folder.iterdir())
    except OSError:  # may not be listed: nothing in it can be had
        return
    for path in entries:
        if not path.is_dir():
            yield path
        elif os.path.realpath(path) not in above:
            yield from _files(path, above)


def hold_out(paths: list[Path], count: int) -> tuple[list[Path], list[Path]]:
    """Split into training and held-out files; a file's side depends on the names alone."""
    count = min(count, len(paths) // 2)
    ranked = sorted(paths, key=lambda path: hashlib.sha256(os.fsencode(path.name)).digest())
    held = set(ranked[:count])
    return [path for path in paths if path not in held], sorted(held)


def decode(path: Path) -> Tensor:
    """An image file as uint8 ``[3, H, W]``, its short side at most 512 pixels."""
    picture = load_image(path).opaque()
    short = min(picture.width, picture.height)
    if short > MAX_SHORT_SIDE:
        scale = MAX_SHORT_SIDE / short
        picture = picture.resized(
            max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
        )
    pixels = torch.from_numpy(picture.to_array())
    return pixels.permute(2, 0, 1).contiguous()


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """A small tensor made on the CPU, on the device, without waiting for that.

    A plain copy to a GPU first waits for all that was asked of it: a dozen such in each step, and
    it never has the next step's work before it is done with this one's.
    """
    if device.type == "cuda" and tensor.numel():
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def split(
    folder: str | os.PathLike[str],
    count: int,
    label: str,
    but: str | os.PathLike[str] | None = None,
) -> tuple[list[Path], list[Path], list[str]]:
    """The files of a folder to train on, those held out, and what was left out.

    Where none of those held out can be read, the next ones are. Raises AdaINError for less than two
    images that can be. Files in the folder ``but`` are none of them.
    """
    paths, left_out = find_images(folder, but), list[str]()
    while len(paths) >= 2:
        train, held = hold_out(paths, max(1, count))
        troubles = [image for _, image in _decode_all(held, label) if isinstance(image, AdaINError)]
        if len(troubles) < len(held):
            return train, held, left_out
        left_out += map(str, troubles)
        paths = train
    found = f"{len(paths)} image{'s' * (len(paths) != 1)}"
    if left_out:
        found += f", and {len(left_out)} that cannot be read ({left_out[0]})"
    raise found_error(str(folder), found, "2 or more: one to train on and one held out")


class ImageStore:
    """Images decoded once and kept as uint8 on ``device``, up to ``memory`` bytes.

    What does not fit is decoded again each time it is drawn. Unreadable files are left out and
    listed in ``skipped``.
    """

    def __init__(
        self,
        paths: Iterable[Path],
        *,
        device: torch.device | str = "cpu",
        memory: int = 8 << 30,
        label: str = "images",
        vivid: bool = False,
        zoom: float = 1.0,
    ) -> None:
        """``zoom``: of the random crops, enlarge a third, by up to so many times.

        The pictures here are small, those that people bring are not: there a sky or a wall has no
        edge in a whole crop, and a network that never saw such areas fills them with flecks.

        ``vivid``: of the random crops, change the colours of every second one, mostly to more
        saturation and contrast, and replace one in twenty by a single colour. Of all of them,
        exchange and invert the colour channels of one in four, and before all that redraw one in
        five as a mosaic or a wall (`tessellation`).

        The paintings that people choose are further from photographs than most paintings are, and
        a style without any texture is the hardest of all. A network that estimates statistics of
        such paintings needs colours that it never saw together.
        """
        self.vivid, self.zoom = vivid, zoom
        self.device = torch.device(device)
        self.images: list[Tensor | Path] = []
        self.skipped: list[str] = []
        used = 0
        for path, image in _decode_all(list(paths), label):
            if isinstance(image, AdaINError):
                self.skipped.append(str(image))
            elif used + image.numel() <= memory:
                used += image.numel()
                self.images.append(image.to(self.device))
            else:
                self.images.append(path)
        if not self.images:
            raise AdaINError(f"{label}: none of the {len(self.skipped)} files is a readable image")

    def __len__(self) -> int:
        return len(self.images)

    def image(self, index: int) -> Tensor:
        image = self.images[index]
        return image if isinstance(image, Tensor) else decode(image).to(self.device)

    def random_crops(
        self, count: int, size: int, generator: torch.Generator, share: slice = slice(None)
    ) -> Tensor:
        """``count`` crops of random images, places and scales, float32 ``[count, 3, size, size]``.

        A crop is a square between ``size`` pixels and the image's whole short side, scaled down to
        ``size``, and mirrored half of the time. One in three is instead a square of ``size / zoom``
        to ``size`` pixels, scaled up. Of the ``count``, only those in ``share`` are made.
        """
        draws = torch.rand(count, 15, generator=generator, dtype=torch.float64)
        zooms = torch.ones(count, dtype=torch.float64)
        if self.zoom > 1:
            enlarged, amount = torch.rand(2, count, generator=generator, dtype=torch.float64)
            zooms = torch.where(enlarged < ENLARGED, self.zoom**amount, zooms)
        draws, zooms = draws[share], zooms[share]
        places = zip(draws[:, :5].tolist(), zooms.tolist(), strict=True)
        crops = torch.stack([self._crop(size, zoom, *place) for place, zoom in places])
        if not self.vivid:
            return crops
        chosen = torch.rand(count, 1 + tessellation.DRAWS, generator=generator)[share]
        # By their numbers: a mask on a GPU would be waited for.
        numbers = (chosen[:, 0] < TESSELLATED).nonzero()[:, 0]
        if len(numbers):
            where, tiles = sent(numbers, self.device), sent(chosen[numbers, 1:], self.device)
            crops[where] = tessellation.tessellated(crops[where], tiles)
        draws = sent(draws.float(), self.device)
        return _exchanged(_vivid(crops, draws[:, :8]), draws[:, 8:])

    def _crop(
        self, size: int, zoom: float, pick: float, scale: float, x: float, y: float, flip: float
    ) -> Tensor:
        image = self.image(int(pick * len(self)))
        height, width = image.shape[1:]
        short = min(height, width)
        side = round(size * math.exp(scale * math.log(short / size))) if short > size else short
        if zoom > 1:
            side = min(short, round(size / zoom))
        top, left = int(y * (height - side + 1)), int(x * (width - side + 1))
        crop = image[:, top : top + side, left : left + side]
        return _resize(crop.flip(2) if flip < 0.5 else crop, size)

    def centre_crop(self, index: int, size: int) -> Tensor:
        """The largest centred square of an image, float32 ``[3, size, size]``."""
        image = self.image(index)
        height, width = image.shape[1:]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        return _resize(image[:, top : top + side, left : left + side], size)


def _vivid(crops: Tensor, draws: Tensor) -> Tensor:
    """Crops with other colours, or one colour, by draws ``[N, 8]`` in [0, 1].

    Saturation changes by 0.7 to 2.5 and contrast by 0.8 to 1.8 times.
    """
    chosen, saturation, contrast = draws[:, 5:].view(-1, 3, 1, 1, 1).unbind(dim=1)
    gray = crops.mean(dim=1, keepdim=True)
    changed = gray + (crops - gray) * (0.7 + 1.8 * saturation)
    mean = crops.mean(dim=(1, 2, 3), keepdim=True)
    changed = (mean + (changed - mean) * (0.8 + contrast)).clamp(0, 1)
    # Where a crop is replaced, the place that was drawn for it is free to be its colour.
    colour = draws[:, 1:4, None, None].expand_as(crops)
    return torch.where(chosen < 0.5, changed, torch.where(chosen < 0.95, crops, colour))


def _exchanged(crops: Tensor, draws: Tensor) -> Tensor:
    """Crops with colour channels in another order and inverted, by draws ``[N, 7]`` in [0, 1].

    The 48 symmetries of the RGB cube: every colour stays one, and nothing is clipped.
    """
    order, inverted, chosen = draws[..., None, None].split((3, 3, 1), dim=1)
    exchanged = crops.gather(1, order.argsort(dim=1).expand_as(crops))
    exchanged = torch.where(inverted < 0.5, 1 - exchanged, exchanged)
    return torch.where(chosen < EXCHANGED, exchanged, crops)


def _resize(crop: Tensor, size: int) -> Tensor:
    pixels = crop.float().div(255)
    if crop.shape[1] == size:
        return pixels
    resized = F.interpolate(
        pixels[None], size=(size, size), mode="bilinear", antialias=True, align_corners=False
    )
    return resized[0]


def _decode_all(paths: list[Path], label: str) -> Iterator[tuple[Path, Tensor | AdaINError]]:
    def attempt(path: Path) -> Tensor | AdaINError:
        try:
            return decode(path)
        except AdaINError as error:
            return error

    with ThreadPoolExecutor(cores()) as pool:
        images = tqdm(pool.map(attempt, paths), label, len(paths), unit="image", leave=False)
        yield from zip(paths, images, strict=True)
