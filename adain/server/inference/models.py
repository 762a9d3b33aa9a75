"""The ONNX files as models of the Open Inference Protocol: what each takes, and their sessions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from starlette.exceptions import HTTPException

from adain import weights
from adain.contract import IMAGE, WHOLE, WHOLE_CONTENT, WHOLE_STYLE
from adain.errors import DeviceError, found_error
from adain.providers import reason_of
from adain.registry import EXPORTED
from adain.server.engine import Engine
from adain.server.inference.protocol import DATATYPES, PLATFORM, VERSION, Call, Signature, Tensor
from adain.sessions import LimitError

# Inputs that are pictures, and which of their axes are the sides.
_PICTURES = {WHOLE_CONTENT: (1, 2), IMAGE: (2, 3)}
_STYLE_PICTURE = (1, 2)


class Place(NamedTuple):
    """Where a model's file belongs: to a model, as one of its parts, in a precision."""

    model: str
    part: str
    precision: str


def names() -> dict[str, Place]:
    """The models that are here, by name: that of the file, without its suffix."""
    found: dict[str, Place] = {}
    for precision in EXPORTED:
        for model in weights.available_models(precision):
            for part in (*weights.model_parts(model), WHOLE):
                file = weights.onnx_file(model, part, precision)
                if part != WHOLE or weights.look_for(file) is not None:
                    # A file that two precisions share is the first one's.
                    found.setdefault(Path(file).stem, Place(model, part, precision))
    return found


def find(name: str, version: str = "") -> Place:
    """The model of a name; HTTPException (404) where there is none, or not in this version."""
    known = names()
    if name not in known or version not in ("", VERSION):
        found = repr(name[:100]) if name not in known else f"version {version[:40]!r}"
        allowed = weights.one_of(known) if name not in known else VERSION
        raise HTTPException(404, str(found_error("model", found, allowed)))
    return known[name]


class Models:
    """What the models take, and what they make of it, in the sessions of an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def signature(self, place: Place) -> tuple[list[Signature], list[Signature]]:
        """What a model takes, and what it gives."""
        sessions = self._engine.sessions(place.model, place.precision)
        inputs, outputs = sessions.tensors(place.part)
        words = {kind: name for name, kind in DATATYPES.items()}
        taken, given = (
            [Signature(tensor.name, words[tensor.type], tensor.shape) for tensor in tensors]
            for tensors in (inputs, outputs)
        )
        return taken, given

    def about(self, name: str, place: Place) -> dict[str, Any]:
        """The metadata of the model of a name, in the protocol's words."""
        inputs, outputs = self.signature(place)
        return {
            "name": name,
            "versions": [VERSION],
            "platform": PLATFORM,
            "inputs": [tensor.about for tensor in inputs],
            "outputs": [tensor.about for tensor in outputs],
        }

    def run(self, place: Place, call: Call) -> Mapping[str, Tensor]:
        """The outputs that a call asks for. AdaINError where its tensors do not go together, or are
        larger than pictures may be; DeviceError where a device fails."""
        self._check_sizes(place, call)
        sessions = self._engine.sessions(place.model, place.precision)
        names = list(call.outputs)
        try:
            with self._engine.queue.computing(), sessions.turn:
                return dict(zip(names, sessions.run(place.part, names, call.inputs), strict=True))
        except LimitError:
            raise sessions.limit_error("the request", "smaller pictures") from None
        except Exception as error:
            if sessions.kind != "cpu":
                raise DeviceError(reason_of(error)) from error
            # Shapes that fit each by itself and not each other: nothing else can go wrong there.
            found = f"tensors that do not go together ({reason_of(error)})"
            raise found_error("inputs", found, "those of one picture") from None

    def _check_sizes(self, place: Place, call: Call) -> None:
        """No more pixels than in a picture, whatever they are called."""
        most = self._engine.settings.max_pixels
        for name, tensor in call.inputs.items():
            axes = _PICTURES.get(name)
            if place.part == WHOLE and name == WHOLE_STYLE:
                axes = _STYLE_PICTURE
            if axes is None:
                continue
            height, width = (tensor.shape[axis] for axis in axes)
            pixels = math.prod((tensor.shape[0], height, width))
            if pixels > most:
                found = f"{tensor.shape[0]} x {width:,} x {height:,} pixels"
                raise found_error(name, found, f"at most {most:,} pixels")
