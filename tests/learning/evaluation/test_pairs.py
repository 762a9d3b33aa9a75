from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from adain.learning.evaluation.pairs import Pair, read_pairs


def test_pairs_are_found_with_and_without_suffix(folder: Path) -> None:
    content, style = folder / "content", folder / "style"
    assert read_pairs(folder) == [
        Pair(content / "hill.png", style / "hill.png"),
        Pair(content / "hill.png", style / "lake.jpg"),
        Pair(content / "lake.jpg", style / "hill.png"),
    ]


def test_the_list_of_pairs_may_have_another_name(folder: Path) -> None:
    (folder / "ten.csv").write_text("content,style\nlake,lake\n")
    (pair,) = read_pairs(folder, name="ten.csv")
    assert pair == Pair(folder / "content" / "lake.jpg", folder / "style" / "lake.jpg")


def test_fewer_pairs_are_spread_over_the_list(folder: Path) -> None:
    (folder / "pairs.csv").write_text("content,style\n" + 3 * "hill,hill\n" + 3 * "lake,lake\n")
    assert [pair.content.stem for pair in read_pairs(folder, 2)] == ["hill", "lake"]
