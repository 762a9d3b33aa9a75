"""What `adain doctor` finds: on a machine that works, and where a part is missing or broken."""

import re
import subprocess
import sys

import onnxruntime

from adain import __version__, contract, weights
from adain.cli.main import cli
from adain.cli.run import run


def test_a_machine_that_works(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("ADAIN_WEIGHTS", raising=False)
    assert run(cli, ["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"adain {__version__}, Python 3.")
    assert f"adain[cpu]: onnxruntime {onnxruntime.__version__}" in lines
    assert "cpu: runs" in lines
    assert "ORT_DISABLE_TELEMETRY=1" in "".join(lines)
    (fast,) = (line for line in lines if line.startswith("fast: "))
    assert re.fullmatch(r"fast: 512 x 512 pixels in \d+\.\d\d s on \S+ \(.*fp32.*\)", fast)
    assert "vgg19: not here; `adain models get vgg19` gets it" in lines
    assert not any("test" in line.split(":")[0] for line in lines)


def test_a_broken_file_is_named(monkeypatch, tmp_path, capsys):
    broken = tmp_path / weights.onnx_file("fast", contract.ENCODER)
    broken.write_bytes(b"no network")
    monkeypatch.setenv("ADAIN_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert run(cli, ["doctor"]) == 1
    found = capsys.readouterr().out
    assert f"fast: {broken}: found a file that ONNX Runtime cannot open" in found


def test_without_onnx_runtime():
    code = "import sys; sys.modules['onnxruntime'] = None; from adain.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "doctor"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and not done.stderr
    assert "pip install 'adain[cpu]'" in done.stdout.splitlines()[-1]


def test_a_home_is_not_told(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ADAIN_WEIGHTS", str(tmp_path / "models"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert run(cli, ["doctor"]) == 0
    output = capsys.readouterr().out
    assert "searched: ~/models, " in output and output.count(str(tmp_path)) == 0
