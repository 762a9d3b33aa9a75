"""What is shown of an optimisation beside AdaIN: pictures, losses and one sentence, as HTML."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 480, 300
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 10, 38
TERMS = ("total", "style", "content")


@dataclass(frozen=True)
class Losses:
    """A picture's losses, each with its weight, so that total = content + style; its seconds."""

    content: float
    style: float
    total: float
    seconds: float


@dataclass(frozen=True)
class Progress:
    """An optimisation so far; ``pictures`` are addresses of AdaIN's and of Gatys's.

    ``left``, in seconds, is None while nothing is known of it, and when all is done.
    """

    model: str
    iterations: int
    pictures: Sequence[str | None]
    size: tuple[int, int]
    adain: Losses
    history: Sequence[Losses]
    left: float | None

    @property
    def reached(self) -> int | None:
        """The first iteration whose total is not above AdaIN's."""
        totals = enumerate((losses.total for losses in self.history), 1)
        return next((number for number, total in totals if total <= self.adain.total), None)


def view(progress: Progress) -> str:
    """All of it."""
    return f"""<div class="gatys-pictures">
{_picture(progress, 0, f"AdaIN ({progress.model})", duration(progress.adain.seconds))}
{_picture(progress, 1, "Gatys", _gatys_caption(progress))}
</div>
<progress max="{progress.iterations}" value="{len(progress.history)}" aria-label="Iterations">
</progress>
{_table(progress)}
{plot(progress)}"""


def verdict(progress: Progress, *, from_adain: bool, cancelled: bool) -> str:
    """What the comparison came to, when it is over."""
    done = len(progress.history)
    told = f"Cancelled after {_count(done)} of {progress.iterations}. " if cancelled else ""
    told += f"AdaIN ({progress.model}): {duration(progress.adain.seconds)}."
    if not done:
        return told
    last, reached = progress.history[-1], progress.reached
    if from_adain:
        lower = 100 * (1 - last.total / progress.adain.total)
        made = f"{_count(done)}, {duration(last.seconds)}"
        return f"{told} From its picture, Gatys lowered the total loss by {lower:.0f} % in {made}."
    if reached is None:
        made = f"{_count(done)}, {duration(last.seconds)}"
        return f"{told} Gatys has not reached AdaIN's total loss in {made}."
    seconds = progress.history[reached - 1].seconds
    made = f"{_count(reached)}, {duration(seconds)}"
    return f"{told} Gatys reached AdaIN's total loss after {made}."


def duration(seconds: float) -> str:
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def about(seconds: float) -> str:
    """An estimate."""
    seconds = max(1, round(seconds))
    return f"about {seconds} s" if seconds < 100 else f"about {duration(seconds)}"


def number(value: float, digits: int = 3) -> str:
    """So many digits, and k or M: losses of 0.01 and of ten million stand in one table."""
    size = abs(value)
    for unit, name in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if size >= 0.9995 * unit:
            return f"{_digits(value / unit, digits)}{name}"
    return _digits(value, digits) if size >= 0.01 or not size else f"{value:.1e}"


def _digits(value: float, digits: int) -> str:
    if not value:
        return "0"
    before = math.floor(math.log10(abs(value) * 1.0005)) + 1
    return f"{value:.{max(0, digits - before)}f}"


def _count(iterations: int) -> str:
    return f"{iterations} iteration{'' if iterations == 1 else 's'}"


def _picture(progress: Progress, which: int, name: str, about: str) -> str:
    width, height = progress.size
    source = progress.pictures[which]
    shape = f'style="aspect-ratio: {width} / {height}"'
    shown = f'<img src="{source}" alt="{name}\'s picture" decoding="sync" {shape}>'
    save = ""
    if source is None:
        shown = f'<div class="waiting" {shape}></div>'
    else:
        kind = source.partition(";")[0].rpartition("/")[2].replace("jpeg", "jpg")
        save = f'<a href="{source}" download="{name.split()[0].lower()}.{kind}">Save</a>'
    caption = f"<b>{name}</b><span>{about}</span>{save}"
    return f"<figure>{shown}<figcaption>{caption}</figcaption></figure>"


