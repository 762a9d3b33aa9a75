"""VGG-19, layer by layer, against AdaIN's encoder."""

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")


from waves import random

from adain.learning.models import vgg
from adain.learning.models.networks import VGG19Encoder
from adain.learning.models.pretrained import load_vgg19_encoder


@torch.inference_mode()
def test_the_layers_are_those_of_adains_encoder(vgg19_weights: object) -> None:
    network = vgg.load_vgg19_layers()
    image, encoder = random(1, 3, 48, 64).float(), load_vgg19_encoder()
    assert isinstance(encoder, VGG19Encoder)
    seen = network(image, ["relu1_1", "relu2_1", "relu3_1", "relu4_1"])
    for ours, theirs in zip(seen.values(), encoder.relu_features(image), strict=True):
        assert torch.equal(ours, theirs)
