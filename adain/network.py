"""A model's parts as functions of pictures: encode a style, encode a content, decode."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adain import contract, maps
from adain.errors import DeviceError
from adain.model_files import ModelLayout
from adain.padding import padded, to_planar
from adain.providers import reason_of
from adain.sessions import LimitError, Sessions, Tensor

FloatArray = npt.NDArray[np.float32]
Encoded = dict[str, Tensor]


@dataclass(frozen=True)
class Network:
    """The parts of a model where they run.

    ``forget`` drops what the caller keeps on the device, where that may make room.
    """

    model: str
    sessions: Sessions
    layout: ModelLayout
    style_source: tuple[str, str]
    forget: Callable[[], None]

    def encode_style(self, rgb: FloatArray) -> FloatArray:
        """The style ``[K]`` of a picture ``[H, W, 3]``."""
        part, output = self.style_source
        planar = to_planar(rgb, self.layout.stride)
        vector: FloatArray = self._run(part, [output], rgb, {contract.IMAGE: planar})[0]
        return vector.reshape(-1)

    def encode(
        self, rgb: FloatArray, *, smoothed: FloatArray | None = None, stay: bool = True
    ) -> Encoded:
        """What the decoder takes of a content ``[H, W, 3]``: the image, and the encoder's outputs.

        These are of the ``smoothed`` content, if there is one. They ``stay`` on the device, or are
        numpy arrays.
        """
        image = {contract.IMAGE: to_planar(rgb, self.layout.stride)}
        seen = image
        if smoothed is not None and smoothed is not rgb:
            seen = {contract.IMAGE: to_planar(smoothed, self.layout.stride)}
        encoded = self._run(contract.ENCODER, self.layout.encoded, rgb, seen, stay=stay)
        if self.sessions.memory_limit is not None:
            # Features are kept for other strengths. In the arena they would hold its pieces, and
            # what fits at first would not fit between them later.
            encoded = [v.copy() if isinstance(v, np.ndarray) else v for v in encoded]
        return image | dict(zip(self.layout.encoded, encoded, strict=True))

    def decode(
        self,
        encoded: Mapping[str, Tensor],
        rgb: FloatArray,
        vectors: FloatArray,
        strengths: FloatArray,
        mapped: tuple[bool, bool, bool] = (False, False, False),
    ) -> FloatArray:
        """The picture ``[H, W, 3]`` of a content and of what `encode` gave for it.

        ``vectors`` ``[S, K]`` are the styles, ``strengths`` and ``mapped`` are as `adain.maps` has
        them.
        """
        height, width = rgb.shape[:2]
        features = encoded[contract.FEATURES]
        # An OrtValue where the device has memory of its own.
        shape = features.shape if isinstance(features, np.ndarray) else features.shape()
        strength, style, alpha = maps.decoder_maps(
            self.padded(strengths),
            vectors,
            self.layout.feature_stride,
            *shape[2:],
            mapped=mapped,
        )
        told = {contract.STYLE: style, contract.ALPHA: alpha, contract.STRENGTH: strength}
        (image,) = self._run(contract.DECODER, [contract.STYLIZED], rgb, {**encoded, **told})
        if np.isnan(image.min()):
            where = f"{self.model} on {self.sessions.device}"
            raise DeviceError(f"{where}: found a picture of no numbers (NaN)")
        # Channel by channel: a copy of the transposed array takes four times as long.
        return np.stack(image[0, :, :height, :width], axis=-1)

    def padded(self, strengths: FloatArray) -> FloatArray:
        """Strengths of each pixel as the image is padded; those of all places as they are."""
        even = strengths.shape[1:] == (1, 1)
        return strengths if even else padded(strengths, self.layout.stride)

    def _run(
        self,
        part: str,
        outputs: Sequence[str],
        rgb: FloatArray,
        inputs: Mapping[str, Tensor],
        *,
        stay: bool = False,
    ) -> list[Tensor]:
        size = f"the {part} of {self.model} at {rgb.shape[1]} x {rgb.shape[0]}"
        sessions = self.sessions
        try:
            try:
                return sessions.run(part, outputs, inputs, stay=stay)
            except LimitError:
                # What was kept for other pictures, or for this one's other sizes, may make room.
                self.forget()
                sessions.give_back_memory()
                return sessions.run(part, outputs, inputs, stay=stay)
        except LimitError as error:
            raise sessions.limit_error(size, "a larger limit, or a smaller max_side") from error
        except Exception as error:
            # Out of memory is the one failure that a sound file and a checked input leave.
            why = f"{size} on {sessions.device} ({reason_of(error)}); a smaller max_side may fit"
            raise DeviceError(f"ONNX Runtime could not run {why}") from error
