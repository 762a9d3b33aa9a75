"""``adain serve --engine ray``: the service on a cluster, from the command line."""

import sys
from importlib.util import find_spec

import pytest

pytest.importorskip("fastapi", reason="FastAPI is not installed")
from serving import PATIENCE, SERVICE, picture, serving

from adain.cli.main import cli
from adain.cli.run import run


@pytest.mark.skipif(not find_spec("ray"), reason="Ray is not installed: pip install 'adain[ray]'")
def test_the_service_on_a_cluster_of_its_own():
    options = ("--engine", "ray", "--replicas", "1", "--auth", "ann:secret", "--no-access-log")
    with serving(*options, program=SERVICE, RAY_worker_niceness="0") as running:
        with running.client() as client:
            assert client.get("/v1/photos").status_code == 401
        with running.client(auth=("ann", "secret"), timeout=PATIENCE) as client:
            made = {"content": picture()}
            answer = client.post("/v1/stylize", files=made, data={"style_id": "night"})
            assert answer.status_code == 200 and answer.headers["x-adain-size"] == "64x48"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (("--address", "auto"), "--address: found the engine local; allowed: the engine ray"),
        (("--engine", "ray", "--replicas", "4-1"), "--replicas: found '4-1'; allowed: a number"),
        (("--engine", "ray", "--grpc-port", "9"), "--grpc-port: found the engine ray"),
        (("--engine", "ray"), "the engine ray needs Ray: pip install 'adain[ray]'"),
    ],
)
def test_mistakes_are_told(options, error, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert run(cli, ["serve", *options]) == 2
    assert capsys.readouterr().err.startswith(f"Error: {error}")