def _gatys_caption(progress: Progress) -> str:
    if not progress.history:
        return "&nbsp;"
    done, seconds = len(progress.history), duration(progress.history[-1].seconds)
    parts = [f"iteration {done} of {progress.iterations}", seconds]
    if progress.left is not None:
        parts.append(f"{about(progress.left)} left")
    return " · ".join(part.replace(" ", "&nbsp;") for part in parts)


def _table(progress: Progress) -> str:
    heads = "".join(
        f'<th scope="col"><i class="key {term}"></i>{term.capitalize()}</th>' for term in TERMS
    )
    last = progress.history[-1] if progress.history else None
    rows = [("solid", "Gatys", last), ("dashed", f"AdaIN ({progress.model})", progress.adain)]
    body = "".join(
        f'<tr><th scope="row"><i class="key {line}"></i>{name}</th>{_cells(losses)}</tr>'
        for line, name, losses in rows
    )
    return f"<table><thead><tr><th>Loss</th>{heads}</tr></thead><tbody>{body}</tbody></table>"


def _cells(losses: Losses | None) -> str:
    values = ("" if losses is None else number(getattr(losses, term)) for term in TERMS)
    return "".join(f"<td>{value}</td>" for value in values)


def plot(progress: Progress) -> str:
    """The losses by iteration as SVG, on a logarithmic axis; AdaIN's are level, dashed lines."""
    known = [*progress.history, progress.adain]
    values = [getattr(losses, term) for losses in known for term in TERMS]
    # The content itself has no content loss, and no logarithm.
    low, high = _bounds([value for value in values if value > 0])
    span = math.log(high / low)

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - math.log(max(value, low) / low) / span)

    def x(iteration: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * iteration / progress.iterations

    parts = [_grid(y(value), number(value, 1)) for value in _ticks(low, high)]
    parts += [_mark(x(iteration), iteration) for iteration in _steps(progress.iterations)]
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 4}" text-anchor="middle">iteration</text>')
    for term in reversed(TERMS):  # the total above the others
        level = y(getattr(progress.adain, term))
        parts.append(
            f'<line class="{term} adain" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{level:.1f}"'
            f' y2="{level:.1f}"/>'
        )
        points = " ".join(
            f"{x(iteration):.1f},{y(getattr(losses, term)):.1f}"
            for iteration, losses in enumerate(progress.history, 1)
        )
        parts.append(f'<polyline class="{term}" points="{points}"/>')
    if (reached := progress.reached) is not None:
        total = progress.history[reached - 1].total
        parts.append(f'<circle class="reached" cx="{x(reached):.1f}" cy="{y(total):.1f}" r="4.5"/>')
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{_alternative(progress)}">'
        f"{''.join(parts)}</svg>"
    )


def _alternative(progress: Progress) -> str:
    """The plot in words."""
    told = f"Losses by iteration, on a logarithmic axis. AdaIN: {_said(progress.adain)}."
    if progress.history:
        done = len(progress.history)
        told += f" Gatys, iteration {done} of {progress.iterations}: {_said(progress.history[-1])}."
    return told


def _said(losses: Losses) -> str:
    return ", ".join(f"{term} {number(getattr(losses, term))}" for term in TERMS)


def _bounds(values: Sequence[float]) -> tuple[float, float]:
    """Something below and above all values, at least a factor of ten apart."""
    low, high = (min(values), max(values)) if values else (1.0, 10.0)
    slack = max(1.1, math.sqrt(10 * low / high))
    return low / slack, high * slack


def _ticks(low: float, high: float) -> list[float]:
    """Round values of a logarithmic axis: powers of ten, and between them where there is room."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    between = (1, 2, 5) if high / low < 300 else (1,)
    ticks = [step * 10.0**power for power in powers for step in between]
    return [tick for tick in ticks if low <= tick <= high]


def _steps(iterations: int) -> range:
    """About five round iterations, from 0."""
    step = next(s for s in (2, 5, 10, 20, 50, 100) if 6 * s >= iterations)
    return range(0, iterations + 1, step)


def _grid(y: float, label: str) -> str:
    return (
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
    )


def _mark(x: float, iteration: int) -> str:
    y = HEIGHT - BOTTOM
    return (
        f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{y}" y2="{y + 4}"/>'
        f'<text x="{x:.1f}" y="{y + 17}" text-anchor="middle">{iteration}</text>'
    )
