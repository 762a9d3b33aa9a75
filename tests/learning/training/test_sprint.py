"""A sprint: training from a packed folder, with PyTorch and little else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from safetensors.torch import load_file, save_file

from adain.images import save_image
from adain.learning.models.fast import Fast
from adain.learning.models.loss_network import ROUNDED_FILE, write_rounded
from adain.learning.models.pretrained import load_trainable
from adain.learning.training.sprint import main

pytestmark = pytest.mark.usefixtures("vgg19_weights")
# As on a machine where these are not installed, and with small held-out pictures.
PROGRAM = """
import sys
for name in ("click", "matplotlib", "onnx", "onnxruntime", "onnxscript", "tensorboard"):
    sys.modules[name] = None
from adain.learning.training import held_out
from adain.learning.training.sprint import main
held_out.HELD_OUT_SIZE = 64
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packed")
    generator = torch.Generator().manual_seed(0)
    for side in ("content", "style"):
        (folder / side).mkdir()
        for number in range(3):
            coarse = torch.rand(6, 8, 3, generator=generator).numpy()
            picture = coarse.repeat(16, axis=0).repeat(12, axis=1)
            save_image(picture, folder / side / f"{number}.png")
    write_rounded(folder / ROUNDED_FILE)
    return folder


def test_a_sprint(packed: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(packed), "-o", str(tmp_path)]
    command += ["--steps", "3", "--crop", "64", "--batch-size", "2", "--device", "cpu"]
    command += ["--reconstruction-steps", "1"]
    # Nor are the published weights there.
    environment = os.environ | {"ADAIN_WEIGHTS": str(tmp_path), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    assert f"{tmp_path / 'vgg19'}: step 3, held-out total " in done.stdout
    files = {path.name for path in (tmp_path / "vgg19").iterdir()}
    assert files == {"weights.safetensors", "log.jsonl", "held_out.png"}
    load_trainable("vgg19", tmp_path / "vgg19" / "weights.safetensors")
    lines = (tmp_path / "vgg19" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [3, 3]


def test_a_sprint_keeps_what_it_starts_from_until_that_is_beaten(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adain.learning.training.held_out.HELD_OUT_SIZE", 64)
    monkeypatch.setattr("adain.learning.training.objective.DEVIATION_CROPS", 2)
    torch.manual_seed(0)
    start = {name: tensor.half() for name, tensor in Fast().state_dict().items()}
    save_file(start, packed / "fast.safetensors")
    # At this rate the weights get worse.
    arguments = [str(packed), "-o", str(tmp_path), "--model", "fast", "--steps", "1"]
    arguments += ["--crop", "64", "--batch-size", "1", "--learning-rate", "10", "--device", "cpu"]
    assert main(arguments) == 0
    kept = load_file(tmp_path / "fast" / "weights.safetensors")
    lines = [json.loads(x) for x in (tmp_path / "fast" / "log.jsonl").read_text().splitlines()]
    held_out = [line for line in lines if line["kind"] == "held_out"]
    assert [line["step"] for line in held_out] == [0, 1]
    assert not held_out[1]["total"] < held_out[0]["total"]
    assert all(torch.equal(kept[name], tensor) for name, tensor in start.items())


def test_a_sprint_is_not_continued(
    packed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "vgg19").mkdir()
    (tmp_path / "vgg19" / "log.jsonl").touch()
    assert main([str(packed), "-o", str(tmp_path)]) == 2
    assert "vgg19: found a run; allowed: a new folder" in capsys.readouterr().err


def test_a_folder_that_is_not_packed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), "-o", str(tmp_path / "out"), "--device", "cpu"]) == 2
    assert "vgg19-rounded.safetensors: found no readable file" in capsys.readouterr().err
