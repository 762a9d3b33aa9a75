"""How far networks reach, against what the registry says and tiles take for granted."""

import pytest

pytest.importorskip("torch", reason="the learning side needs PyTorch")

from adain import footprint, registry
from adain.learning.models.fast import Fast
from adain.learning.models.networks import VGG19, PaperDecoder
from adain.learning.models.receptive_field import reaches

NETWORKS = {"fast": Fast, "vgg19": VGG19, "paper": lambda: VGG19(PaperDecoder())}


@pytest.mark.slow
@pytest.mark.parametrize("model", registry.BUILT_IN)
def test_the_registry_says_how_far_networks_reach(model):
    encoder, both = footprint.reach(registry.BUILT_IN[model])
    assert (encoder, both - encoder) == reaches(NETWORKS[model]())
