"""Pools of crops that VGG-19 has seen: what they hold, and for how long."""

from itertools import pairwise

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from adain.images import save_image
from adain.learning.models.networks import VGG19Encoder
from adain.learning.training.data import ImageStore, find_images
from adain.learning.training.feature_pool import FeaturePool, vgg_features


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ImageStore:
    folder = tmp_path_factory.mktemp("images")
    generator = np.random.default_rng(0)
    for number in range(5):
        save_image(generator.random((80, 96, 3)).astype(np.float32), folder / f"{number}.png")
    return ImageStore(find_images(folder))


@pytest.fixture(scope="module")
def vgg() -> VGG19Encoder:
    torch.manual_seed(0)
    return VGG19Encoder()


def pool(store: ImageStore, vgg: VGG19Encoder, **changes: int) -> FeaturePool:
    return FeaturePool(store, vgg, **{"size": 8, "fresh": 2, "crop": 32, "seed": 3} | changes)


def test_a_step_replaces_the_oldest_crops(store: ImageStore, vgg: VGG19Encoder) -> None:
    crops = pool(store, vgg)
    assert len(crops) == 8
    images = [crops.at(step).image.clone() for step in range(6)]
    for before, after in pairwise(images):
        assert (before != after).flatten(1).any(dim=1).sum() == 2
    # After four steps of two new ones each, none of the first eight is left.
    assert all((first != later).any() for first in images[0] for later in images[4])


def test_what_is_kept_belongs_together(store: ImageStore, vgg: VGG19Encoder) -> None:
    crops = pool(store, vgg)
    for step in range(3):
        kept = crops.at(step)
    expected = vgg_features(vgg, kept.image)
    torch.testing.assert_close(kept.features, expected.features)
    torch.testing.assert_close(kept.statistics, expected.statistics)
    slots = torch.tensor([5, 0])
    batch = kept.at(slots)
    assert torch.equal(batch.image, kept.image[slots])
    torch.testing.assert_close(batch.features, expected.features[slots])
    torch.testing.assert_close(batch.statistics, [s[slots] for s in expected.statistics])


def test_a_pool_depends_on_seed_and_step_alone(store: ImageStore, vgg: VGG19Encoder) -> None:
    walked, jumped, other = pool(store, vgg), pool(store, vgg), pool(store, vgg, seed=4)
    for step in range(8):
        slots = walked.at(step)
    assert torch.equal(slots.image, jumped.at(7).image)
    assert torch.equal(walked.at(3).image, pool(store, vgg).at(3).image)
    assert not torch.equal(jumped.at(7).image, other.at(7).image)
