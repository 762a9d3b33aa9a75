"""Seconds of a whole call, side by side, so that a slow moment of the machine hits all alike."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from statistics import median

import numpy as np
from tqdm import tqdm

from adain.providers import reason_of
from benchmarks.pipeline import Pipeline, Pixels, random_pixels
from benchmarks.sides import style_size

ALPHAS = (0.25, 0.5, 0.75)
# AdaINError is a ValueError; torch's lack of memory a RuntimeError.
FAILURES = (RuntimeError, ValueError, MemoryError)


@dataclass
class Times:
    """Seconds of each run: with a style encoded before, and with one encoded anew."""

    cached: list[float] = field(default_factory=list)
    fresh: list[float] = field(default_factory=list)
    failure: str | None = None


def seconds(action: Callable[..., object], *arguments: object) -> float:
    # The threads of the side before go on spinning for a while, and would take this one's cores.
    time.sleep(0.05)
    started = time.perf_counter()
    action(*arguments)
    return time.perf_counter() - started


def encode_and_stylize(pipeline: Pipeline, content: Pixels, style: Pixels) -> Pixels:
    return pipeline.stylize(content, pipeline.encode_style(style))


def measure(pipelines: Mapping[str, Pipeline], size: int, runs: int) -> dict[str, Times]:
    """``runs`` rounds, in each of which every side stylises two new pictures of ``size``.

    A side that fails, for want of memory say, is left out from then on, with the reason.
    """
    picture = random_pixels(np.random.default_rng(size))
    times = {name: Times() for name in pipelines}
    styles = {}
    # The first round warms up.
    for turn in tqdm(range(runs + 1), f"{size} px", unit="round", leave=False):
        first, second, style = picture(size), picture(size), picture(style_size(size))
        for name, pipeline in pipelines.items():
            if times[name].failure is not None:
                continue
            try:
                if name not in styles:
                    styles[name] = pipeline.encode_style(picture(style_size(size)))
                cached = seconds(pipeline.stylize, first, styles[name])
                fresh = seconds(encode_and_stylize, pipeline, second, style)
            except FAILURES as error:
                times[name].failure = reason_of(error)
                continue
            if turn:
                times[name].cached.append(cached)
                times[name].fresh.append(fresh)
    return times


def moving_alpha(
    pipelines: Mapping[str, Pipeline], size: int, runs: int
) -> dict[str, tuple[float, float]]:
    """For each side, the median seconds of another strength of the picture before, and of a pass.

    A pass is a new picture with a style encoded before; its features are then kept. A side that
    fails is left out.
    """
    medians = {}
    for name, pipeline in pipelines.items():
        with suppress(*FAILURES):
            medians[name] = _moving_alpha(pipeline, size, runs)
    return medians


def _moving_alpha(pipeline: Pipeline, size: int, runs: int) -> tuple[float, float]:
    picture = random_pixels(np.random.default_rng(size + 1))
    encoded = pipeline.encode_style(picture(style_size(size)))
    moved, full = [], []
    for turn in range(runs + 1):
        content = picture(size)
        taken = seconds(pipeline.stylize, content, encoded)
        again = seconds(pipeline.stylize, content, encoded, ALPHAS[turn % len(ALPHAS)])
        if turn:
            full.append(taken)
            moved.append(again)
    return median(moved), median(full)
