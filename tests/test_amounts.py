"""Amounts as people write them."""

import math

import pytest

from adain.amounts import parsed_amount


@pytest.mark.parametrize(
    ("text", "unit", "amount"),
    [
        ("7", "b", 7),
        (" 2 GB ", "b", 2e9),
        ("2g", "b", 2e9),
        ("1.5GiB", "b", 1.5 * 2**30),
        ("40M", "", 4e7),
        ("1k", "", 1000),
        ("9" * 400, "", math.inf),
    ],
)
def test_amounts(text: str, unit: str, amount: float) -> None:
    assert parsed_amount(text, unit) == amount


@pytest.mark.parametrize(
    ("text", "unit"), [("", ""), ("GB", "b"), ("-1", ""), ("1e9", ""), ("40MB", ""), ("2 GBs", "b")]
)
def test_text_of_another_form(text: str, unit: str) -> None:
    assert parsed_amount(text, unit) is None
