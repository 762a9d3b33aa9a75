"""The device that is meant, and the precision training takes, by rates that stand in."""

from collections.abc import Iterator

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from helpers import error_of

from adain.learning import devices
from adain.learning.devices import (
    bf16_pays,
    matrix_peak,
    one_thread,
    torch_device,
    training_dtype,
)

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


def test_one_thread_and_afterwards_as_many_as_before() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_the_peak_of_a_matrix_product() -> None:
    assert matrix_peak(CPU, torch.float32, 0.0) > 1e8


@pytest.mark.parametrize("name", ["gpu", "", "cuda:", "cuda:x", "cpu:0", "meta", "CPU", "xpu"])
def test_a_device_that_is_none_is_one_line(name: str) -> None:
    message = error_of(lambda: torch_device(name))
    assert message == f"device: found {name!r}; allowed: auto, cpu, cuda or cuda:N"


def test_a_gpu_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert "PyTorch sees no CUDA device" in error_of(lambda: torch_device("cuda:3"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert "cuda:N with N below 2" in error_of(lambda: torch_device("cuda:2"))
    assert str(torch_device("cuda:1")) == "cuda:1"


def test_threads_are_no_more_than_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        for allowed, expected in ((4, 3), (2, 2), (1, 1)):
            monkeypatch.setattr(devices, "cores", lambda allowed=allowed: allowed)
            assert torch_device("cpu") == CPU
            assert torch.get_num_threads() == expected
    finally:
        torch.set_num_threads(before)
