"""What the demo's REST service adds to the runtime: ``python -m benchmarks.service``.

A demo of its own is warmed up and asked from many clients at a time; every result is compared with
the Stylizer's. ``--mutated`` sends damaged uploads instead and counts the answers.
"""

import asyncio
import io
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import httpx
import numpy as np
from PIL import Image

from adain import AdaINError, Stylizer, contract, load_image, weights
from adain.cli.run import run
from adain.images import encode_image
from adain.registry import DEFAULT_MODEL
from benchmarks.processes import family, highest, resident
from benchmarks.uploads import MAX_PIXELS, mutated_picture

ROOT = Path(__file__).resolve().parents[1]
STYLE = 512  # pixels on a side
WARM_UP = 16  # requests
MEASURED = (512, 1024, 2048, 3072, 4096)  # pixels on a side


@dataclass
class Answers:
    """What came back: a status, seconds and pixels' verdict for each request."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    wrong: int = 0
    took: float = 0.0


def picture(size: int, seed: int, format: str = "JPEG") -> bytes:
    """A picture that no other seed gives: waves of colour under grain, like a photo to encode."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:size, 0:size]
    planes = [np.sin(x * a + y * b + c) for a, b, c in rng.uniform(0.005, 0.1, (3, 3))]
    levels = np.stack(planes, axis=-1) * 100 + 128 + rng.normal(0, 6, (size, size, 3))
    buffer = io.BytesIO()
    Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8)).save(buffer, format, quality=92)
    return buffer.getvalue()


@contextmanager
def serving(port: int, *options: str, folder: Path | None = None) -> Iterator[tuple[str, int]]:
    """A demo in a process of its own: its address and process id.

    ``folder`` gets its temporary files, and what it says as ``log``.
    """
    log = None if folder is None else (folder / "log").open("w", encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "demo", "--port", str(port), "--no-access-log", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        env=None if folder is None else os.environ | {"TMPDIR": str(folder)},
    )
    try:
        assert process.stdout is not None
        if "Running on" not in process.stdout.readline():
            raise AdaINError(f"the demo did not start on port {port}")
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait(60)
        if log is not None:
            log.close()


async def send(
    address: str, bodies: Sequence[dict[str, Any]], clients: int, wanted: Sequence[bytes] = ()
) -> Answers:
    """Ask for every body, each client one after another; compare with ``wanted`` where given."""
    answers = Answers()
    waiting = list(reversed(range(len(bodies))))
    limits = httpx.Limits(max_connections=clients)
    results: list[tuple[bytes, bytes]] = []

    async def ask(client: httpx.AsyncClient) -> None:
        while waiting:
            index = waiting.pop()
            started = time.perf_counter()
            answer = await client.post(f"{address}/v1/stylize", **bodies[index])
            answers.seconds.append(time.perf_counter() - started)
            answers.statuses[answer.status_code] += 1
            if wanted and answer.status_code == 200:
                results.append((answer.content, wanted[index]))

    async with httpx.AsyncClient(limits=limits, timeout=120, trust_env=False) as client:
        started = time.perf_counter()
        await asyncio.gather(*(ask(client) for _ in range(clients)))
        answers.took = time.perf_counter() - started
    # Afterwards: decoding would take the cores from the service.
    answers.wrong = sum(differs(*pair) for pair in results)
    return answers


def differs(first: bytes, second: bytes) -> bool:
    ours, theirs = (np.asarray(Image.open(io.BytesIO(data))) for data in (first, second))
    return not np.array_equal(ours, theirs)


def bare(contents: Sequence[bytes], style: bytes, suffix: str) -> tuple[list[bytes], float]:
    """The same work in a loop of this process: the results, and the seconds it took."""
    stylizer = Stylizer()
    encoded = stylizer.encode_style(style)
    stylizer.stylize(load_image(contents[0]), encoded)
    started = time.perf_counter()
    results = []
    for content in contents:
        result = stylizer.stylize(load_image(content), encoded)
        results.append(encode_image(result, suffix))
    return results, time.perf_counter() - started


def network_alone(size: int, runs: int) -> float:
    """Seconds of a pass of the encoder and the decoder in ONNX Runtime, and nothing else."""
    import onnxruntime

    files = weights.find_model(DEFAULT_MODEL)
    options = onnxruntime.SessionOptions()
    # As the Stylizer's are: threads that wait by spinning take the cores from the next part.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    encoder, decoder, style = (
        onnxruntime.InferenceSession(files[part], options, providers=["CPUExecutionProvider"])
        for part in (contract.ENCODER, contract.DECODER, contract.STYLE_NETWORK)
    )
    rng = np.random.default_rng(0)
    images = rng.random((runs + 1, 1, 3, size, size), np.float32)
    (vector,) = style.run([contract.STYLE], {contract.IMAGE: images[0]})
    one = np.ones((1, 1, 1, 1), np.float32)
    told = {contract.STYLE: vector, contract.ALPHA: one, contract.STRENGTH: one}
    names = contract.encoder_outputs(())
    started = 0.0
    for number, image in enumerate(images):
        if number == 1:  # the first is to warm up
            started = time.perf_counter()
        given = {contract.IMAGE: image}
        encoded = dict(zip(names, encoder.run(names, given), strict=True))
        decoder.run([contract.STYLIZED], given | encoded | told)
    return (time.perf_counter() - started) / runs


