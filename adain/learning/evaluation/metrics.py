"""Full-reference metrics: a picture against an image of its size, SSIM, PSNR, colours, linearity.

The file for a new metric of that kind. What needs no reference is in
`adain.learning.evaluation.measures`, what compares VGG-19's features in `adain.learning.losses`,
and `adain.learning.evaluation.scoring` applies them to models.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from adain.learning.losses import mean_squared_error, pixel_loss
from adain.learning.tensors import luma

DIRECTIONS = 64  # of `sliced_wasserstein`


def ssim(image: Tensor, reference: Tensor) -> Tensor:
    """Mean structural similarity of the luma of ``[N, 3, H, W]`` in [0, 1], as float64 ``[N]``.

    Wang et al. 2004: an 11x11 Gaussian window, sigma 1.5, K1 = 0.01, K2 = 0.03, and only windows
    that lie wholly inside the image. H and W are at least 11.
    """
    # A variance as the difference of two means loses half of float32's digits where it is small.
    x, y = luma(image.double()), luma(reference.double())
    offsets = torch.arange(-5, 6, dtype=x.dtype, device=x.device)
    kernel = torch.softmax(-offsets.square() / (2 * 1.5**2), dim=0)

    def local_mean(values: Tensor) -> Tensor:
        return F.conv2d(F.conv2d(values, kernel.view(1, 1, 1, 11)), kernel.view(1, 1, 11, 1))

    mean_x, mean_y = local_mean(x), local_mean(y)
    variance_x = local_mean(x * x) - mean_x.square()
    variance_y = local_mean(y * y) - mean_y.square()
    covariance = local_mean(x * y) - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x.square() + mean_y.square() + c1)
    structure = (2 * covariance + c2) / (variance_x + variance_y + c2)
    return (luminance * structure).mean(dim=(1, 2, 3))


def psnr(image: Tensor, reference: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB of ``[N, 3, H, W]`` in [0, 1], ``[N]``; inf where equal."""
    return -10 * mean_squared_error(image, reference).log10()


def share_of_change(image: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """How much of the way from one picture to another a third one has gone, ``[N]``.

    The mean absolute difference of ``image`` from ``start``, divided by that of ``end``: 0 at the
    start, 1 at the end. With the pictures of strengths 0, 0.5 and 1 it is the linearity of the
    strength, about a half where a slider does as much below its middle as above. NaN where
    start and end are the same. All are ``[N, 3, H, W]`` of one size.
    """
    return pixel_loss(image, start) / pixel_loss(end, start)


def sliced_wasserstein(image: Tensor, reference: Tensor) -> Tensor:
    """How far the colours of two pictures ``[N, 3, H, W]`` in [0, 1] are apart, ``[N]``.

    The sliced Wasserstein distance of order 2 of their RGB values (Bonneel et al. 2015, eq. 2): of
    the values along a direction, in order, the mean squared difference; of that, the root of the
    mean over DIRECTIONS directions, which are always the same. 0 says that both have the same
    colours, wherever they stand; all colours moved by a vector v, about ``|v| / sqrt(3)``. The
    pictures have equally many pixels.
    """
    generator = torch.Generator().manual_seed(0)
    directions = torch.randn(DIRECTIONS, 3, generator=generator, dtype=torch.float64)
    directions = F.normalize(directions).to(image.device, image.dtype)

    def in_order(pixels: Tensor) -> Tensor:
        return (directions @ pixels.flatten(2)).sort(dim=2).values

    return (in_order(image) - in_order(reference)).square().mean(dim=(1, 2)).sqrt()
