import math
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from safetensors.torch import save_file

from adain.cli.artefacts import artefacts as command
from adain.cli.run import run
from adain.learning.evaluation import (
    artefacts,
    measures,
    structure,
)
from adain.learning.evaluation.pairs import read_pairs
from adain.learning.models.fast import Fast


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
    copied = artefacts.survey(lambda content, style, alpha=1.0: image(style), pairs, image, "style")
    assert set(copied.colours) == set(artefacts.COLOURS)
    for deviation, distance in copied.colours.values():
        assert deviation == pytest.approx(0, abs=1e-6)
        assert distance == pytest.approx(0, abs=1e-6)
    assert copied.weave > 0.02
    kept = artefacts.survey(
        lambda content, style, alpha=1.0: image(content), pairs, image, "content"
    )
    assert kept.findings.has_grid == 0
    assert kept.colours["black"][1] > 0.2
    assert kept.weave == pytest.approx(0, abs=1e-6)
    assert kept.drift == pytest.approx(0, abs=1e-6)
    chromas = [measures.chroma(image(pair.content)).item() for pair in pairs]
    assert kept.findings.chroma == pytest.approx(sum(chromas) / 3)


def test_a_cast_and_what_no_content_has_a_place_for(folder: Path) -> None:
    pairs, image = read_pairs(folder), artefacts.images(128)

    def paint(content: artefacts.Key, style: artefacts.Key, alpha: float = 1.0) -> torch.Tensor:
        return torch.lerp(image("gray"), image(content), alpha**2)

    report = artefacts.survey(paint, pairs, image, "gray at strength 0")
    contents = {pair.content: image(pair.content) for pair in pairs}.values()
    casts = [measures.colour_cast(image("gray"), content).item() for content in contents]
    assert report.cast == pytest.approx(sum(casts) / 2)
    assert report.half == pytest.approx(0.25)
    # The contents are noise, without flat areas or plain edges.
    assert math.isnan(report.findings.structure) and math.isnan(report.findings.halo)
    assert report.findings.lattice < 0.02


def test_means_leave_out_contents_without_a_flat_area(folder: Path) -> None:
    def image(key: artefacts.Key) -> torch.Tensor:
        flat = key == artefacts.FLAT or Path(key).stem == "lake"
        return files(artefacts.FLAT if flat else key)

    pairs, files = read_pairs(folder), artefacts.images(256)

    def paint(content: artefacts.Key, style: artefacts.Key, alpha: float = 1.0) -> torch.Tensor:
        return image(content) + 0.05 * waves

    waves = torch.cos(torch.arange(256) * 0.2).expand(1, 3, 256, 256)
    report = artefacts.survey(paint, pairs, image, "waves")
    lake = measures.flat_content(256)
    expected = structure.invented_structure(lake + 0.05 * waves, lake).item()
    assert report.findings.structure == pytest.approx(expected)
    assert expected > 0.01


def test_the_command_prints_four_tables(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artefacts, "SIZE", 128)
    path = folder / "untrained.safetensors"
    save_file(Fast().state_dict(), path)
    arguments = [str(folder), "--pairs", "2", "--model", "fast", "--weights", f"fast={path}"]
    assert run(command, arguments) == 0
    pairs, drawn, colours, flat = capsys.readouterr().out.strip().split("\n\n")
    for table in (pairs, drawn):
        rows = [first(line) for line in table.splitlines()[2:]]
        assert rows == ["content itself", "style itself", "fast"]
    # Noise has no flat areas to draw into.
    cells = [cell.strip() for cell in drawn.splitlines()[2].split("|")]
    assert [cells[2], cells[5], cells[6]] == ["-", "0.0", "-"]
    assert drawn.splitlines()[3].split("|")[6].strip() == "-"
    assert 0 < int(drawn.splitlines()[4].split("|")[6]) < 100
    assert [first(line) for line in colours.splitlines()[2:]] == [
        "fast: deviation",
        "fast: distance",
    ]
    assert [first(line) for line in flat.splitlines()[2:]] == ["style itself", "fast"]
    assert pairs.splitlines()[3].endswith(" 1.00 |")
    for table in (pairs, drawn, colours, flat):
        assert len({len(line) for line in table.splitlines()}) == 1
        assert "nan" not in table


def first(line: str) -> str:
    return line.split("|")[1].strip()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{folder}/nothing"], "nothing: not a folder"),
        (["{folder}", "--pairs", "4"], "pairs: found 4; allowed is 1 to 3"),
        (["{folder}", "--weights", "slow=a"], "--weights: found 'slow=a'; allowed: fast=FILE, "),
        (["{folder}", "--paper-decoder", "{folder}/a"], "a: found no such file"),
    ],
)
def test_a_bad_argument_is_one_line_and_status_2(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    given = [argument.format(folder=folder) for argument in arguments]
    assert run(command, given) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and message in printed.err and printed.err.count("\n") == 1
