"""Decoders of the paper's form: files as people have them, and the one that is the published."""

import json
from pathlib import Path
from typing import Any

import pytest
from helpers import error_of

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from safetensors.torch import save_file

from adain import weights
from adain.learning.models import decoders
from adain.learning.models.decoders import SHAPES, as_network, read_decoder

State = dict[str, torch.Tensor]


@pytest.fixture
def state() -> State:
    generator = torch.Generator().manual_seed(0)
    return {key: torch.randn(shape, generator=generator) / 50 for key, shape in SHAPES.items()}


@pytest.fixture(scope="session")
def rounded() -> State:
    """The published decoder, its weights rounded to 8 bits; without it the test is skipped."""
    path = weights.look_for("adain-paper-decoder.safetensors")
    if path is None:
        pytest.skip("no adain-paper-decoder.safetensors in ADAIN_WEIGHTS")
    return read_decoder(path)


def saved(folder: Path, state: Any) -> Path:
    torch.save(state, folder / "decoder.pth")
    return folder / "decoder.pth"


def test_what_comes_in_is_what_comes_out(state: State, tmp_path: Path) -> None:
    save_file(state, tmp_path / "decoder.safetensors")
    for path in (saved(tmp_path, state), tmp_path / "decoder.safetensors"):
        read = read_decoder(path)
        assert list(read) == list(SHAPES)
        assert all(torch.equal(read[key], state[key]) for key in SHAPES)


def test_the_network_is_that_of_the_other_program(state: State) -> None:
    # pytorch-AdaIN's own: padding, convolution and activation as layers, saved by their positions.
    layers: list[torch.nn.Module] = []
    for position, upsampled in zip(decoders.POSITIONS, (1, 0, 0, 0, 1, 0, 1, 0, 0), strict=True):
        before, after = state[f"{position}.weight"].shape[1::-1]
        layers += [torch.nn.ReflectionPad2d(1), torch.nn.Conv2d(before, after, 3), torch.nn.ReLU()]
        layers += [torch.nn.UpsamplingNearest2d(scale_factor=2)] * upsampled
    theirs = torch.nn.Sequential(*layers[:-1])
    theirs.load_state_dict(state)
    features = torch.randn(2, 512, 5, 7, generator=torch.Generator().manual_seed(1)).relu()
    with torch.no_grad():
        ours = as_network(state).layers(features)
        torch.testing.assert_close(ours, theirs(features), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: {"state_dict": state},
        lambda state: {"decoder": state, "epoch": 7},
        lambda state: {"model": {"state_dict": state}, "optimizer": {}},
        lambda state: {f"module.{key}": value for key, value in state.items()},
        lambda state: {"state_dict": {f"net.decoder.{k}": v for k, v in state.items()}},
        # A whole model, as its training program keeps it.
        lambda state: (
            {f"decoder.{k}": v for k, v in state.items()} | {"enc_1.0.weight": torch.ones(3)}
        ),
        lambda state: (
            {f"decoder.{k}": v for k, v in state.items()} | {"encoder.28.weight": torch.ones(3)}
        ),
    ],
)
def test_wrappings_and_prefixes(state: State, tmp_path: Path, wrap: Any) -> None:
    read = read_decoder(saved(tmp_path, wrap(state)))
    assert all(torch.equal(read[key], state[key]) for key in SHAPES)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floats(state: State, tmp_path: Path, dtype: torch.dtype) -> None:
    read = read_decoder(saved(tmp_path, {key: value.to(dtype) for key, value in state.items()}))
    assert {tensor.dtype for tensor in read.values()} == {torch.float32}
    torch.testing.assert_close(read["1.weight"], state["1.weight"], atol=1e-2, rtol=1e-2)


def changed(**tensors: Any) -> Any:
    return lambda state: state | {key.replace("_", "."): value for key, value in tensors.items()}


