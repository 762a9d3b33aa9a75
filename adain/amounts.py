"""Amounts as people write them: 20MB, 2 GiB, 40M."""

import re


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
