"""VGG-19 as the optimisation sees through it; PyTorch is imported by those who ask for it."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from adain.learning.models import vgg


@pytest.fixture(scope="session")
def network(vgg19_weights: object) -> "vgg.VGG19Layers":
    from adain.learning.models import vgg

    return vgg.load_vgg19_layers()
