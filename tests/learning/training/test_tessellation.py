"""Crops redrawn as mosaics and walls."""

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from torch import Tensor

from adain.learning.training.tessellation import DRAWS, tessellated

# In the order of the draws: a lattice that is neither turned nor disturbed, with wide black joints.
REGULAR = {
    "count": 0.0, "stretch": 0.0, "upright": 1.0, "turned": 0.0, "angle": 0.5, "bend": 0.0,
    "phase": 0.0, "jitter": 0.0, "uneven": 0.0, "bonded": 1.0, "square": 0.0,
    "joint": 1.0, "softness": 1.0, "tone": 0.0, "shade": 0.0, "texture": 0.0, "seed": 0.5,
}  # fmt: skip


def draws(**changes: float) -> Tensor:
    values = {**REGULAR, **changes}
    assert len(values) == DRAWS
    return torch.tensor([list(values.values())])


def joints(line: Tensor) -> list[int]:
    """The first pixel of each dark run in a line of pixels, but for the border's."""
    dark = line < 0.4
    return [i for i in range(4, len(line) - 4) if dark[i] and not dark[i - 1]]


def test_a_regular_lattice_has_joints_between_its_tiles() -> None:
    """Four tiles to a side, so that joints are a quarter of it apart, in both directions."""
    (picture,) = tessellated(torch.full((1, 3, 96, 96), 0.8), draws())
    for line in (picture[0, 12], picture[0, :, 12]):
        places = joints(line)
        assert len(places) == 3 and places[1] - places[0] == places[2] - places[1] == 24
        assert 24 - 4 <= places[0] < 24
    # Joints are black, and tiles have the crop's colour.
    assert picture.min() < 0.25
    torch.testing.assert_close(picture[:, 12::24, 12::24], torch.full((3, 4, 4), 0.8))


def test_bricks_overlap_those_of_the_row_above() -> None:
    (picture,) = tessellated(torch.full((1, 3, 96, 96), 0.8), draws(bonded=0.0))
    rows = [joints(picture[0, 24 * row + 12]) for row in range(4)]
    assert rows[0] == rows[2] and rows[1] == rows[3]
    # Half a brick of 24 pixels.
    assert {(b - a) % 24 for a, b in zip(rows[0], rows[1], strict=False)} == {12}


def test_tiles_have_one_colour_and_all_together_those_of_the_crop() -> None:
    crop = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(0)) / 2
    crop[:, 0, :, :48] += 0.5
    crop[:, 2, :, 48:] += 0.5
    picture = tessellated(crop, draws(joint=0.0))
    tiles = picture.unfold(2, 24, 24).unfold(3, 24, 24)[..., 6:18, 6:18]
    assert tiles.flatten(4).std(dim=4).max() < 0.01 < crop.std()
    torch.testing.assert_close(
        tiles[:, :, :, :2].mean(dim=(2, 3, 4, 5)), crop[..., :48].mean(dim=(2, 3)),
        atol=0.05, rtol=0,
    )  # fmt: skip
    # As much of the crop's own texture as was drawn, and tiles lighter and darker.
    textured = tessellated(crop, draws(joint=0.0, texture=0.8))
    inner = textured.unfold(2, 24, 24).unfold(3, 24, 24)[..., 6:18, 6:18]
    assert inner.flatten(4).std(dim=4).min() > 0.1
    shaded = tessellated(torch.full((1, 3, 96, 96), 0.5), draws(joint=0.0, shade=1.0))
    assert shaded[0, 0, 12::24, 12::24].std() > 0.03


def test_light_joints_and_wide_ones() -> None:
    crop = torch.full((1, 3, 96, 96), 0.5)
    assert tessellated(crop, draws(tone=1.0)).max() > 0.7
    narrow, wide = (tessellated(crop, draws(joint=joint)) for joint in (0.3, 1.0))
    assert (wide < 0.45).float().mean() > 2 * (narrow < 0.45).float().mean() > 0


def test_of_a_batch_each_crop_has_its_own_tiles() -> None:
    """The same draws give the same picture, in range, whatever else is in the batch."""
    generator = torch.Generator().manual_seed(0)
    crops, values = torch.rand(64, 3, 80, 80, generator=generator), torch.rand(64, DRAWS)
    pictures = tessellated(crops, values)
    assert pictures.shape == crops.shape and pictures.dtype == crops.dtype
    assert pictures.min() >= 0 and pictures.max() <= 1 and pictures.isfinite().all()
    torch.testing.assert_close(tessellated(crops[10:12], values[10:12]), pictures[10:12])
    # Another lattice for the same crop, where the draws differ.
    same = tessellated(crops[:1].expand(64, -1, -1, -1), values)
    assert (same[1:] - same[:1]).abs().flatten(1).mean(dim=1).min() > 0.01
