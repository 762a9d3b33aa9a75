"""No-reference image measures of artefacts: grids, borders, colours, texture in flat areas.

Pictures are ``[N, 3, H, W]``, RGB in [0, 1], and every measure gives one value per picture.
The file for a new measure of that kind; those that need the content are in
`adain.learning.evaluation.structure`, distances from another image in
`adain.learning.evaluation.metrics`.
"""

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from adain.learning.evaluation.structure import gaussian_mean
from adain.learning.tensors import luma

PERIODS = (2, 4, 8)  # in pixels: what upsampling one, two and three times leaves behind
BORDER = 32  # in pixels
CAST_SIGMA = 8.0  # in pixels
# Left, top, right and bottom in 1/512 of the side; see `flat_content`.
PATCHES = ((40, 40, 152, 216), (360, 40, 472, 216), (40, 360, 472, 472))
BAND = PATCHES[-1]


def grid(image: Tensor) -> tuple[Tensor, Tensor]:
    """How far the frequencies of upsampling stand out of the spectrum: checkerboards and grids.

    Of the Hann-windowed luma's power spectrum, smoothed over 3x3 bins, the value at a frequency is
    divided by the median 4 to 16 bins away from it: along x for a pattern of that period along x,
    since edges make the axes of a spectrum strong anyway; along y likewise; all around for a
    pattern along both. Where nothing stands out the ratio is about 1. The noise of rounding to 8
    bits is added to both, so what no file could hold does not count.

    H and W are multiples of 8, and for a meaningful period of 8 at least 256. Returns the ratios
    ``[N, 3, 3]``, for each of PERIODS along x, y and both, and the root mean square ``[N]`` of the
    nine patterns together, after what is expected from the surroundings is taken off.
    """
    height, width = image.shape[2:]
    plane = luma(image.double())
    window = torch.outer(_hann(height, image), _hann(width, image))
    centred = plane - plane.mean(dim=(2, 3), keepdim=True)
    power = torch.fft.fft2(centred * window).abs().square()
    smooth = F.avg_pool2d(F.pad(power, (1, 1, 1, 1), mode="circular"), 3, stride=1)[:, 0]
    energy = window.square().sum()
    smooth = smooth + energy / (12 * 255**2)

    offsets = torch.arange(-16, 17, device=image.device)
    down, right = (o.flatten() for o in torch.meshgrid(offsets, offsets, indexing="ij"))
    away = torch.maximum(down.abs(), right.abs()) >= 4

    def peak(y: int, x: int, chosen: Tensor) -> tuple[Tensor, Tensor]:
        rows, columns = (y + down[chosen]) % height, (x + right[chosen]) % width
        return smooth[:, y % height, x % width], smooth[:, rows, columns].median(dim=1).values

    ratios, excess = [], []
    for period in PERIODS:
        y, x = height // period, width // period
        along_x, along_y = peak(0, x, away & (down == 0)), peak(y, 0, away & (right == 0))
        both = [(a + b) / 2 for a, b in zip(peak(y, x, away), peak(y, -x, away), strict=True)]
        # A real signal's peak is there twice, or four times for both; at half the sampling rate
        # these fall together.
        counts = (1, 1, 1) if period == 2 else (2, 2, 4)
        for (high, around), count in zip((along_x, along_y, both), counts, strict=True):
            ratios.append(high / around)
            excess.append(count * (high - around))
    # Parseval; 9 bins hold all of a windowed sine, which is what the smoothing divided by.
    variance = 9 * torch.stack(excess).sum(dim=0) / (height * width * energy)
    return torch.stack(ratios, dim=1).unflatten(1, (3, 3)), variance.clamp_min(0).sqrt()


def _hann(length: int, like: Tensor) -> Tensor:
    return torch.hann_window(length, periodic=True, dtype=torch.float64, device=like.device)


def border_difference(image: Tensor, width: int = BORDER) -> tuple[Tensor, Tensor]:
    """The frame of ``width`` pixels against the rest of the picture.

    Returns the absolute differences of the channels' means and of their standard deviations, both
    ``[N]``, means over the channels. H and W are more than twice the width.
    """
    inside = torch.zeros(image.shape[2:], dtype=torch.bool, device=image.device)
    inside[width:-width, width:-width] = True
    frame, centre = image[:, :, ~inside], image[:, :, inside]
    return (
        (frame.mean(dim=2) - centre.mean(dim=2)).abs().mean(dim=1),
        (frame.std(dim=2) - centre.std(dim=2)).abs().mean(dim=1),
    )


