"""Training in several processes: torchrun, two of them, on the CPU over gloo."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from adain.images import save_image

pytestmark = pytest.mark.usefixtures("vgg19_weights")
OPTIONS = ["--crop", "64", "--batch-size", "4", "--reconstruction-steps", "2"]
OPTIONS += ["--device", "cpu", "--precision", "fp32"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    content, style = tmp_path_factory.mktemp("content"), tmp_path_factory.mktemp("style")
    generator = np.random.default_rng(0)
    for folder in (content, style):
        for number in range(6):
            coarse = generator.random((6, 8, 3)).astype(np.float32)
            save_image(coarse.repeat(16, axis=0).repeat(12, axis=1), folder / f"{number}.png")
    return [str(content), str(style)]


def command(processes: int, *arguments: str, program: Path | None = None) -> list[str]:
    launch = [sys.executable]
    if processes > 1:
        launch += ["-m", "torch.distributed.run", "--standalone"]
        launch += ["--nproc-per-node", str(processes)]
    if program is not None:
        return [*launch, str(program), *arguments]
    return [*launch, "-m", "adain", "train", *arguments]


def environment() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1"}


def run(
    processes: int, *arguments: str, program: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(processes, *arguments, program=program),
        capture_output=True,
        text=True,
        timeout=300,
        env=environment(),
        check=False,
    )


def checkpoint(run_dir: Path) -> dict[str, torch.Tensor]:
    return torch.load(run_dir / "checkpoint.pt", weights_only=True)["trained"]  # type: ignore[no-any-return]


def losses(run_dir: Path) -> list[list[float]]:
    lines = [json.loads(line) for line in (run_dir / "log.jsonl").read_text().splitlines()]
    return [[line[name] for name in ("pixel", "target", "style", "total")] for line in lines[-1:]]


@pytest.mark.parametrize("model", ["fast", "vgg19"])
def test_two_processes_match_one(folders: list[str], tmp_path: Path, model: str) -> None:
    for processes in (1, 2):
        arguments = [*folders, "-o", str(tmp_path / str(processes)), *OPTIONS]
        done = run(processes, *arguments, "--model", model, "--steps", "5")
        assert done.returncode == 0, done.stderr
    one, two = (checkpoint(tmp_path / name) for name in ("1", "2"))
    for name, tensor in one.items():
        # Muon computes in bfloat16, which doubles a difference in the last digit now and then.
        torch.testing.assert_close(two[name], tensor, atol=2e-4, rtol=0, msg=name)
    np.testing.assert_allclose(losses(tmp_path / "2"), losses(tmp_path / "1"), rtol=2e-3)


# Trains as the command does, and names the threads that are left.
THREADS_LEFT = """
import sys
from pathlib import Path
from adain.cli.run import run
from adain.cli.train import train
status = run(train, sys.argv[1:])
for thread in Path("/proc/self/task").iterdir():
    print("left:", (thread / "comm").read_text().strip(), flush=True)
sys.exit(status)
"""


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="no /proc here")
def test_no_thread_of_the_process_group_outlives_it(folders: list[str], tmp_path: Path) -> None:
    """One that did would now and then end the process by SIGABRT, with all its work done."""
    program = tmp_path / "threads_left.py"
    program.write_text(THREADS_LEFT)
    arguments = [*folders, "-o", str(tmp_path / "run"), *OPTIONS, "--steps", "3"]
    done = run(2, *arguments, program=program)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("left: ") >= 2
    assert "gloo" not in done.stdout


def test_a_killed_process_ends_the_run_which_then_goes_on(
    folders: list[str], tmp_path: Path
) -> None:
    arguments = [*folders, "-o", str(tmp_path), *OPTIONS, "--steps", "12"]
    arguments += ["--checkpoint-minutes", "0"]
    with subprocess.Popen(
        command(2, *arguments), stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        end = time.monotonic() + 180
        while not (tmp_path / "checkpoint.pt").exists():
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.05)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(children[-1]), signal.SIGKILL)
        said = process.communicate(timeout=600)[1]
    assert process.returncode != 0
    assert "Signal 9 (SIGKILL)" in said, said[-2000:]
    stopped = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"]
    assert 0 < stopped < 12
    done = run(2, *arguments)
    assert done.returncode == 0, done.stderr
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 12


def test_a_batch_that_cannot_be_shared(folders: list[str], tmp_path: Path) -> None:
    arguments = [*folders, "-o", str(tmp_path), *OPTIONS, "--batch-size", "3", "--steps", "1"]
    done = run(2, *arguments)
    assert done.returncode != 0
    assert "batch_size: found 3; allowed: a multiple of the 2 processes" in done.stderr
