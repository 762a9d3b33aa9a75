"""The files of `deploy/`: what they set is there, and nginx serves the server below a path."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("prometheus_client")
pytest.importorskip("uvicorn")

import httpx
from serving import PATIENCE, ROOT, SERVICE, TINY, Demo, picture, serving

from adain.cli.main import cli
from adain.cli.serve import serve
from tools.browser import free_port

DEPLOY = ROOT / "deploy"
NGINX = """
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_buffer_size 10m; # nginx lays down its rights, and could write no file here
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        {location}
    }}
}}
"""


def test_every_variable_is_an_option() -> None:
    options = {f"ADAIN_SERVE_{parameter.name.upper()}" for parameter in serve.params}
    found = set()
    for path in DEPLOY.rglob("*"):
        if path.is_file():
            found |= set(re.findall(r"ADAIN_[A-Z_]+", path.read_text(encoding="utf-8")))
    assert found and found <= options


@pytest.mark.parametrize(
    "command",
    [
        "hadolint deploy/Dockerfile",
        "kubernetes-validate --strict deploy/kubernetes/adain.yaml",
        "check-jsonschema --builtin-schema vendor.compose-spec deploy/compose.yaml",
        "check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/publish.yml",
    ],
    ids=lambda command: command.split()[-1],
)
def test_what_checks_such_files_finds_nothing(command: str) -> None:
    name, *arguments = command.split()
    tool = shutil.which(name, path=f"{sys.prefix}/bin:{os.environ['PATH']}")
    if tool is None:
        pytest.skip(f"no {name}: `pip install 'adain[deploy]'` brings it")
    done = subprocess.run([tool, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_copied_into_the_image_is_there() -> None:
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    for line in lines:
        if line.startswith("!"):
            assert (ROOT / line[1:]).exists(), line


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd on this machine")
def test_the_unit_is_sound(tmp_path: Path) -> None:
    unit = tmp_path / "adain.service"
    text = (DEPLOY / "adain.service").read_text(encoding="utf-8")
    unit.write_text(text.replace("/opt/adain/bin/adain", "/bin/true"), encoding="utf-8")
    command = ["systemd-analyze", "verify", "--man=no", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == "" and done.returncode == 0


def test_options_from_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    users = tmp_path / "users"
    users.write_text("# who\nzoë:pass word\nb:c\n", encoding="utf-8")
    variables = {"ADAIN_SERVE_AUTH_FILE": str(users), "ADAIN_SERVE_MAX_UPLOAD": "1MB"}
    with serving(program=SERVICE, **variables) as server:
        for name, password, status in (("zoë", "pass word", 200), ("b", "c", 200), ("b", "", 401)):
            auth = httpx.BasicAuth(name.encode(), password.encode())
            with server.client(auth=auth) as client:
                assert client.get("/v1/models").status_code == status
        with server.client(auth=("b", "c")) as client:
            files = {"file": ("a.png", picture() + bytes(1_000_000))}
            assert client.post("/v1/styles", files=files).status_code == 413
    monkeypatch.setenv("ADAIN_VERSION", "1")
    monkeypatch.setenv("ADAIN_STYLIZE_ALPHA", "0.5")
    context = cli.make_context("adain", ["stylize", "--help"], resilient_parsing=True)
    assert context.auto_envvar_prefix == "ADAIN"


@pytest.fixture(params=[SERVICE, TINY], ids=["service", "page"])
def behind(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Demo, str]]:
    """A server, and its address by way of nginx with our example."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if nginx is None:
        pytest.skip("no nginx on this machine")
    port = free_port()
    with serving("--trusted-proxies", "127.0.0.1", program=request.param) as demo:
        location = (DEPLOY / "nginx/adain.conf").read_text(encoding="utf-8")
        location = location.replace("http://127.0.0.1:7860/", f"{demo.address}/")
        conf = tmp_path / "nginx.conf"
        conf.write_text(NGINX.format(folder=tmp_path, port=port, location=location))
        process = subprocess.Popen([nginx, "-c", str(conf), "-p", str(tmp_path)])
        try:
            yield demo, f"http://localhost:{port}"
        finally:
            process.terminate()
            process.wait(PATIENCE)


def answered(address: str) -> httpx.Response:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return httpx.get(address, trust_env=False, follow_redirects=True, timeout=PATIENCE)
        except httpx.ConnectError:  # nginx begins
            assert time.monotonic() < until
            time.sleep(0.05)


def test_nginx_serves_it_below_a_path(behind: tuple[Demo, str]) -> None:
    demo, address = behind
    assert answered(f"{address}/adain/readyz").json() == {"status": "ready"}
    docs = answered(f"{address}/adain/v1/docs")
    assert f"{address}/adain/v1/stylize" in docs.text
    front = answered(f"{address}/adain")
    assert front.status_code == 200
    files = {"content": ("a.png", picture()), "style": ("b.png", picture())}
    made = httpx.post(f"{address}/adain/v1/stylize", files=files, trust_env=False, timeout=PATIENCE)
    assert made.status_code == 200
    if demo.process.args[1] == TINY[0]:  # type: ignore[index]
        assert str(front.url) == f"{address}/adain/"
        config = answered(f"{address}/adain/config").json()
        assert config["root"] == f"{address}/adain"
        links = dict(
            re.findall(r'<link rel="(icon|stylesheet)" href="(\./web/[^"]+)">', front.text)
        )
        assert links.keys() == {"icon", "stylesheet"}
        for link in links.values():
            assert answered(f"{address}/adain/{link}").status_code == 200, link
    else:
        assert str(front.url) == f"{address}/adain/v1/docs"
