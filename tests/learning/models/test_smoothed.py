"""Models that are shown smoothed contents beside those that are not."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from adain.errors import AdaINError
from adain.learning.evaluation.scoring import Stylization
from adain.learning.models.pretrained import load_models
from adain.smoothing import smoothed


def test_contents_are_smoothed_and_styles_are_not() -> None:
    models = load_models(["fast"], [], None, smooth=0.5)
    assert list(models) == ["fast", "fast smooth 0.5"]
    picture, style = torch.rand(2, 1, 3, 64, 80, generator=torch.Generator().manual_seed(0))
    picture = 0.4 + 0.1 * picture  # faint enough to be smoothed
    pixels = smoothed(picture[0].permute(1, 2, 0).contiguous().numpy(), 0.5)
    by_hand = torch.from_numpy(np.moveaxis(pixels, 2, 0)[None].copy())
    images = {"content": picture, "smooth": by_hand, "style": style}
    plain, smooth = (Stylization(model, images.__getitem__) for model in models.values())
    with torch.inference_mode():
        found = smooth("content", "style")
        assert torch.equal(found, plain("smooth", "style"))
        assert not torch.allclose(found, plain("content", "style"), atol=0.01)


def test_an_amount_that_is_none_is_refused_before_weights_are_read() -> None:
    with pytest.raises(AdaINError, match=r"^smooth: found 1\.5; allowed: a number from 0"):
        load_models(["fast"], [], None, smooth=1.5)
