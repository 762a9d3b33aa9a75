"""The loss network as published, and rounded for a journey."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from safetensors.torch import save_file

from adain.errors import AdaINError
from adain.learning.models.loss_network import load_loss_network, write_rounded


@pytest.mark.usefixtures("vgg19_weights")
def test_the_rounded_network_is_that_of_bfloat16(tmp_path: Path) -> None:
    size = write_rounded(tmp_path / "vgg.safetensors")
    assert size == (tmp_path / "vgg.safetensors").stat().st_size < 7.2e6
    published, rounded = load_loss_network(), load_loss_network(tmp_path / "vgg.safetensors")
    pairs = zip(published.named_parameters(), rounded.parameters(), strict=True)
    for (name, ours), theirs in pairs:
        assert theirs.dtype == torch.float32
        assert torch.equal(ours.bfloat16(), theirs.bfloat16()), name
        assert not theirs.requires_grad


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "vgg.safetensors"
    allowed = "allowed: a vgg19-rounded.safetensors, as `adain pack --vgg`"
    with pytest.raises(AdaINError, match=f"found no readable file .*{allowed}"):
        load_loss_network(path)
    save_file({"stages.0.0.weight": torch.zeros(1)}, path)
    with pytest.raises(AdaINError, match=f"found another file; {allowed}"):
        load_loss_network(path)
