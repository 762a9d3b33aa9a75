"""Ray Serve on this machine: two replicas behind a proxy, and what they share."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from helpers import error_of
from PIL import Image
from serving import PATIENCE, picture, pixels

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'adain[ray]'")
import yaml
from ray import serve

from adain import Stylizer
from adain.server.ray_serve import NAME, build
from tools.browser import free_port

ROOT = Path(__file__).resolve().parents[2]
AUTH = ("ann", "secret")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where a proxy listens, behind it as many replicas as there may be."""
    port = free_port()
    with pytest.MonkeyPatch.context() as patch:
        paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        patch.setenv("PYTHONPATH", os.pathsep.join(paths))
        # By itself it gives them what is left of the cores by whatever else runs here.
        patch.setenv("RAY_worker_niceness", "0")
        ray.init(
            num_cpus=4,
            object_store_memory=80_000_000,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="ERROR",
        )
        given = yaml.safe_load((ROOT / "deploy/ray/serve.yaml").read_text())
        about = given["applications"][0]["args"]
        about |= {"users": [AUTH], "max_upload": 100_000, "replicas": {"least": 2, "most": 2}}
        serve.start(http_options={"host": "127.0.0.1", "port": port})
        serve.run(build(about), name=NAME)
        yield f"http://127.0.0.1:{port}"
        serve.shutdown()
        ray.shutdown()


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=PATIENCE, trust_env=False, auth=AUTH) as client:
        yield client


def test_the_config_file_is_one_that_serve_takes() -> None:
    from ray.serve.schema import ServeDeploySchema

    text = (ROOT / "deploy/ray/serve.yaml").read_text()
    schema = ServeDeploySchema.model_validate(yaml.safe_load(text))
    assert schema.applications[0].import_path == f"{build.__module__}:{build.__name__}"


def test_a_picture_is_what_the_library_makes(client, stylizer: Stylizer) -> None:
    files = {"content": picture(), "style": picture(80, 60, seed=1)}
    answer = client.post("/v1/stylize", files=files)
    assert answer.status_code == 200 and answer.headers["x-adain-size"] == "64x48"
    content, style = (np.asarray(Image.open(io.BytesIO(data))) for data in files.values())
    assert np.abs(pixels(answer.content).astype(int) - stylizer.stylize(content, style)).max() <= 1


def test_health_limits_and_logins_are_the_service_s(client, address) -> None:
    for path in ("/healthz", "/readyz"):
        assert httpx.get(address + path, trust_env=False).status_code == 200
    assert httpx.get(address + "/v1/models", trust_env=False).status_code == 401
    large = client.post("/v1/stylize", files={"content": b"0" * 600_000})
    assert large.status_code == 413 and "allowed" in large.json()["error"]
    video = client.post("/v1/video", files={"content": b"0"})
    assert video.status_code == 501 and "videos are not stylized here" in video.json()["error"]
    assert serve.status().applications[NAME].status == "RUNNING"
    assert serve.status().applications[NAME].deployments["service"].replica_states == {"RUNNING": 2}


def test_replicas_share_styles(client) -> None:
    told = client.post("/v1/styles", files={"file": picture(seed=2)}).json()
    made = {"content": picture()}
    stylized: dict[str, bool] = {}
    for _ in range(200):
        answer = client.post("/v1/stylize", files=made, data={"style_id": told["id"]})
        assert answer.status_code == 200, answer.text
        text = client.get("/metrics").text
        # Of whichever replica answers this.
        process = re.search(r"^process_start_time_seconds (.*)$", text, re.M)
        done = re.search(r'^adain_requests_total\{.*"/v1/stylize",status="200".*$', text, re.M)
        stylized[process[1]] = done is not None
        if len(stylized) == 2 and all(stylized.values()):
            break
    assert len(stylized) == 2 and all(stylized.values())
    unknown = client.post("/v1/stylize", files={"content": picture()}, data={"style_id": "no"})
    assert unknown.status_code == 400 and "style_id: found 'no'" in unknown.json()["error"]


def test_mistakes_of_a_config_are_told() -> None:
    assert error_of(lambda: build({"port": 1})).startswith(
        "args: found 'port'; allowed: access_log"
    )
    message = error_of(lambda: build({"replicas": {"most": "many"}}))
    assert message.startswith("most: found 'many'; allowed: Input should be a valid integer")