def load_report(port: int, requests: int, clients: int, size: int, format: str) -> str:
    style = picture(STYLE, 0)
    contents = [picture(size, seed) for seed in range(1, requests + 1)]
    results, bare_took = bare(contents, style, f".{format}")
    passes = network_alone(size, min(requests, 30))
    bodies = [
        {"files": {"content": content, "style": style}, "data": {"format": format}}
        for content in contents
    ]
    # Other pictures, since what is kept of these must not help.
    warm = [
        {"files": {"content": picture(size, seed), "style": style}, "data": {"format": format}}
        for seed in range(requests + 1, requests + 1 + WARM_UP)
    ]
    with serving(port, "--queue", str(max(32, clients))) as (address, process):
        asyncio.run(send(address, warm, clients))
        before = resident(process)
        answers = asyncio.run(send(address, bodies, clients, results))
        after = resident(process)
    middle, high, highest = (1e3 * np.percentile(answers.seconds, q) for q in (50, 95, 99))
    rate, bare_rate = requests / answers.took, requests / bare_took
    rows = [
        ("requests", f"{requests} from {clients} clients, {size} px, {format}"),
        ("statuses", counted(answers.statuses)),
        ("wrong results", answers.wrong),
        ("p50, p95, p99", f"{middle:.0f}, {high:.0f}, {highest:.0f} ms"),
        ("throughput", f"{rate:.2f} pictures/s"),
        (
            "bare runtime, one loop",
            f"{bare_rate:.2f} pictures/s; the service has {rate / bare_rate:.2f}",
        ),
        ("network alone", f"{1 / passes:.2f} pictures/s; the service has {rate * passes:.2f}"),
        ("resident memory", f"{before:.0f} MB after warm-up, {after:.0f} MB at the end"),
    ]
    return markdown(rows)


def mutated_report(port: int, count: int, clients: int) -> str:
    style = picture(64, 0)
    bodies = [
        {
            "files": {"content": mutated_picture(seed), "style": style},
            "data": {"format": "jpeg", "max_side": "128"},
        }
        for seed in range(count)
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with serving(port, "--max-pixels", str(MAX_PIXELS), folder=folder) as (address, process):
            before = resident(process)
            answers = asyncio.run(send(address, bodies, clients))
            after = resident(process)
        log = folder / "log"
        tracebacks = log.read_text(encoding="utf-8").count("Traceback")
        left = [path for path in folder.rglob("*") if path.is_file() and path != log]
    rows = [
        ("damaged uploads", count),
        ("statuses", counted(answers.statuses)),
        ("tracebacks in its log", tracebacks),
        ("files that it left", len(left)),
        ("resident memory", f"{before:.0f} MB before, {after:.0f} MB at the end"),
    ]
    return markdown(rows)


def memory_report(port: int) -> str:
    """What a picture takes, of the service and of the process that decodes it, by its size."""
    style, rows = picture(STYLE, 0), []
    for side in MEASURED:
        with serving(port) as (address, process):
            idle = sum(map(highest, family(process)))
            body = {"files": {"content": picture(side, 1), "style": style}}
            answers = asyncio.run(send(address, [body], 1))
            service, *decoders = map(highest, family(process))
        found = f"{service:.0f} MB and {sum(decoders):.0f} MB, {idle:.0f} MB of them before"
        rows.append((f"{side} x {side}", f"{found}; {counted(answers.statuses)}"))
    return markdown(rows)


def counted(statuses: Counter[int]) -> str:
    return ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))


def markdown(rows: Sequence[tuple[str, object]]) -> str:
    width = max(len(name) for name, _ in rows)
    lines = [f"| {name:{width}} | {value} |" for name, value in rows]
    return "\n".join([f"| {'':{width}} | |", f"|-{'-' * width}-|-|", *lines])


@click.command(
    epilog="\b\nExamples:\n"
    "  python -m benchmarks.service\n"
    "  python -m benchmarks.service --format png --requests 50\n"
    "  python -m benchmarks.service --mutated 2000\n"
)
@click.option("--requests", type=click.IntRange(1, 10_000), default=200, show_default=True)
@click.option("--clients", type=click.IntRange(1, 200), default=16, show_default=True)
@click.option("--size", type=click.IntRange(16, 2048), default=512, show_default=True)
@click.option("--format", type=click.Choice(["png", "jpeg"]), default="jpeg", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=7861, show_default=True)
@click.option("--mutated", type=click.IntRange(1, 100_000), help="Send damaged uploads: how many.")
@click.option("--memory", is_flag=True, help="Measure what a picture takes, by its size.")
def service(
    requests: int,
    clients: int,
    size: int,
    format: str,
    port: int,
    mutated: int | None,
    memory: bool,
) -> None:
    """Load the demo's REST service, and print what came of it as a table."""
    if mutated is not None:
        click.echo(mutated_report(port, mutated, clients))
    elif memory:
        click.echo(memory_report(port))
    else:
        click.echo(load_report(port, requests, clients, size, format))


if __name__ == "__main__":
    sys.exit(run(service))
