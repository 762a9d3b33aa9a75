"""Image measures of structure that the content lacks: invented structure, halos, a lattice.

Pictures are ``[N, 3, H, W]``, RGB in [0, 1]; every measure gives one value per picture, float64
``[N]``, in units of [0, 1], to be multiplied by 255 for levels of 8 bits.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from adain.learning.tensors import luma

# Invented structure, in pixels but for the limit: what counts as flat, and the band that counts.
FLAT_WINDOW = 65
FLAT_DEVIATION = 4 / 255
BAND_SIGMAS = (4.0, 32.0)
FLAT_SHARE = 0.005  # of the picture; less holds no structure of the band, only a piece of it

# Halos: what counts as an edge with a plain side, and where along its normal, in pixels.
EDGE_SIGMA = 1.5
EDGE_STEP = 24 / 255
PLAIN_DEVIATION = 6 / 255
NEAR = (2, 8)
FAR = (10, 16)
CELL = 64
FEWEST_SIDES = 100  # of edges; below these, chance

STRIDE = 8  # in pixels: three times upsampled by two
LATTICE_SIGMA = 4.0  # takes 0.7 % of a period of 8 pixels away
BLOCK = 64  # in pixels


def gaussian_mean(image: Tensor, sigma: float, where: Tensor | None = None) -> Tensor:
    """Gaussian blur as a normalised convolution: the weighted mean of what lies inside.

    Neither outside the picture, nor where the mask is 0, is there anything to blur in: an edge of
    the picture or of the mask is no edge of the result. image: ``[N, C, H, W]``. where:
    ``[N, 1, H, W]`` of 0 and 1, all if None; the mean is 0 where no 1 is in reach.
    """
    down, right = (_gaussian(length, sigma, image) for length in image.shape[2:])
    where = torch.ones_like(image[:, :1]) if where is None else where.to(image.dtype)
    # At these sigmas two products of matrices are quicker than two convolutions.
    weight = down @ where @ right
    return down @ (image * where) @ right / weight.clamp_min(torch.finfo(image.dtype).tiny)


def _gaussian(length: int, sigma: float, like: Tensor) -> Tensor:
    place = torch.arange(length, device=like.device, dtype=like.dtype)
    return torch.exp(-(place[:, None] - place).square() / (2 * sigma**2))


def flat_areas(content: Tensor) -> Tensor:
    """Mask of low local standard deviation, bool ``[N, 1, H, W]``: where the content is flat.

    There its luma deviates by less than FLAT_DEVIATION over a window of FLAT_WINDOW pixels, as far
    as this lies inside the picture.
    """
    plane, reach = luma(content.double()), FLAT_WINDOW // 2

    def local_mean(values: Tensor) -> Tensor:
        # One axis after the other is the same, and quicker.
        for window, padding in (((FLAT_WINDOW, 1), (reach, 0)), ((1, FLAT_WINDOW), (0, reach))):
            values = F.avg_pool2d(values, window, 1, padding, count_include_pad=False)
        return values

    variance = local_mean(plane.square()) - local_mean(plane).square()
    return variance < FLAT_DEVIATION**2


def invented_structure(image: Tensor, content: Tensor) -> Tensor:
    """Band-pass RMS of an output's luma in the flat areas of its content: worms in a sky.

    The difference of Gaussian blurs with BAND_SIGMAS: grain is finer than the band, and light that
    changes over the sky coarser. Both blurs see the flat areas alone. Blurs of the whole picture
    take a contour 32 pixels away for structure: contents themselves then measure 4.0/255 in the
    mean over 12 pairs, and 1.3 as it is here, so this tells better what was drawn from what was
    there. NaN, to be left out of means, for a content of which less than FLAT_SHARE is flat.
    """
    flat = flat_areas(content)
    plane = luma(image.double())
    fine, coarse = (gaussian_mean(plane, sigma, flat) for sigma in BAND_SIGMAS)
    energy = ((fine - coarse).square() * flat).sum(dim=(1, 2, 3))
    count = flat.sum(dim=(1, 2, 3))
    enough = count >= FLAT_SHARE * flat[0].numel()
    return (energy / count.clamp_min(1)).sqrt().where(enough, math.nan)


def halo(image: Tensor, content: Tensor) -> Tensor:
    """Mean overshoot of an output's luma beside the step edges of its content.

    Edges are the maxima, along its direction, of the gradient of the content's luma after a blur of
    EDGE_SIGMA, for steps of at least EDGE_STEP. Of an edge those sides count on which the content
    is plain: it deviates by less than PLAIN_DEVIATION up to 16 pixels away, all of them inside the
    picture, so whatever is there was drawn. The overshoot of a side is the output's mean luma NEAR
    the edge less that FAR from it on the same side, positive away from the other side; which side
    of the output is the lighter one, its own means say, so contrast may change or turn around.

    The overshoots of the light sides, and of the dark ones, are averaged over cells of CELL pixels,
    and the result is the mean of these averages' positive parts, weighted by the number of sides.
    Averaged so, noise and strokes that do not follow the contour nearly cancel: edge by edge,
    styles in place of outputs measured 9.4/255 in the mean over 16 pairs, and the model with the
    most visible halos 11.0; by cells it is 2.0 and 8.0. Averaged over whole pictures, a halo at one
    contour and softness at another would cancel as well. A halo thinner than NEAR is diluted.

    NaN, to be left out of means, for contents with fewer than FEWEST_SIDES such sides.
    """
    pairs = zip(luma(image.double()), luma(content.double()), strict=True)
    return torch.stack([_halo(plane, of_content) for plane, of_content in pairs])


def _halo(plane: Tensor, content: Tensor) -> Tensor:
    """`halo` of one picture; luma ``[1, H, W]`` of both."""
    height, width = content.shape[1:]
    smooth = F.pad(gaussian_mean(content[None], EDGE_SIGMA), (1, 1, 1, 1), mode="replicate")[0, 0]
    right = (smooth[1:-1, 2:] - smooth[1:-1, :-2]) / 2
    down = (smooth[2:, 1:-1] - smooth[:-2, 1:-1]) / 2
    gradient = torch.hypot(right, down)
    # The gradient of a step of 1, blurred, is a Gaussian.
    y, x = torch.nonzero(gradient >= EDGE_STEP / (EDGE_SIGMA * math.sqrt(2 * math.pi))).T
    place, normal = torch.stack((x, y), dim=1), torch.stack((right, down), dim=2)[y, x]
    normal = F.normalize(normal, dim=1)
    beside = _along(gradient[None], place, normal, gradient.new_tensor([-1.0, 1.0]))
    highest = (gradient[y, x] > beside[:, 0]) & (gradient[y, x] >= beside[:, 1])
    place, normal = place[highest], normal[highest]

    steps = torch.arange(NEAR[0], FAR[1] + 1, dtype=plane.dtype, device=plane.device)
    near, far = steps <= NEAR[1], steps >= FAR[0]
    light, dark = (_along(plane, place, normal, sign * steps) for sign in (1, -1))
    turned = torch.sign(light.mean(dim=1) - dark.mean(dim=1))
    cell = place[:, 1] // CELL * math.ceil(width / CELL) + place[:, 0] // CELL
    total, count = plane.new_zeros(()), 0
    for sign, side in ((1, light), (-1, dark)):
        before = _along(content, place, normal, sign * steps[1:])
        end = place + sign * FAR[1] * normal
        inside = ((end >= 0) & (end <= end.new_tensor([width - 1, height - 1]))).all(dim=1)
        variance = (before - before.mean(dim=1, keepdim=True)).square().mean(dim=1)
        chosen = inside & (variance < PLAIN_DEVIATION**2)
        over = sign * turned * (side[:, near].mean(dim=1) - side[:, far].mean(dim=1))
        # The mean of positive parts, each counted as often as its cell has sides, is their sum.
        sums = torch.bincount(cell[chosen], weights=over[chosen])
        total = total + sums.clamp_min(0).sum()
        count += int(chosen.sum())
    return total / count if count >= FEWEST_SIDES else total.new_tensor(math.nan)


def _along(plane: Tensor, place: Tensor, normal: Tensor, steps: Tensor) -> Tensor:
    """A plane ``[1, H, W]`` at steps from places ``[K, 2]`` along their normals: ``[K, steps]``."""
    size = plane.new_tensor([plane.shape[2], plane.shape[1]])
    at = place[:, None] + steps[:, None] * normal[:, None]
    grid = (2 * at + 1) / size - 1
    return F.grid_sample(plane[None], grid[None], padding_mode="border", align_corners=False)[0, 0]


def lattice(image: Tensor) -> Tensor:
    """RMS of the high-passed luma folded at STRIDE: a pattern locked to the network's stride.

    What a Gaussian blur of LATTICE_SIGMA takes away is averaged at each of the STRIDE x STRIDE
    phases. Of a picture without a lattice chance leaves something in that mean: instead of its
    mean square, the mean product of the folds of two different blocks of BLOCK pixels is taken, in
    which only what all blocks share remains, and negative products count as 0. Contents and styles
    may have such a period themselves, and long straight edges along the axes have every period a
    little: measure these too. H and W are at least 2 blocks; what is beyond whole blocks is left
    out.
    """
    plane = luma(image.double())
    rows, columns = (length // BLOCK for length in plane.shape[2:])
    fine = (plane - gaussian_mean(plane, LATTICE_SIGMA))[..., : rows * BLOCK, : columns * BLOCK]
    # To N, blocks along y, repeats along y, phases along y, and the same along x.
    phases = fine.reshape(-1, rows, BLOCK // STRIDE, STRIDE, columns, BLOCK // STRIDE, STRIDE)
    folds = phases.mean(dim=(2, 5)).transpose(2, 3).flatten(1, 2)
    folds = folds - folds.mean(dim=(2, 3), keepdim=True)
    count = rows * columns
    of_sum = folds.sum(dim=1).square().mean(dim=(1, 2))
    with_itself = folds.square().mean(dim=(2, 3)).sum(dim=1)
    return ((of_sum - with_itself) / (count * (count - 1))).clamp_min(0).sqrt()
