"""Amounts as people write them: 20MB, 2 GiB, 40M."""

import re

from adain.errors import checked_integer, found_error


def parsed_amount(text: str, unit: str = "") -> float | None:
    """A number with a prefix and perhaps a unit: "2GB" is 2e9, "2GiB" is 2 * 2**30, "40M" is 4e7.

    ``unit``, such as "b", may follow the prefix or be left out; case does not matter. None for
    text of another form; infinity for more than a float can hold.
    """
    suffix = f"(?:{re.escape(unit)})?" if unit else ""
    form = rf"([0-9]+(?:\.[0-9]+)?) ?(?:([kmgt])(i?))?{suffix}"
    match = re.fullmatch(form, text.strip().lower())
    if match is None:
        return None
    power = " kmgt".index(match[2] or " ")
    return float(match[1]) * (1024.0 if match[3] else 1000.0) ** power


def memory_in_bytes(value: int | str) -> int:
    """``memory_limit`` as a number of bytes: "2GB" is 2e9, "2GiB" is 2 * 2**30."""
    if not isinstance(value, str):
        size: float = checked_integer("memory_limit", value, 1)
    else:
        size = parsed_amount(value, "b") or 0
        if size < 1:
            allowed = 'bytes, or text such as "500MB" or "2GB"'
            raise found_error("memory_limit", repr(value)[:80], allowed)
    return int(min(size, 2**63 - 1))  # more is no limit