MISTAKES = {
    "no dict": (lambda state: list(state.values()), "a list; allowed: a state dict"),
    "one tensor": (lambda state: state["1.weight"], "a Tensor; allowed: a state dict"),
    "numbers as keys": (lambda state: dict(enumerate(state)), "a dict; allowed: a state dict"),
    "empty": (lambda state: {}, "no 1.weight, 1.bias, 5.weight ... among 0 keys (none)"),
    "a layer less": (
        lambda state: {k: v for k, v in state.items() if not k.startswith("14.")},
        "no 14.weight, 14.bias among 16 keys",
    ),
    "no bias": (
        lambda state: {k: v for k, v in state.items() if k != "28.bias"},
        "no 28.bias among 17 keys",
    ),
    "a layer more": (changed(**{"31_weight": torch.ones(3)}), "another network: 31.weight"),
    "two networks": (
        lambda state: {f"{p}.{k}": v for p in "ab" for k, v in state.items()},
        "2 networks",
    ),
    "shape": (
        changed(**{"1_weight": torch.ones(256, 512, 1, 1)}),
        "1.weight of shape [256, 512, 1, 1]; allowed: shape [256, 512, 3, 3]",
    ),
    "gray": (
        changed(**{"28_weight": torch.ones(1, 64, 3, 3)}),
        "28.weight of shape [1, 64, 3, 3]; allowed: shape [3, 64, 3, 3]",
    ),
    "a number": (changed(**{"5_bias": 1.5}), "5.bias, no dense tensor"),
    "sparse": (changed(**{"5_bias": torch.ones(256).to_sparse()}), "5.bias, no dense tensor"),
    "integers": (
        changed(**{"8_bias": torch.ones(256, dtype=torch.int64)}),
        "8.bias of dtype int64; allowed: float16, bfloat16, float32, float64",
    ),
    "complex": (
        changed(**{"8_bias": torch.ones(256, dtype=torch.complex64)}),
        "8.bias of dtype complex64; allowed: float16",
    ),
    "NaN": (
        changed(**{"25_bias": torch.tensor([float("nan"), float("inf")] + [0.0] * 62)}),
        "25.bias with 2 numbers that are not finite",
    ),
    "too large": (
        changed(**{"25_bias": torch.full((64,), 1e300, dtype=torch.float64)}),
        "25.bias with 64 numbers that are not finite",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_is_refused(state: State, tmp_path: Path, mistake: str) -> None:
    change, words = MISTAKES[mistake]
    path = saved(tmp_path, change(state))
    message = error_of(lambda: read_decoder(path))
    assert message.startswith(f"{path}: found ") and "; allowed: " in message
    assert words in message, message


class Code:
    """What a pickle would run."""

    def __reduce__(self) -> Any:
        return print, ("this was run",)


def test_files_that_are_none(
    state: State, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved(tmp_path, state | {"extra": Code()})
    assert "read as tensors alone" in error_of(lambda: read_decoder(path))
    path.write_bytes(path.read_bytes()[:5000])
    assert "read as tensors alone" in error_of(lambda: read_decoder(path))
    path.write_text("no decoder")
    assert "read as tensors alone" in error_of(lambda: read_decoder(path))
    named = path.rename(tmp_path / "decoder.safetensors")
    assert "read as safetensors" in error_of(lambda: read_decoder(named))
    named = named.rename(tmp_path / "decoder.onnx")
    assert "the suffix '.onnx'; allowed: .pth" in error_of(lambda: read_decoder(named))
    assert "a folder" in error_of(lambda: read_decoder(tmp_path))
    assert "no such file" in error_of(lambda: read_decoder(tmp_path / "none.pth"))
    assert "this was run" not in capsys.readouterr().out


# The published decoder


def verify(state: State) -> None:
    decoders.verify_published(Path("decoder.pth"), state)


def near(state: State, steps: float) -> State:
    """The values moved by as much as ``steps`` of their grids to either side, evenly spread."""
    generator = torch.Generator().manual_seed(1)
    moved = {}
    for key, value in state.items():
        step = (value.max() - value.min()) / 255
        moved[key] = value + steps * step * (2 * torch.rand(value.shape, generator=generator) - 1)
    return moved


def test_the_digest_is_that_of_the_rounded_copy(rounded: State) -> None:
    kept = json.loads(decoders.PUBLISHED.read_bytes())
    assert decoders.digest(rounded) == kept
    # A number for every 16 values at the most: what no weights can be had back from.
    for key, shape in SHAPES.items():
        assert len(kept[key]["sketch"]) <= max(1, torch.Size(shape).numel() // 16)


def test_the_published_decoder_passes(rounded: State) -> None:
    # Each published value lies within half a step of the rounded copy's.
    verify(rounded)
    verify(near(rounded, 0.5))
    verify({key: value.half().float() for key, value in near(rounded, 0.5).items()})


def test_other_decoders_do_not_pass(rounded: State, state: State) -> None:
    refused = "another decoder than the one released with the paper"
    assert refused in error_of(lambda: verify(state))
    assert refused in error_of(lambda: verify(near(rounded, 3)))
    assert refused in error_of(lambda: verify({k: 1.01 * v for k, v in near(rounded, 0.5).items()}))


@pytest.mark.parametrize("key", SHAPES)
def test_one_other_tensor_is_found(rounded: State, key: str) -> None:
    exact = near(rounded, 0.5)
    # Of three values there is one sum, in which less might be lost.
    moved = near(rounded, 30 if key == "28.bias" else 3)[key]
    assert f"({key} is " in error_of(lambda: verify(exact | {key: moved}))
    values = exact[key].clone()
    values[[0, 1]] = values[[1, 0]]
    if values.ndim == 4:  # two channels in each other's place
        assert f"({key} is " in error_of(lambda: verify(exact | {key: values}))
    infinite = exact[key].clone()
    infinite.view(-1)[0] = float("nan")
    assert f"({key} is " in error_of(lambda: verify(exact | {key: infinite}))
