"""A Ray cluster on this machine: what its workers make, and what a killed node leaves."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from folder_files import files, put_pictures, stylize
from PIL import Image

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'adain[ray]'")
from ray.cluster_utils import Cluster

from adain.batch.journal import Journal
from adain.batch.listing import jobs
from adain.batch.looks import Mixture
from adain.batch.pipeline import Settings
from adain.batch.ray_engine import RayPipeline, _needs
from adain.batch.ray_worker import Worker
from adain.cli.main import cli
from adain.cli.run import run
from adain.options import StylizeOptions
from tools.browser import free_port

STORE = {"object_store_memory": 80_000_000}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A head with one core, which this process has joined."""
    root = str(Path(__file__).resolve().parents[2])
    with pytest.MonkeyPatch.context() as patch:
        # Workers import what is tested.
        patch.setenv("PYTHONPATH", os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]))
        # By itself it gives them what is left of the cores by whatever else runs here.
        patch.setenv("RAY_worker_niceness", "0")
        cluster = Cluster(True, head_node_args={"num_cpus": 1, "include_dashboard": False, **STORE})
        ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
        yield cluster
        ray.shutdown()
        cluster.shutdown()


@pytest.fixture
def folder(tmp_path: Path, photo: np.ndarray, painting: np.ndarray, monkeypatch) -> Path:
    put_pictures(tmp_path, photo, painting)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_cluster_makes_what_one_machine_makes(cluster, folder, capsys):
    (folder / "photos" / "bad.jpg").write_bytes(b"no picture")
    arguments = ("style.png", "night", "--each-style", "--colours", "matched", "--json")
    arguments += ("-o", "out", "--skip-existing")
    assert stylize("photos", *arguments) == 1
    here = sorted(capsys.readouterr().out.splitlines())
    expected = {name: (folder / "out" / name).read_bytes() for name in files(folder / "out")}
    assert len(expected) == 4
    # Each engine goes on with what the other did.
    shutil.rmtree(folder / "out" / "night")
    assert stylize("photos", *arguments, "--engine", "ray") == 1
    there = sorted(capsys.readouterr().out.splitlines())
    again = [line for line in here if '"status": "failed"' in line or "out/night/" in line]
    assert sorted(line for line in there if "skipped" not in line) == again
    assert {name: (folder / "out" / name).read_bytes() for name in expected} == expected
    assert stylize("photos/**/*.png", *arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["status"] for line in lines] == ["skipped"] * 4


def test_urls_in_place_of_folders(cluster, folder, stylizer, photo, painting, capsys):
    here = folder.as_uri()
    for status in ("2 done, 0 skipped", "0 done, 2 skipped"):
        arguments = ("-o", f"{here}/out", "--engine", "ray", "--skip-existing")
        assert stylize(f"{here}/photos", "style.png", *arguments) == 0
        assert f"{here}/out: {status}" in capsys.readouterr().out
    assert files(folder / "out") == {"a.png", "deep/b.png"}
    made = np.asarray(Image.open(folder / "out/a.png"))
    assert np.array_equal(made, stylizer.stylize(photo, painting))


def test_another_process_joins_by_the_word_auto(cluster, folder):
    command = [sys.executable, "-m", "adain", "stylize", "photos", "style.png", "-o", "out"]
    command += ["--engine", "ray", "--address", "auto"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("out: 2 done, 0 skipped, 0 failed")
    assert files(folder / "out") == {"a.png", "deep/b.png"}


def pipeline(output: Path, style: object, journal: Journal, threads: int = 1) -> RayPipeline:
    mixture = Mixture(Path(), "recipe", [style], StylizeOptions(), auto=False)
    settings = Settings(output, 95, None, skip_existing=False)
    worker = Worker("fast", "cpu", threads=threads)
    return RayPipeline(jobs("photos", output, None, ()), [mixture], journal, settings, worker)


def test_a_killed_node_loses_and_doubles_nothing(cluster, folder, stylizer, photo, painting):
    for number in range(80):
        Image.fromarray(np.roll(photo, number)).save(folder / "photos" / f"{number:02}.png")
    output = folder / "out"
    output.mkdir()
    # What a worker needs the head has not: all of the work is on the node that is killed.
    node = cluster.add_node(num_cpus=2, **STORE)
    journal = Journal(output)
    outcomes = pipeline(output, stylizer.encode_style(painting), journal, threads=2).run()
    first = next(outcomes)
    cluster.remove_node(node, allow_graceful=False)
    other = cluster.add_node(num_cpus=2, **STORE)
    rest = list(outcomes)
    cluster.remove_node(other)
    made = Counter((outcome.kind, str(outcome.result)) for outcome in [first, *rest])
    assert len(made) == 82 and set(made.values()) == {1} and {kind for kind, _ in made} == {"done"}
    assert {name for name in files(output) if not name.endswith(".tmp")} == files(folder / "photos")
    for job in jobs("photos", output, None, ()):
        assert journal.is_done(job.result, job.source, "recipe")
        expected = stylizer.stylize(np.asarray(Image.open(job.source)), painting)
        assert np.array_equal(np.asarray(Image.open(output / job.result)), expected)


def test_a_picture_that_ends_its_workers_is_told(cluster, folder):
    class Fatal:
        """A style that ends whatever process looks at it."""

        def read(self) -> bytes:
            os._exit(1)

    (folder / "photos" / "a.png").unlink()
    (folder / "out").mkdir()
    (outcome,) = pipeline(folder / "out", Fatal(), Journal(folder / "out")).run()
    assert (outcome.kind, outcome.error) == (
        "failed",
        "photos/deep/b.png: its worker ended 3 times",
    )


@pytest.mark.parametrize(
    ("worker", "needs", "count"),
    [
        (Worker("fast"), {"num_cpus": 1, "num_gpus": 1}, 2),
        (Worker("fast", count=7), {"num_cpus": 1, "num_gpus": 1 / 4}, 7),
        (Worker("fast", "cpu", threads=3), {"num_cpus": 3}, 5),
    ],
)
def test_what_workers_ask_a_cluster_with_gpus_for(worker, needs, count, monkeypatch):
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 16.0, "GPU": 2.0})
    opened, asked, workers = _needs(worker)
    assert (opened.device, asked, workers) == (worker.device, needs, count)


def test_what_a_cluster_has_not_is_told_before_the_work(cluster, folder, monkeypatch, capsys):
    many = ("--engine", "ray", "-o", "out/")
    for found, options in {
        "--device: found 'cuda', for a cluster without GPUs": ("--device", "cuda"),
        "--threads: found 99, for a cluster of ": ("--threads", "99"),
        "--workers: found 0; allowed: an integer in 1..": ("--workers", "0"),
    }.items():
        arguments = ["stylize", "photos", "style.png", *many, "--device", "cpu", *options]
        assert run(cli, arguments) == 2
        assert found in capsys.readouterr().err
    assert not files(folder / "out")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    assert stylize("photos", "style.png", *many, "--address", f"127.0.0.1:{free_port()}") == 2
    assert capsys.readouterr().err.startswith("Error: --address: found '127.0.0.1:")
