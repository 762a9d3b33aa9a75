"""Short clips with exact optical flow, rendered from a picture, to measure steadiness on.

And clips of a film, whose flow is estimated.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from adain.video.frames import Pixels
from adain.video.measures import FloatArray
from adain.video.motion import MotionFinder

# Where points of a layer are seen in a frame.
Inverse = Callable[[FloatArray, int], FloatArray]
KINDS = ("pan", "zoom", "rotation", "still", "object", "cut")
# A sensor's noise, as a standard deviation of levels in 1/255.
GRAIN = 4.0


@dataclass(frozen=True, eq=False)
class Clip:
    """Frames float32 [N, H, W, 3], and for each where it lay in the scene.

    ``places[n]`` [H, W, 2] are the coordinates of each pixel in its layer, ``layers[n]`` [H, W] the
    number of the layer, which another shot has anew.
    """

    name: str
    frames: FloatArray
    places: list[FloatArray]
    layers: list[np.ndarray]
    inverse: list[Inverse]

    def pixels(self) -> Pixels:
        """The frames as uint8, exactly."""
        return np.rint(self.frames * 255).astype(np.uint8)

    def flow(self, now: int, earlier: int) -> tuple[FloatArray, np.ndarray]:
        """The exact flow from a frame to an earlier one, and where the same is seen in both."""
        places, layers = self.places[now], self.layers[now]
        height, width = layers.shape
        then = np.zeros((height, width, 2), np.float32)
        for layer in np.unique(layers):
            inside = layers == layer
            then[inside] = self.inverse[earlier](places, int(layer))[inside]
        x, y = np.meshgrid(np.arange(width), np.arange(height))
        flow = then - np.stack([x, y], axis=-1).astype(np.float32)
        rounded = np.rint(then).astype(int)
        within = (then >= 1).all(axis=-1) & (then[..., 0] < width - 2) & (then[..., 1] < height - 2)
        clipped = np.clip(rounded, 0, (width - 1, height - 1))
        same = self.layers[earlier][clipped[..., 1], clipped[..., 0]] == layers
        seen = (within & same).astype(np.float32)
        # Interpolated over an edge, pixels mix what is behind it.
        return flow.astype(np.float32), cv2.erode(seen, np.ones((3, 3), np.uint8))


class FilmClip:
    """Frames of a film, uint8 [H, W, 3] each, and the flow that is estimated between them.

    As in Lai et al. 2018, who had no exact one either: here DIS instead of FlowNet2.
    """

    def __init__(self, name: str, frames: Sequence[Pixels]) -> None:
        self.name = name
        self.frames: FloatArray = np.stack(frames).astype(np.float32) / np.float32(255)

    def pixels(self) -> Pixels:
        return np.rint(self.frames * 255).astype(np.uint8)

    def flow(self, now: int, earlier: int) -> tuple[FloatArray, np.ndarray]:
        """The flow from a frame to an earlier one, and where it can be followed."""
        finder, (height, width) = MotionFinder(), self.frames.shape[1:3]
        before, after = np.rint(self.frames[[earlier, now]] * 255).astype(np.uint8)
        finder.look(before)
        motion = finder.look(after)
        if motion is None:
            return np.zeros((height, width, 2), np.float32), np.zeros((height, width), np.float32)
        x, y = np.meshgrid(np.arange(width), np.arange(height))
        flow = np.stack([motion.x - x, motion.y - y], axis=-1).astype(np.float32)
        return flow, (motion.weight > 0.5).astype(np.float32)


def render(
    picture: FloatArray,
    kind: str,
    count: int = 24,
    size: tuple[int, int] = (320, 192),
    other: FloatArray | None = None,
) -> Clip:
    """A clip of ``kind``: pan, zoom, rotation, still, object or cut; all with fresh grain."""
    width, height = size
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    generator = np.random.default_rng(0)
    sources = [_at_least(picture, size), _at_least(picture if other is None else other, size)]
    frames, places, layers, inverses = [], [], [], []
    for n in range(count):
        shot = int(kind == "cut" and n >= count // 2)
        forth, back = _camera(kind, n, sources[shot].shape, size)
        place = forth(x, y)
        frame = _sampled(sources[shot], place)
        layer = np.full((height, width), 2 * shot, np.int64)
        if kind == "object":
            left, top = 6.3 * n - width * 0.25, height * 0.3
            inside = (abs(x - left) < width * 0.12) & (abs(y - top) < height * 0.22)
            own = np.stack([x - left + width * 0.5, y - top + height * 0.5], axis=-1)
            frame[inside] = _sampled(1 - sources[0][::-1], own)[inside]
            place = np.where(inside[..., None], own, place)
            layer[inside] = 1
            back = _with_object(back, left, top, size)
        grainy = frame + generator.normal(0, GRAIN / 255, frame.shape)
        frames.append(np.rint(np.clip(grainy, 0, 1) * 255) / 255)
        places.append(place.astype(np.float32))
        layers.append(layer)
        inverses.append(back)
    return Clip(kind, np.stack(frames).astype(np.float32), places, layers, inverses)


def _camera(
    kind: str, n: int, shape: tuple[int, ...], size: tuple[int, int]
) -> tuple[Callable[[FloatArray, FloatArray], FloatArray], Inverse]:
    """Where pixels of frame ``n`` lie in the picture, and where points of the picture are seen."""
    middle = np.array([shape[1] / 2, shape[0] / 2], np.float32)
    half = np.array(size, np.float32) / 2
    angle = np.deg2rad(0.4 * n) if kind == "rotation" else 0.0
    scale = 1.006**-n if kind == "zoom" else 1.0
    shift = np.zeros(2, np.float32)
    if kind in ("pan", "cut"):
        # Less than the stride of the network a frame, and no whole pixels.
        shift = np.array([1.3, 0.45], np.float32) * (n - 12)
    turn = scale * np.array(
        [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], np.float32
    )
    undo = np.linalg.inv(turn)

    def forth(x: FloatArray, y: FloatArray) -> FloatArray:
        moved = (np.stack([x, y], axis=-1) - half) @ turn.T + middle + shift
        return moved.astype(np.float32)

    def back(places: FloatArray, layer: int) -> FloatArray:
        return ((places - middle - shift) @ undo.T + half).astype(np.float32)

    return forth, back


def _with_object(back: Inverse, left: float, top: float, size: tuple[int, int]) -> Inverse:
    offset = np.array([left - size[0] * 0.5, top - size[1] * 0.5], np.float32)

    def whole(places: FloatArray, layer: int) -> FloatArray:
        return places + offset if layer == 1 else back(places, layer)

    return whole


def _sampled(picture: FloatArray, place: FloatArray) -> FloatArray:
    x, y = (np.ascontiguousarray(place[..., axis], np.float32) for axis in (0, 1))
    source = np.ascontiguousarray(picture)
    sampled = cv2.remap(source, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    return np.clip(np.asarray(sampled, np.float32), 0, 1)


def _at_least(picture: FloatArray, size: tuple[int, int]) -> FloatArray:
    """The picture at 1.3 times the size of the clip, so that there is room to move."""
    scale = 1.3 * max(size[0] / picture.shape[1], size[1] / picture.shape[0])
    wanted = round(picture.shape[1] * scale), round(picture.shape[0] * scale)
    area = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.clip(np.asarray(cv2.resize(picture, wanted, interpolation=area)), 0, 1)
