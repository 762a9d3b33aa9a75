"""The device that is meant, and the precision training takes, by rates that stand in."""

from collections.abc import Iterator

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from adain.learning import devices
from adain.learning.devices import bf16_pays, matrix_peak, training_dtype

CPU = torch.device("cpu")


@pytest.fixture(params=[0.003, 1.1, 2.0])
def advantage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[float]:
    """How many times as fast as float32 bfloat16 is, on processors without it, or with it."""
    ratio: float = request.param

    def rate(device: torch.device, dtype: torch.dtype, side: int, seconds: float) -> float:
        return 1e11 * (ratio if dtype == torch.bfloat16 else 1.0)

    monkeypatch.setattr(devices, "_rate", rate)
    bf16_pays.cache_clear()
    yield ratio
    bf16_pays.cache_clear()


def test_auto_is_bf16_where_that_is_faster(advantage: float) -> None:
    expected = torch.bfloat16 if advantage == 2.0 else torch.float32
    assert training_dtype("auto", CPU) == expected
    # What is asked for is given, slow or not.
    assert training_dtype("bf16", CPU) == torch.bfloat16
    assert training_dtype("fp32", CPU) == torch.float32


def test_the_peak_of_a_matrix_product() -> None:
    assert matrix_peak(CPU, torch.float32, 0.0) > 1e8
