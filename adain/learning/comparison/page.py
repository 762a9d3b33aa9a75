"""The interactive report, one self-contained HTML file: `report.html`, `report.js` and the data."""

import base64
import html
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean, median
from typing import Any

from PIL import Image

from adain.images.picture import Picture
from adain.learning.comparison.results import MEASURES, Compared

QUALITY = 90  # of the pictures in the page


def iterations_worth(history: Sequence[Mapping[str, float]], loss: float, term: str) -> int | None:
    """The first iteration whose loss is no higher, 1 the first; None where none is."""
    return next((n for n, losses in enumerate(history, 1) if losses[term] <= loss), None)


def middle(counts: Iterable[float | None]) -> float | None:
    """The median, where None is more than any number; None where that is the median."""
    found = median(float("inf") if count is None else count for count in counts)
    return None if found == float("inf") else found


def report_page(compared: Compared) -> str:
    """The page, which needs nothing else."""
    data = json.dumps(page_data(compared), ensure_ascii=False, allow_nan=False)
    template, script = (
        Path(__file__).with_name(name).read_text(encoding="utf-8")
        for name in ("report.html", "report.js")
    )
    count = len(compared.pairs())
    about = (
        f"{count} {'pair' if count == 1 else 'pairs'} of {compared.size} \u00d7 {compared.size}"
        f" pixels, {compared.threads} {'thread' if compared.threads == 1 else 'threads'} on"
        f" {' and '.join(compared.devices).replace('cpu', 'the CPU')}"
    )
    # What ends a script must not stand in one.
    page = template.replace("{script}", script).replace("{about}", html.escape(about))
    page = page.replace("{notes}", html.escape(compared.notes))
    return page.replace("{data}", data.replace("<", "\\u003c"))


def page_data(compared: Compared) -> dict[str, Any]:
    """What the page shows, in plain values; pictures are data URIs."""
    pairs = compared.pairs()
    first = next(iter(pairs.values()))
    scopes: list[dict[str, Any]] = []
    for (content, style), results in pairs.items():
        scopes.append(
            {
                "content": content,
                "style": style,
                "figures": {r.key: [r.figures[m.key] for m in MEASURES] for r in results},
                "curves": {
                    r.family: [[p["iterations"], *(p[m.key] for m in MEASURES)] for p in r.curve]
                    for r in results
                    if r.method.alpha is None and r.curve
                },
                "pictures": {r.key: _data_uri(r.picture) for r in results},
            }
        )
    return {
        "measures": [asdict(measure) for measure in MEASURES],
        "methods": [
            {
                "key": r.key,
                "label": r.label,
                "family": r.family,
                "alpha": r.method.alpha,
                "iterations": r.iterations,
            }
            for r in first
        ],
        "pairs": scopes,
        "mean": {
            "figures": _means([scope["figures"] for scope in scopes]),
            "curves": {
                family: list(
                    _means(
                        [dict(enumerate(scope["curves"].get(family, []))) for scope in scopes]
                    ).values()
                )
                for family in scopes[0]["curves"]
            },
        },
        "inputs": {name: _data_uri(picture) for name, picture in compared.images.items()},
        "summary": summary(compared),
    }


def _means(tables: Sequence[Mapping[Any, Sequence[float | None]]]) -> dict[Any, list[float | None]]:
    """Entry by entry, the means of the rows of several tables; None where one has None."""
    return {
        key: [
            None if None in column else fmean(value for value in column if value is not None)
            for column in zip(*(table[key] for table in tables), strict=True)
        ]
        for key in tables[0]
    }


def summary(compared: Compared) -> list[dict[str, Any]]:
    """The headline of each AdaIN model at its largest strength, and of Gatys from AdaIN's picture.

    Medians over the pairs: the seconds of the model, and the iterations and seconds of Gatys from
    the content that it is worth, by Gatys's own loss and by the style part of it (None: more than
    there were); and what the iterations from AdaIN's picture and those from the content are worth
    of each other.
    """
    entries: dict[str, dict[str, list[Any]]] = {}
    labels, limit = {}, 0
    for results in compared.pairs().values():
        history = next(r.history for r in results if r.family == "gatys-from-content" and r.history)
        limit = max(limit, *(r.iterations for r in results if r.family == "gatys-from-content"))
        for result in {r.family: r for r in results if r.method.alpha is not None}.values():
            labels[result.family] = result.label
            entry = entries.setdefault(result.family, defaultdict(list))
            entry["seconds"].append(result.figures["seconds"])
            for term, column in (("total", "gatys_loss"), ("style", "gatys_style")):
                loss = result.figures[column]
                assert loss is not None
                count = iterations_worth(history, loss, term)
                entry[term].append(count)
                entry[f"{term}_seconds"].append(count and history[count - 1]["seconds"])
        for result in results:
            if result.method.start == "adain" and result.history:
                labels[result.family] = f"Gatys from {result.method.model}'s picture"
                reached = iterations_worth(result.history, history[-1]["total"], "total")
                entry = entries.setdefault(result.family, defaultdict(list))
                entry["reached"].append(reached)
                entry["worth"].append(
                    iterations_worth(history, result.history[-1]["total"], "total")
                )
                entry["limit"].append(result.iterations)
    return [
        {"family": family, "label": labels[family], "of": limit}
        | {name: middle(values) for name, values in entry.items()}
        for family, entry in entries.items()
    ]


def summary_lines(compared: Compared) -> list[str]:
    """The headline as text."""
    pairs = len(compared.pairs())
    lines = [f"medians of {pairs} pairs:" if pairs > 1 else "one pair:"]
    for entry in summary(compared):

        def steps(name: str, limit: str, entry: dict[str, Any] = entry) -> str:
            return f"more than {entry[limit]:g}" if entry[name] is None else f"{entry[name]:g}"

        if "seconds" in entry:
            lines.append(
                f"{entry['label']}: {entry['seconds']:.3g} s a picture, worth"
                f" {steps('total', 'of')} iterations of Gatys by the whole loss,"
                f" {steps('style', 'of')} by the style part"
            )
        else:
            lines.append(
                f"{entry['label']}: {entry['limit']:g} iterations are worth"
                f" {steps('worth', 'of')} from the content; the loss of {entry['of']} from the"
                f" content takes {steps('reached', 'limit')}"
            )
    return lines


def _data_uri(picture: Path | Picture) -> str:
    image = picture.to_pil() if isinstance(picture, Picture) else Image.open(picture)
    data = io.BytesIO()
    with image:
        image.convert("RGB").save(data, "JPEG", quality=QUALITY, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode()}"