def lab(image: Tensor) -> Tensor:
    """CIELAB (D65) of sRGB: lightness of [0, 100], a and b, ``[N, 3, H, W]``."""
    linear = torch.where(image <= 0.04045, image / 12.92, ((image + 0.055) / 1.055) ** 2.4)
    # IEC 61966-2-1; the rows sum to the white point, which makes gray exactly gray.
    matrix = torch.tensor(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ],
        dtype=image.dtype,
        device=image.device,
    )
    xyz = torch.einsum("nchw,dc->ndhw", linear, matrix / matrix.sum(dim=1, keepdim=True))
    lightness = torch.where(xyz > 216 / 24389, xyz.pow(1 / 3), (24389 / 27 * xyz + 16) / 116)
    x, y, z = lightness.unbind(dim=1)
    return torch.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), dim=1)


def chroma(image: Tensor) -> Tensor:
    """Mean chroma, the distance from gray in CIELAB (D65): 0 for gray, 104.6 for pure red."""
    _, a, b = lab(image).unbind(dim=1)
    return torch.hypot(a, b).mean(dim=(1, 2))


def colour_cast(image: Tensor, content: Tensor) -> Tensor:
    """Mean colour difference (CIE 1976) after a Gaussian blur of CAST_SIGMA pixels, float64.

    Of an output at strength 0 against its content: how far colours are off where they stand, 0 for
    the content itself, 2.3 about where one begins to see it. The blur, of RGB as it is, leaves out
    lost detail, which SSIM and PSNR count.
    """
    local, of_content = (
        lab(gaussian_mean(picture.double(), CAST_SIGMA)) for picture in (image, content)
    )
    return (local - of_content).square().sum(dim=1).sqrt().mean(dim=(1, 2))


def deviation(image: Tensor) -> Tensor:
    """Standard deviation over the picture, the mean over the channels."""
    return image.std(dim=(2, 3), correction=0).mean(dim=1)


def colour_distance(image: Tensor, colour: Sequence[float]) -> Tensor:
    """Mean absolute difference, over the channels, of the picture's mean colour and a colour."""
    mean = image.mean(dim=(2, 3))
    return (mean - mean.new_tensor(list(colour))).abs().mean(dim=1)


def flat_content(size: int) -> Tensor:
    """A drawn content ``[1, 3, size, size]``: three flat areas, and rings of every width between.

    Of 512: a dark patch of 192x256 at the upper left, a light one at the upper right, and below a
    band as wide as the picture and 192 high. PATCHES are their insides, 40 away from any edge.
    """
    y, x = torch.meshgrid(*2 * [(torch.arange(size) + 0.5) * 512 / size], indexing="ij")
    squared = (x - 256).square() + (y - 160).square()
    # Down to a period of 4 pixels at 512.
    rings = 0.5 + 0.5 * torch.cos(squared / torch.tensor([400.0, 480.0, 560.0]).view(3, 1, 1))
    top = y < 256
    image = torch.where(top & (x < 192), _colour(50, 70, 100), rings)
    image = torch.where(top & (x >= 320), _colour(225, 215, 190), image)
    return torch.where(y >= 320, _colour(140, 150, 100), image)[None]


def _colour(*levels: int) -> Tensor:
    return torch.tensor(levels).view(3, 1, 1) / 255


def crop(image: Tensor, box: Sequence[int]) -> Tensor:
    """A box of PATCHES out of a picture of any size."""
    size = image.shape[-1]
    left, top, right, bottom = (edge * size // 512 for edge in box)
    return image[:, :, top:bottom, left:right]


def weave(image: Tensor) -> Tensor:
    """Texture in the flat areas of a stylised `flat_content`.

    The standard deviation inside PATCHES, the mean over them, of what a Gaussian blur of sigma 4
    pixels takes away: at least 70 % of every pattern with a period of at most 16 pixels.
    """
    fine = image - cast(Tensor, gaussian_blur(image, [25, 25], [4.0, 4.0]))
    return torch.stack([deviation(crop(fine, box)) for box in PATCHES]).mean(dim=0)


def drift(image: Tensor) -> Tensor:
    """Colour drift along the band of a stylised `flat_content`.

    The absolute difference of the mean colours of its left and right quarter, the mean over the
    channels.
    """
    band = crop(image, BAND)
    quarter = band.shape[3] // 4
    left, right = band[..., :quarter].mean(dim=(2, 3)), band[..., -quarter:].mean(dim=(2, 3))
    return (left - right).abs().mean(dim=1)
