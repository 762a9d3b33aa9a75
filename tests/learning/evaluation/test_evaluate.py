import csv
import math
import os
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from safetensors.torch import save_file

from adain.cli.evaluate import evaluate as command
from adain.cli.run import run
from adain.learning.evaluation import evaluate
from adain.learning.evaluation.pairs import Pair
from adain.learning.evaluation.scoring import Evaluation, Scorer, Scores
from adain.learning.models.fast import Fast
from adain.learning.models.networks import VGG19Encoder


def test_tables() -> None:
    means = {
        "content itself": Scores(0, 1, 6, 1.4e-3, 1, math.inf, math.inf),
        "paper decoder": Scores(2, 0.5, 0.25, 1e-4, 0.4, 21, 21),
        "fast": Scores(1, 1, 0.5, 5e-5, 0.5, 24.5, 20.75),
    }
    table = evaluate.score_table(means).splitlines()
    assert len({len(line) for line in table}) == 1
    assert cells(table[4]) == "fast 1.000 1.000 0.500 0.050 0.500 24.50 20.75"
    ratios = evaluate.ratio_table(means, "paper decoder").splitlines()
    assert len(ratios) == 3
    assert cells(ratios[2]) == "fast 0.500 2.000 2.000 0.500 1.250 +3.50 -0.25"


def cells(line: str) -> str:
    return " ".join(line.replace("|", " ").split())


def test_csv_holds_every_method_and_pair(tmp_path: Path) -> None:
    pair = Pair(Path("content/hill.png"), Path("style/wave.jpg"))
    scores = Scores(1, 2, 3, 4e-5, 0.5, math.inf, 20)
    path = tmp_path / "scores.csv"
    evaluate.write_csv(path, {"fast": Evaluation([pair], [scores])})
    with path.open() as file:
        (row,) = csv.DictReader(file)
    assert (row["method"], row["content"], row["style"]) == ("fast", "hill", "wave")
    assert float(row["gram_loss"]) == 4e-5
    assert float(row["psnr_own_style"]) == math.inf
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "pairs.csv: not a readable CSV file"),
        ("", "pairs.csv: line 1: found ''; allowed is 'content,style'"),
        ("hill,lake\n", "pairs.csv: line 1: found 'hill,lake'"),
        ("content,style\n", "pairs.csv: found no pair"),
        ("content,style\nhill,hill\nhill\n", "pairs.csv: line 3: found ['hill']"),
        ("content,style\nhill,hill,lake\n", "pairs.csv: line 2: found ['hill', 'hill', 'lake']"),
        ("content,style\nhill,moon\n", "pairs.csv: line 2: no image 'moon' in"),
    ],
)
def test_a_bad_list_is_one_line_and_status_2(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str | None, message: str
) -> None:
    if text is None:
        (folder / "pairs.csv").unlink()
    else:
        (folder / "pairs.csv").write_text(text)
    assert run(command, [str(folder)]) == 2
    assert_one_line(capsys, message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{folder}/nothing"], "nothing: not a folder"),
        (["{folder}/content"], "content: not a folder"),
        (["{folder}", "--pairs", "4"], "pairs: found 4; allowed is 1 to 3"),
        (["{folder}", "--pairs", "many"], "'--pairs': 'many' is not a valid integer"),
        (["{folder}", "--model", "slow"], "found 'slow'; allowed: fast, vgg19 or paper"),
        (["{folder}", "--weights", "slow=a"], "--weights: found 'slow=a'; allowed: fast=FILE, "),
        (["{folder}", "--weights", "fast"], "--weights: found 'fast'; allowed:"),
        (["{folder}", "--model", "fast", "--weights", "fast={folder}/a"], "a: no such file"),
        (["{folder}", "--csv", "{folder}/no/a.csv"], "no folder"),
        (["{folder}", "--csv", "{folder}/pairs.csv"], "pairs.csv: found one of the inputs"),
        (["{folder}", "--csv", "{folder}/style/hill.png"], "hill.png: found one of the inputs"),
        ([], "Missing argument 'EVAL_DIR'"),
    ],
)
def test_a_bad_argument_is_one_line_and_status_2(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert run(command, [argument.format(folder=folder) for argument in arguments]) == 2
    assert_one_line(capsys, message)


def assert_one_line(capsys: pytest.CaptureFixture[str], message: str) -> None:
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("Error: ") and message in printed.err
    assert printed.err.count("\n") == 1


@pytest.fixture
def small(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The arguments for an untrained model, judged at a small size."""

    class SmallScorer(Scorer):
        def __init__(self, vgg: VGG19Encoder) -> None:
            super().__init__(vgg, 64)

    monkeypatch.setattr(evaluate, "Scorer", SmallScorer)
    save_file(Fast().state_dict(), folder / "untrained.safetensors")
    return [str(folder), "--model", "fast", "--weights", f"fast={folder}/untrained.safetensors"]


@pytest.mark.usefixtures("vgg19_weights")
def test_the_command_prints_a_table(
    folder: Path, small: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "scores.csv"
    assert run(command, [*small, "--csv", str(path)]) == 0
    table = capsys.readouterr().out.splitlines()
    assert len(table) == 4
    assert table[2].startswith("| content itself |        0.000 |")
    assert table[3].startswith("| fast ")
    assert len(path.read_text().splitlines()) == 1 + 2 * 3


@pytest.mark.usefixtures("vgg19_weights")
def test_an_unreadable_image_leaves_out_its_pairs(
    folder: Path, small: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "content" / "hill.png").write_bytes(b"no image")
    assert run(command, small) == 0
    said = capsys.readouterr().err.splitlines()[0]
    assert said.startswith("left out: ") and "hill.png: found no known image format" in said
    (folder / "content" / "lake.jpg").write_bytes(b"no image")
    assert run(command, small) == 2
    assert "no pair of readable images: " in capsys.readouterr().err


def test_names_that_are_no_utf_8_are_listed_as_they_are(folder: Path, small: list[str]) -> None:
    name = os.fsdecode(b"caf\xe9")
    (folder / "content" / "hill.png").rename(folder / "content" / f"{name}.png")
    (folder / "pairs.csv").write_bytes(b"content,style\ncaf\xe9,hill\n")
    table = folder / "table.csv"
    assert run(command, [*small, "--csv", str(table)]) == 0
    assert b"fast,caf\xe9,hill" in table.read_bytes()
