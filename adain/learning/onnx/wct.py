"""The file for other people's programs with WCT at the bottleneck instead of AdaIN.

There is no file for each part: with 512 x 512 values of a covariance, a style is 1 MB instead of 8
KB and cannot be a map, and tiles and videos hold the means and deviations of a picture alone.
"""

import os
from pathlib import Path
from typing import cast

from adain.contract import DECODER, ENCODER, WHOLE, Key
from adain.files import scratch_folder
from adain.learning.models.networks import VGG19
from adain.learning.models.wct import WCT
from adain.learning.onnx.export import export_part, finished, open_model, parts
from adain.learning.onnx.parity import ParityReport, Tolerance, measure_parity
from adain.learning.onnx.parity_cases import HOSTILE, cases
from adain.learning.onnx.readable import describe_in_place
from adain.learning.onnx.whole import join

# Random ones, beside the hostile: fewer than of models that are files of several parts.
CASES = 12
# The matrix roots enlarge the rounding of float32, most where a picture has few places: three bytes
# in a thousand were one step off, where models with AdaIN are held to one.
BYTES = Tolerance(1.0, 5e-3)


def export_wct(
    name: str, folder: str | os.PathLike[str], *, source: Path | None = None
) -> tuple[Path, ParityReport]:
    """Write ``adain-<model>-wct.onnx`` in float32 into ``folder``; its path and its parity.

    ``name`` is a model on VGG-19, ``source`` is that of `open_model`. Raises AdaINError, and leaves
    ``folder`` as it was, where ONNX Runtime's pictures are not torch's.
    """
    base, about = open_model(name, source)
    model = WCT(cast(VGG19, base)).eval()
    label = f"{name}-wct"
    about |= {
        Key.MODEL: label,
        Key.STYLE_CHANNELS: str(model.style_channels),
        # No other model knows what to do with a style that ends with a covariance.
        Key.STYLE_SPACE: f"{about[Key.STYLE_SPACE]}-wct",
    }
    taken = parts(model)
    cut = {
        ENCODER: export_part(taken[ENCODER], model),
        DECODER: export_part(taken[WHOLE], model),
    }
    for part, exported in cut.items():
        describe_in_place(exported, part)
    whole = finished(join(cut, model.stride, model.skips), about, WHOLE, "fp32")
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    with scratch_folder(target, ".export-") as scratch:
        file = scratch / f"adain-{label}.onnx"
        file.write_bytes(whole.SerializeToString(deterministic=True))
        (report,) = measure_parity(model, {"fp32": {WHOLE: file}}, [*cases(CASES), *HOSTILE])
        report.require(BYTES)
        return file.replace(target / file.name), report
