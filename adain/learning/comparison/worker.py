"""Worker process of a comparison: one method on one pair, started by `adain compare`.

PyTorch is imported only where it is needed, so that AdaIN's memory is that of ONNX Runtime.
"""

import os
import pickle
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

from adain.errors import AdaINError
from adain.images import load_image
from adain.images.picture import Picture
from adain.learning.comparison.options import Method
from adain.learning.peak_memory import peak_memory
from adain.stylizer import Stylizer

TIMED = 5  # pictures of AdaIN, whose median time counts


@dataclass(frozen=True)
class Job:
    """A method and its inputs, which are brought to squares of ``size`` pixels."""

    method: Method
    content: Path
    style: Path
    size: int
    device: str
    threads: int


@dataclass(frozen=True)
class Snapshot:
    """A picture, uint8 ``[size, size, 3]``; the seconds it took, and the most memory until then.

    ``memory`` is in bytes, all that the process held, libraries included; None where the system
    does not tell.
    """

    iteration: int
    seconds: float
    memory: int | None
    pixels: npt.NDArray[np.uint8]


Send = Callable[[Any], None]


def main() -> None:
    """Read a pickled Job from stdin and do it; what is sent goes to stdout, pickled.

    Sent are Snapshots and numbers of iterations, at the end a dict about the run or, as its one
    line, an error.
    """
    # Ctrl-C ends the parent, which then ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What a library prints must not come between.
    with os.fdopen(os.dup(1), "wb") as output:
        os.dup2(2, 1)

        def send(message: Any) -> None:
            pickle.dump(message, output)
            output.flush()

        job = pickle.load(sys.stdin.buffer)
        try:
            content, style = (
                load_image(path).resized(job.size, job.size) for path in (job.content, job.style)
            )
            run = _gatys if job.method.alpha is None else _adain
            send(run(send, job, content, style))
        except AdaINError as error:
            send(str(error))
        except Exception as error:
            send(f"{job.method.name}: {type(error).__name__}: {error}")


def _adain(send: Send, job: Job, content: Picture, style: Picture) -> dict[str, Any]:
    model, alpha = job.method.model, job.method.alpha
    assert model is not None and alpha is not None
    stylizer = Stylizer(model, job.device, threads=job.threads)

    def stylized(content: Picture, style: Picture) -> Picture:
        return stylizer.stylize(content, stylizer.encode_style(style), alpha)

    picture = stylized(content, style)
    times = []
    for number in range(1, TIMED + 1):
        # The Stylizer keeps what it found in these pictures, so its time is that of others, which
        # differ whatever these are: no 8-bit colour stays as it is.
        others = [Picture(0.999 * p.rgb + np.float32(1.3e-4 * number)) for p in (content, style)]
        started = time.perf_counter()
        stylized(*others)
        times.append(time.perf_counter() - started)
    send(Snapshot(0, median(times), peak_memory(), _pixels(picture)))
    return {"device": stylizer.device, "history": []}


def _gatys(send: Send, job: Job, content: Picture, style: Picture) -> dict[str, Any]:
    import torch

    from adain.learning.devices import torch_device
    from adain.learning.gatys.run import GatysProgress, GatysResult, optimize
    from adain.learning.models.vgg import load_vgg19_layers

    torch.set_num_threads(job.threads)
    vgg = load_vgg19_layers()
    last, wanted = max(job.method.iterations), {*job.method.iterations, *job.method.curve}
    paused, told = 0.0, 0

    def run(iterations: int, callback: Any = None) -> GatysResult:
        options = gatys_options(job.method, iterations, job.device)
        return optimize(content, [style], options, callback=callback, vgg=vgg)

    def callback(progress: GatysProgress) -> None:
        nonlocal paused, told
        now = time.perf_counter()
        told = progress.iteration
        if told in wanted:
            rgb = progress.image[0].permute(1, 2, 0).float().cpu().numpy()
            pixels = _pixels(Picture(np.ascontiguousarray(rgb)))
            send(Snapshot(told, now - started - paused, peak_memory(), pixels))
        send(told)
        paused += time.perf_counter() - now

    run(1)
    started = time.perf_counter()
    result = run(last, callback)
    seconds = time.perf_counter() - started - paused
    # Where nothing can be gained any more, the run ends early, and its picture is that of all
    # iterations to come.
    for iteration in sorted(wanted):
        if iteration > told:
            pixels = _pixels(result.picture)
            send(Snapshot(iteration, seconds, peak_memory(), pixels))
    return {"device": str(torch_device(job.device)), "history": result.history}


def gatys_options(method: Method, iterations: int, device: str) -> Any:
    """The `GatysOptions` of a method."""
    from adain.learning.gatys.options import GatysOptions

    given = {} if method.style_weight is None else {"style_weight": method.style_weight}
    if method.model is not None:
        given["model"] = method.model  # type: ignore[assignment]
    return GatysOptions(
        iterations=iterations,
        init=method.start,  # type: ignore[arg-type]
        seed=method.seed,
        device=device,
        **given,  # type: ignore[arg-type]
    )


def _pixels(picture: Picture) -> npt.NDArray[np.uint8]:
    return Picture(picture.rgb).to_array()
