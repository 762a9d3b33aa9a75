from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from safetensors.torch import save_file  # noqa: E402

from adain.cli import run  # noqa: E402
from adain.learning import artefacts, measures  # noqa: E402
from adain.learning.fast import Fast  # noqa: E402
from adain.learning.metrics import read_pairs  # noqa: E402


def test_a_faint_checkerboard_is_a_grid_and_the_content_itself_is_none(folder: Path) -> None:
    content = artefacts.images(256)(read_pairs(folder)[0].content)
    assert artefacts.look(content, content).has_grid == 0
    board = torch.arange(256)[:, None].add(torch.arange(256)).remainder(2) / 8
    findings = artefacts.look((0.8 * content + board).clamp(0, 1), content)
    assert findings.has_grid == 1
    assert findings.grid_2 > 20 > 10 > max(findings.grid_4, findings.grid_8)


def test_a_copy_of_the_style_takes_its_colour_and_a_copy_of_the_content_stays_flat(
    folder: Path,
) -> None:
    pairs, image = read_pairs(folder), artefacts.images(256)
    copied = artefacts.survey(lambda content, style: image(style), pairs, image, "style")
    assert set(copied.colours) == set(artefacts.COLOURS)
    for deviation, distance in copied.colours.values():
        assert deviation == pytest.approx(0, abs=1e-6)
        assert distance == pytest.approx(0, abs=1e-6)
    assert copied.weave > 0.02
    kept = artefacts.survey(lambda content, style: image(content), pairs, image, "content")
    assert kept.findings.has_grid == 0
    assert kept.colours["black"][1] > 0.2
    assert kept.weave == pytest.approx(0, abs=1e-6)
    assert kept.drift == pytest.approx(0, abs=1e-6)
    chromas = [measures.chroma(image(pair.content)).item() for pair in pairs]
    assert kept.findings.chroma == pytest.approx(sum(chromas) / 3)


def test_the_command_prints_three_tables(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artefacts, "SIZE", 128)
    path = folder / "untrained.safetensors"
    save_file(Fast().state_dict(), path)
    arguments = [str(folder), "--pairs", "2", "--model", "fast", "--weights", f"fast={path}"]
    assert run(artefacts.artefacts, arguments) == 0
    pairs, colours, flat = capsys.readouterr().out.strip().split("\n\n")
    assert [first(line) for line in pairs.splitlines()[2:]] == [
        "content itself",
        "style itself",
        "fast",
    ]
    assert [first(line) for line in colours.splitlines()[2:]] == [
        "fast: deviation",
        "fast: distance",
    ]
    assert [first(line) for line in flat.splitlines()[2:]] == ["style itself", "fast"]
    assert pairs.splitlines()[3].endswith(" 1.00 |")
    for table in (pairs, colours, flat):
        assert len({len(line) for line in table.splitlines()}) == 1
        assert "nan" not in table


def first(line: str) -> str:
    return line.split("|")[1].strip()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{folder}/nothing"], "nothing: not a folder"),
        (["{folder}", "--pairs", "4"], "pairs: found 4; allowed is 1 to 3"),
        (["{folder}", "--weights", "slow=a"], "--weights: found 'slow=a'; allowed: fast=FILE or"),
        (["{folder}", "--paper-decoder", "{folder}/a"], "a: no such file"),
    ],
)
def test_a_bad_argument_is_one_line_and_status_2(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    given = [argument.format(folder=folder) for argument in arguments]
    assert run(artefacts.artefacts, given) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and message in printed.err and printed.err.count("\n") == 1
