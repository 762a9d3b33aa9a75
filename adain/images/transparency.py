"""What a model is shown where a picture is transparent.

What lies under alpha 0 nobody sees, and it is chance: black, white, or what was cut away. A model
has no input for alpha, its convolutions reach across the edge of what is visible, and it takes the
statistics of all pixels. Weights for the statistics, by alpha, would mend only the last, in each
exported file. So the hidden pixels are filled before: the colours around them go on, blurred the
more the farther away (the pull-push of Gortler et al. 1996, "The Lumigraph"). Compositing over
white or black would instead bring a colour into the style that is not in it, and an outline around
what is visible. Visible pixels keep their colours, however faint they are: at strength 0 they are
the content's.
"""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

HIDDEN = 0.5 / 255  # alpha below it is 0 of 255


def filled(rgb: FloatArray, alpha: FloatArray) -> FloatArray:
    """float32 [H, W, 3] with new colours where alpha [H, W] hides the old; itself if none is."""
    hidden = alpha < HIDDEN
    if not hidden.any():
        return rgb
    weight = np.where(hidden, 0, alpha).astype(np.float32)[..., None]
    if not weight.any():
        return np.full_like(rgb, 0.5)
    levels = [(np.where(hidden[..., None], 0, rgb) * weight, weight)]
    while max(levels[-1][1].shape) > 1:
        total, weight = levels[-1]
        levels.append((_halved(total), _halved(weight)))
    total, weight = levels.pop()
    colour: FloatArray = total / weight
    for total, weight in reversed(levels):
        height, width = weight.shape[:2]
        wide = colour.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
        own = np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)
        share = np.minimum(weight, 1)
        colour = own * share + wide * (1 - share)
    result = rgb.copy()
    result[hidden] = np.clip(colour[hidden], 0, 1)
    return result


def _halved(plane: FloatArray) -> FloatArray:
    """Half as many rows and columns, each the sum of two, and the last of an odd number alone."""
    height, width = plane.shape[:2]
    padded = np.pad(plane, ((0, height % 2), (0, width % 2), (0, 0)))
    blocks = padded.reshape(-(-height // 2), 2, -(-width // 2), 2, -1)
    return np.asarray(blocks.sum(axis=(1, 3)), np.float32)
