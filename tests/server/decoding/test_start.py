"""Processes that read what strangers sent: what of the server they get to know."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from adain.server.decoding.start import start


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process's environment")
@pytest.mark.parametrize("module", ["adain.server.decoding.process", "adain.server.video.process"])
def test_passwords_stay_in_the_server(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADAIN_SERVE_AUTH", "somebody:secret")
    monkeypatch.setenv("ADAIN_DEMO_AUTH", "somebody:secret")
    process, channel = start(module, "at all", folder=tmp_path, variables={"OMP_NUM_THREADS": "1"})
    try:
        while not (told := Path(f"/proc/{process.pid}/environ").read_text().split("\0")[:-1]):
            # Linux has none to show while it still loads the program.
            assert process.poll() is None
        assert "OMP_NUM_THREADS=1" in told and not any("secret" in each for each in told)
        assert Path(f"/proc/{process.pid}/cwd").resolve() == tmp_path
    finally:
        channel.close()
        process.kill()
        process.wait()
