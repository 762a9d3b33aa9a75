"""The painter of frames: styles mixed over time, and what a shot's pictures have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from adain.images import Picture
from adain.images.windows import of_array
from adain.options import StylizeOptions
from adain.recipe import Recipe
from adain.resampling import Box
from adain.smoothing import REACH
from adain.style import Style
from adain.stylizer import Styles, Stylizer
from adain.video.clock import Clock
from adain.video.frames import Frame, Pixels
from adain.video.lost import lost_parts
from adain.video.motion import Motion, MotionFinder
from adain.video.options import VideoOptions, check_changing, exact
from adain.video.steadiness import Steadier

FloatArray = npt.NDArray[np.float32]
# How far the statistics of a shot follow each new frame: about a second of most videos.
_FOLLOW = 0.04


class Seen(NamedTuple):
    """A frame, as flow is found on it, and its motion since the one before.

    ``motion`` is None where a shot begins.
    """

    frame: Frame
    gray: Pixels | None
    motion: Motion | None


class Stylized(NamedTuple):
    """What the networks made of a frame: the ``whole``, or ``patches`` of it.

    ``statistics`` are those of its shot, ``since`` the frames since a whole one.
    """

    seen: Seen
    whole: FloatArray | None
    patches: list[tuple[Box, FloatArray]]
    statistics: FloatArray | None
    since: int


class Painter:
    """Stylizes the frames of one video; each style is encoded once, before the first of them.

    Where frames are steadied, the decoder is told the statistics of the shot, and not those of each
    frame: else colours breathe as things come and go. They follow slowly, for a shot may be long;
    the first frame of a shot is told its own.
    """

    def __init__(
        self,
        stylizer: Stylizer,
        styles: Styles,
        options: StylizeOptions,
        video: VideoOptions,
        clock: Clock | None = None,
    ) -> None:
        """Raises AdaINError for styles that cannot be mixed over time."""
        if video.style_at:
            check_changing(masked=options.masks is not None, colours=options.colours)
        self.shots = 0
        self._stylizer, self._clock = stylizer, clock or Clock()
        self._finder = MotionFinder() if video.steady > 0 else None
        self._steadier = Steadier(video.steady) if video.steady > 0 else None
        # Frames since one that the networks made all of.
        self._since, self._every = 0, video.stylize_every
        # What the frames after the last one blended depend on beside the steadier.
        self._last: dict[str, Any] | None = None
        self._statistics: FloatArray | None = None
        recipe = Recipe.of(styles, options)
        if options.colours != "matched":
            encoded = [stylizer.style_for(source, None, options) for source in recipe.sources]
            recipe = replace(recipe, sources=encoded)
        self._times: list[tuple[Fraction, Style]] = []
        if video.style_at:
            known = {Fraction(0): recipe.mixture(recipe.sources)}
            for time, source in video.style_at.items():
                known[exact(time)] = stylizer.style_for(source, None, options)
            self._times = sorted(known.items(), key=lambda each: each[0])
            # Styles that cannot be mixed are told now.
            sum((style for _, style in self._times[1:]), self._times[0][1])
            recipe = replace(recipe, shares=[1.0])
        self._recipe = recipe

    def _at(self, time: Fraction) -> Style:
        """The style at a time: between two, their mixture (AdaIN eq. 15)."""
        later = [n for n, (when, _) in enumerate(self._times) if when > time]
        if not later:
            return self._times[-1][1]
        (begin, before), (end, after) = self._times[max(0, later[0] - 1)], self._times[later[0]]
        part = float((time - begin) / (end - begin))
        return (1 - part) * before + part * after

    def _same(self, own: FloatArray) -> FloatArray:
        """The statistics of a shot, for a part of one of its frames."""
        assert self._statistics is not None
        return self._statistics

    def _told(self, own: FloatArray) -> FloatArray:
        """The statistics of a shot, for those of its next frame."""
        if self._statistics is not None:
            own = self._statistics + np.float32(_FOLLOW) * (own - self._statistics)
        self._statistics = own
        return own

    def paint(self, frame: Frame) -> FloatArray:
        """The stylized frame, float32 [H, W, 3]; ``shots`` has grown where it begins one."""
        return self.blended(self.stylized(self.seen(frame)))

    # Its three stages, each of which may run in a thread of its own, in the order of the frames.

    def seen(self, frame: Frame) -> Seen:
        """The frame with its motion since the one before."""
        if self._finder is None:
            return Seen(frame, None, None)
        with self._clock.of("flow"):
            motion = self._finder.look(frame.rgb)
            return Seen(frame, self._finder.gray, motion)

    def stylized(self, seen: Seen) -> Stylized:
        """What the networks make of the frame: all of it, or what flow cannot follow."""
        with self._clock.of("networks"):
            patches = self._patches(seen)
            if patches is not None:
                return Stylized(seen, None, patches, self._statistics, self._since)
            self._since = 0
            if seen.motion is None:
                self._statistics = None
            whole = self._picture(seen.frame.pixels(), self._recipe_at(seen.frame, self._told))
            return Stylized(seen, whole, [], self._statistics, 0)

    def _patches(self, seen: Seen) -> list[tuple[Box, FloatArray]] | None:
        """The parts of a frame that flow cannot follow; None where all of it is to be made."""
        self._since += 1
        if seen.motion is None or self._since >= self._every:
            return None
        reach = REACH if self._recipe.options.smooth else 0
        parts = lost_parts(seen.motion.weight, reach)
        if parts is None or (parts and not self._divisible(seen.frame)):
            return None
        recipe = self._recipe_at(seen.frame, self._same)
        return [
            (box, self._picture(seen.frame.rgb[outer.slices], recipe)[box.within(outer).slices])
            for box, outer in parts
        ]

    def blended(self, made: Stylized) -> FloatArray:
        """The frame to show, float32 [H, W, 3]; ``shots`` has grown where it begins one."""
        self._last = {
            "since": np.array(made.since),
            "gray": made.seen.gray,
            "statistics": made.statistics,
        }
        motion = made.seen.motion
        if self._steadier is None:
            assert made.whole is not None
            self.shots = 1
            return made.whole
        self.shots += motion is None
        with self._clock.of("blending"):
            if made.whole is not None:
                return self._steadier.blend(made.whole, motion)
            assert motion is not None
            return self._steadier.carry(made.patches, motion)

    def state(self) -> dict[str, Any]:
        """What the frames after the last one blended depend on: arrays, and None for none."""
        assert self._last is not None
        state = {"shots": np.array(self.shots), "since": self._last["since"]}
        if self._steadier is None:
            return state
        state |= {"blended": self._steadier.blended, "detail": np.array(self._steadier.detail)}
        return state | self._last

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`, before the first frame."""
        self.shots, self._since = int(state["shots"]), int(state["since"])
        if self._finder is not None and self._steadier is not None:
            self._finder.gray, self._statistics = state["gray"], state["statistics"]
            self._steadier.blended = state["blended"]
            self._steadier.detail = float(state["detail"])
        # A frame that repeats is not blended anew, and may be followed by a state.
        self._last = {name: state.get(name) for name in ("since", "gray", "statistics")}

    def _recipe_at(self, frame: Frame, statistics: Callable[[FloatArray], FloatArray]) -> Recipe:
        recipe = replace(self._recipe, statistics=statistics)
        return replace(recipe, sources=[self._at(frame.time)]) if self._times else recipe

    def _divisible(self, frame: Frame) -> bool:
        """Whether parts of a frame are stylized as in the whole."""
        recipe = self._recipe
        return frame.alpha is None and recipe.is_even and recipe.options.colours != "matched"

    def _picture(self, pixels: Pixels, recipe: Recipe) -> FloatArray:
        content = of_array(np.ascontiguousarray(pixels), "a frame")
        return cast(Picture, self._stylizer.stylize_recipe(content, recipe, exact=True)).rgb
