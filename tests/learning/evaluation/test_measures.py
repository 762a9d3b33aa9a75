import math

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from adain.learning.evaluation import measures
from adain.learning.evaluation.artefacts import GRID_FACTOR

SIZE = 256
LEVEL = 1 / 255


def photo_like() -> torch.Tensor:
    """Noise whose spectrum falls with the frequency, as a photo's does, ``[1, 3, SIZE, SIZE]``."""
    noise = torch.fft.fft2(torch.randn(1, 3, SIZE, SIZE, generator=torch.manual_seed(0)))
    frequency = torch.fft.fftfreq(SIZE)
    falling = 1 / torch.hypot(frequency[:, None], frequency).clamp_min(1 / SIZE)
    image = torch.fft.ifft2(noise * falling).real
    return (0.5 + 0.15 * image / image.std()).clamp(0, 1)


def pattern(period: int, direction: str) -> torch.Tensor:
    """A cosine along x, y or both, ``[SIZE, SIZE]`` in [-1, 1]."""
    wave = torch.cos(2 * math.pi * torch.arange(SIZE) / period)
    down, right = torch.meshgrid(wave, wave, indexing="ij")
    return {"x": right, "y": down, "both": down * right}[direction]


def test_a_photo_has_no_grid() -> None:
    ratios, rms = measures.grid(photo_like())
    assert ratios.shape == (1, 3, 3)
    assert ratios.max() < GRID_FACTOR / 2
    assert rms < LEVEL


@pytest.mark.parametrize("direction", ["x", "y", "both"])
@pytest.mark.parametrize("period", measures.PERIODS)
def test_a_faint_pattern_is_found_where_it_is(period: int, direction: str) -> None:
    added = 4 * LEVEL * pattern(period, direction)
    before, _ = measures.grid(photo_like())
    after, _ = measures.grid((photo_like() + added).clamp(0, 1))
    place = measures.PERIODS.index(period), ("x", "y", "both").index(direction)
    assert after[0, *place] > GRID_FACTOR * before[0, *place].clamp_min(1)
    others = torch.ones(3, 3, dtype=torch.bool)
    others[place] = False
    torch.testing.assert_close(after[0, others], before[0, others], rtol=0.2, atol=0)


@pytest.mark.parametrize("direction", ["x", "y", "both"])
@pytest.mark.parametrize("period", measures.PERIODS)
def test_the_size_of_a_pattern_on_gray_is_its_deviation(period: int, direction: str) -> None:
    wave = 3 * LEVEL * pattern(period, direction)
    _, rms = measures.grid((0.5 + wave).expand(1, 3, SIZE, SIZE))
    assert rms.item() == pytest.approx(wave.square().mean().sqrt().item(), rel=1e-3)


def test_a_checkerboard_is_a_period_of_two_along_both() -> None:
    checks = torch.arange(SIZE)[:, None].add(torch.arange(SIZE)).remainder(2).double()
    ratios, rms = measures.grid(checks.expand(1, 3, SIZE, SIZE))
    assert ratios[0, 0, 2] > 1e6
    assert ratios[0].flatten().topk(2).values[1] == pytest.approx(1)
    assert rms.item() == pytest.approx(0.5, rel=1e-3)


def test_nothing_is_no_grid() -> None:
    ratios, rms = measures.grid(torch.full((2, 3, SIZE, SIZE), 0.3))
    torch.testing.assert_close(ratios, torch.ones(2, 3, 3, dtype=torch.float64))
    assert rms.tolist() == pytest.approx([0, 0], abs=1e-9)


def test_a_frame_differs_from_the_centre() -> None:
    image = torch.full((1, 3, 160, 192), 0.5)
    assert [value.item() for value in measures.border_difference(image)] == [0, 0]
    framed = image.clone()
    framed[:, 0] = 0.8
    framed[:, 0, 32:-32, 32:-32] = 0.5
    mean, deviation = measures.border_difference(framed)
    assert mean.item() == pytest.approx(0.1)
    assert deviation.item() == pytest.approx(0, abs=1e-6)
    rough = image.clone()
    rough[..., ::2, :32] = 0.7
    rough[..., 1::2, :32] = 0.3
    mean, deviation = measures.border_difference(rough)
    assert mean.item() == pytest.approx(0, abs=1e-6)
    assert deviation.item() > 0.05


@pytest.mark.parametrize(
    ("colour", "expected"),
    [
        ((0.0, 0.0, 0.0), 0),
        ((0.4, 0.4, 0.4), 0),
        ((1.0, 1.0, 1.0), 0),
        ((1.0, 0.0, 0.0), 104.55),
        ((0.0, 0.0, 1.0), 133.81),
        ((0.0, 1.0, 0.0), 119.78),
    ],
)
def test_chroma_of_known_colours(colour: tuple[float, ...], expected: float) -> None:
    image = torch.tensor(colour).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    assert measures.chroma(image).item() == pytest.approx(expected, abs=0.05)


def test_deviation_and_colour_distance() -> None:
    image = torch.zeros(1, 3, 4, 4)
    image[:, 0, :2] = 1
    assert measures.deviation(image).item() == pytest.approx(0.5 / 3)
    assert measures.colour_distance(image, (1.0, 0.0, 0.25)).item() == pytest.approx(0.25)


def test_flat_areas_are_flat_and_stay_so_at_any_size() -> None:
    for size in (128, 512):
        image = measures.flat_content(size)
        assert image.shape == (1, 3, size, size)
        assert image.min() >= 0 and image.max() <= 1
        for patch in (measures.crop(image, box) for box in measures.PATCHES):
            assert measures.deviation(patch).item() == pytest.approx(0, abs=1e-6)
    assert measures.weave(image).item() == pytest.approx(0, abs=1e-6)
    assert measures.drift(image).item() == pytest.approx(0, abs=1e-6)


def test_a_weave_is_seen_and_a_slow_change_is_not() -> None:
    image = measures.flat_content(SIZE)
    woven = image + 5 * LEVEL * pattern(4, "both")
    assert measures.weave(woven).item() == pytest.approx(2.5 * LEVEL, rel=0.05)
    slow = image + 20 * LEVEL * pattern(SIZE, "y")
    assert measures.weave(slow).item() < 0.5 * LEVEL


def test_drift_is_the_difference_of_the_quarters() -> None:
    ramp = torch.linspace(0, 1, 512)
    image = measures.flat_content(512) + 0.1 * ramp
    # The band is 432 pixels long, and the middles of its quarters are 324 apart.
    assert measures.drift(image).item() == pytest.approx(0.1 * 324 / 511, rel=1e-4)
    assert measures.weave(image).item() == pytest.approx(0, abs=1e-4)
