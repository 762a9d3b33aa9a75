"""Each measure on pictures where the thing can be seen, and on pictures where it cannot."""

import math

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from adain.learning.evaluation import (
    measures,
    structure,
)

SIZE = 256
LEVEL = 1 / 255


def coloured(plane: torch.Tensor, colour: tuple[float, ...] = (1, 1, 1)) -> torch.Tensor:
    """A plane ``[SIZE, SIZE]`` as ``[1, 3, SIZE, SIZE]``, its channels multiplied by a colour."""
    return plane * torch.tensor(colour).view(1, 3, 1, 1)


def noise(deviation: float, seed: int = 0) -> torch.Tensor:
    return deviation * torch.randn(1, 3, SIZE, SIZE, generator=torch.manual_seed(seed))


def soft_noise(sigma: float, deviation: float) -> torch.Tensor:
    """Gray noise of one size, as worms and clouds are."""
    soft = structure.gaussian_mean(noise(1)[:, :1], sigma)
    return (deviation * soft / soft.std()).expand(1, 3, SIZE, SIZE)


def down_and_right() -> tuple[torch.Tensor, torch.Tensor]:
    down, right = torch.meshgrid(*2 * [torch.arange(SIZE)], indexing="ij")
    return down, right


def skyline() -> torch.Tensor:
    """A light sky, a little lighter below, over dark houses full of windows."""
    down, right = down_and_right()
    sky = 0.7 + 0.02 * down / SIZE
    windows = 0.2 + 0.2 * ((down // 5 % 2) * (right // 5 % 2))
    return coloured(torch.where(down < 160 + 20 * (right // 64 % 2), sky, windows))


def steps() -> torch.Tensor:
    """A light disc and a light bar on a dark ground: plain steps in every direction."""
    down, right = (axis + 0.5 for axis in down_and_right())
    disc = torch.hypot(down - 100, right - 90) - 55
    # What a pixel covers, about: a stair would have an edge of its own at each tread.
    edges = torch.stack([disc, (right - 200).abs() - 20.25]).amin(dim=0)
    return coloured(0.3 + 0.4 * (0.5 - edges).clamp(0, 1))


def sharpened(image: torch.Tensor, sigma: float, amount: float) -> torch.Tensor:
    return image + amount * (image - structure.gaussian_mean(image, sigma))


def test_a_blur_sees_nothing_beyond_the_mask() -> None:
    image = torch.rand(2, 3, 40, 60, dtype=torch.float64)
    mask = torch.zeros(2, 1, 40, 60, dtype=torch.bool)
    mask[..., 10:30] = True
    alone = structure.gaussian_mean(image[..., 10:30], 4.0)
    torch.testing.assert_close(structure.gaussian_mean(image, 4.0, mask)[..., 10:30], alone)
    constant = torch.full_like(image, 0.3)
    torch.testing.assert_close(structure.gaussian_mean(constant, 8.0), constant)


def test_the_sky_is_flat_and_the_houses_are_not() -> None:
    flat = structure.flat_areas(skyline())
    assert flat.shape == (1, 1, SIZE, SIZE) and flat.dtype == torch.bool
    assert flat[..., :120, :].all()
    assert not flat[..., 150:, :].any()


def test_worms_in_a_sky_are_invented_structure() -> None:
    worms = soft_noise(6, 10 * LEVEL)
    found = structure.invented_structure(skyline() + worms, skyline())
    assert found.shape == (1,)
    assert 6 * LEVEL < found.item() < 10 * LEVEL
    twice = structure.invented_structure(skyline() + 2 * worms, skyline())
    assert twice.item() == pytest.approx(2 * found.item(), rel=0.05)


@pytest.mark.parametrize("change", ["none", "grain", "light", "colour", "contrast", "houses"])
def test_what_invents_nothing(change: str) -> None:
    content, (down, right) = skyline(), down_and_right()
    wave = coloured(torch.cos(2 * math.pi * right / 40))
    image = {
        "none": content,
        "grain": content + noise(5 * LEVEL),
        "light": content + 10 * LEVEL * torch.cos(math.pi * right / SIZE),
        "colour": content * torch.tensor([0.4, 0.7, 1.0]).view(1, 3, 1, 1),
        "contrast": 0.2 + 1.3 * (content - 0.2),
        "houses": torch.where(down < 192, content, content + 0.2 * wave),
    }[change]
    assert structure.invented_structure(image, content).item() < LEVEL


def test_a_content_without_a_flat_area_has_no_invented_structure_to_measure() -> None:
    busy = 0.5 + noise(0.1)
    assert structure.invented_structure(busy, busy).isnan().all()
    both = structure.invented_structure(torch.cat([busy] * 2), torch.cat([busy, skyline()]))
    assert both.isnan().tolist() == [True, False]


@pytest.mark.parametrize("sigma", [2, 4])
def test_a_sharpened_picture_has_halos(sigma: float) -> None:
    found = structure.halo(sharpened(steps(), sigma, 1.0), steps())
    assert found.shape == (1,)
    assert found.item() > 3 * LEVEL
    half = structure.halo(sharpened(steps(), sigma, 0.5), steps())
    assert half.item() == pytest.approx(found.item() / 2, rel=0.05)


def test_a_line_beside_a_contour_is_a_halo() -> None:
    content, (down, right) = steps(), down_and_right()
    distance = torch.hypot(down - 99.5, right - 89.5) - 55
    light = content + 0.2 * ((distance < -3) & (distance > -7))
    assert structure.halo(light, content).item() > 5 * LEVEL
    # The same line, dark: a seam, not an overshoot.
    dark = content - 0.2 * ((distance < -3) & (distance > -7))
    assert structure.halo(dark, content).item() < LEVEL


@pytest.mark.parametrize("change", ["none", "contrast", "negative", "colour", "noise", "blur"])
def test_what_makes_no_halo(change: str) -> None:
    content = steps()
    image = {
        "none": content,
        "contrast": 0.5 + 0.4 * (content - 0.5),
        "negative": 1 - content,
        "colour": content * torch.tensor([0.4, 0.7, 1.0]).view(1, 3, 1, 1),
        "noise": content + noise(6 * LEVEL),
        "blur": structure.gaussian_mean(content, 3.0),
    }[change]
    assert structure.halo(image, content).item() < 0.5 * LEVEL


def test_strokes_that_do_not_follow_the_contours_are_hardly_halos() -> None:
    strokes = soft_noise(3, 12 * LEVEL)
    assert structure.halo(steps() + strokes, steps()).item() < 3 * LEVEL


def test_halos_of_a_negative_are_halos() -> None:
    image = sharpened(steps(), 3, 1.0)
    expected = structure.halo(image, steps()).item()
    assert structure.halo(1 - image, steps()).item() == pytest.approx(expected, rel=1e-3)


def test_a_content_without_plain_edges_has_no_halos_to_measure() -> None:
    found = structure.halo(torch.cat([steps()] * 3), torch.cat([skyline() * 0, noise(1), steps()]))
    assert found.isnan().tolist() == [True, True, False]


@pytest.mark.parametrize("period", [2, 8 / 3, 4, 8])
def test_a_lattice_under_noise_is_found_with_its_size(period: float) -> None:
    down, right = down_and_right()
    wave = torch.cos(2 * math.pi * down / period) * torch.cos(2 * math.pi * right / period)
    for wave_like in (wave, torch.cos(2 * math.pi * right / period)):
        expected = 2 * LEVEL * wave_like.square().mean().sqrt().item()
        found = structure.lattice(0.5 + coloured(2 * LEVEL * wave_like) + noise(6 * LEVEL))
        assert found.item() == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("change", ["flat", "noise", "clouds", "steps", "sharpened", "period 7"])
def test_what_is_no_lattice(change: str) -> None:
    image = {
        "flat": coloured(torch.full((SIZE, SIZE), 0.4)),
        "noise": 0.5 + noise(20 * LEVEL),
        "clouds": 0.5 + soft_noise(3, 20 * LEVEL),
        "steps": steps(),
        "sharpened": sharpened(steps(), 3, 1.0),
        "period 7": coloured(0.5 + 4 * LEVEL * torch.cos(2 * math.pi * down_and_right()[1] / 7)),
    }[change]
    assert structure.lattice(image).item() < 0.5 * LEVEL


def test_the_lattice_of_a_picture_is_its_own() -> None:
    wave = coloured(0.5 + 2 * LEVEL * torch.cos(2 * math.pi * down_and_right()[1] / 8))
    alone = structure.lattice(wave)
    both = structure.lattice(torch.cat([wave, steps()]))
    torch.testing.assert_close(both[:1], alone)
    assert both[1] < both[0] / 2


def test_a_cast_is_seen_and_a_fine_blur_is_not() -> None:
    content = (0.5 + soft_noise(4, 0.1) + noise(0.05)).clamp(0, 1)
    assert measures.colour_cast(content, content).tolist() == [0]
    blurred = structure.gaussian_mean(content, 1.5)
    assert measures.colour_cast(blurred, content).item() < 0.5
    warm = content + torch.tensor([0.03, 0.0, -0.03]).view(1, 3, 1, 1)
    assert measures.colour_cast(warm, content).item() > 3


def test_casts_of_opposite_halves_do_not_cancel() -> None:
    content = coloured(torch.full((SIZE, SIZE), 0.5))
    turn = torch.tensor([0.05, 0.0, -0.05]).view(1, 3, 1, 1)
    sides = torch.where(down_and_right()[1] < SIZE // 2, turn, -turn)
    whole = measures.colour_cast(content + turn, content).item()
    assert measures.colour_cast(content + sides, content).item() == pytest.approx(whole, rel=0.1)


def test_a_cast_is_a_distance_of_cielab() -> None:
    black, white = torch.zeros(1, 3, 32, 48), torch.ones(1, 3, 32, 48)
    assert measures.colour_cast(black, white).item() == pytest.approx(100, abs=1e-3)
    assert measures.lab(white.double())[0, :, 0, 0].tolist() == pytest.approx([100, 0, 0], abs=1e-6)
