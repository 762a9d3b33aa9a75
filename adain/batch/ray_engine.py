"""Many machines: pictures stylized by the workers of a Ray cluster, as the pipeline of one does it.

Ray Data hands blocks of pictures to a pool of actors, no more than they can take, and this process
lists, writes the journal and reports. A worker runs the `Pipeline` of a single machine on each of
its blocks. What a lost worker had in hand is given to others; the results of a picture that is
made twice replace each other whole.
"""

import itertools
import logging
import math
import os
import socket
import warnings
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from adain.batch import stores
from adain.batch.journal import Journal, Made, Read
from adain.batch.listing import Job
from adain.batch.looks import Mixture
from adain.batch.pipeline import Outcome, Settings
from adain.batch.ray_worker import BROKEN, Stylizing, Worker
from adain.errors import AdaINError, MissingError, failing, found_error

# Pictures that a worker is given at a time, at most: enough to read, compute and write side by
# side, few enough to be done again.
_BLOCK = 16
# Pictures whose names this process and Ray hold at a time.
_SLICE = 200_000
# How often a picture is given out before its worker's end is its own fault.
_TRIES = 3


def connect(address: str | None) -> None:
    """Join the cluster at ``address``, or that of RAY_ADDRESS, or start one on this machine.

    Raises MissingError where Ray is not installed, and AdaINError where no cluster answers.
    """
    try:
        import ray.data
    except ImportError:
        raise MissingError("the engine ray needs Ray: pip install 'adain[ray]'") from None
    if ray.is_initialized():
        return
    address = address or os.environ.get("RAY_ADDRESS") or None
    allowed = "auto or HOST:PORT of a Ray cluster"
    if address is not None and ":" in address:
        # Ray itself waits two minutes for one that is not there.
        host, _, port = address.removeprefix("ray://").rpartition(":")
        with failing("--address", f"{address!r}, where nobody answers", allowed):
            socket.create_connection((host, int(port)), timeout=10).close()
    how: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if address == "auto":
            # Given this word, Ray 2.60 takes the actors of Ray Data for forgotten, and ends them.
            from ray._private.services import canonicalize_bootstrap_address

            address = canonicalize_bootstrap_address(address)
            if address is None:
                raise ConnectionError("none is known on this machine")
        ray.init(address, include_dashboard=False, **how)
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        reason = str(error).splitlines()[0]
        found = f"{address!r}, where no Ray answers ({reason})"
        raise found_error("--address", found, allowed) from None


class RayPipeline:
    """Makes every picture in every mixture on the cluster that `connect` joined.

    Takes jobs, journal and settings as `Pipeline` does. Raises AdaINError where the cluster has not
    what a worker needs.
    """

    def __init__(
        self,
        jobs: Iterator[Job],
        mixtures: Sequence[Mixture],
        journal: Journal,
        settings: Settings,
        worker: Worker,
    ) -> None:
        self._jobs, self._mixtures, self._journal = jobs, mixtures, journal
        self._settings = settings
        # As they are now, for all that is given out.
        self._alone = [mixture.alone() for mixture in mixtures]
        self._worker, self._needs, self._count = _needs(worker)

    def run(self) -> Generator[Outcome, None, None]:
        """What becomes of each picture, in the order in which it is known."""
        while slice := list(itertools.islice(self._jobs, _SLICE)):
            wanted: dict[int, tuple[Job, list[int]]] = {}
            for number, job in enumerate(slice):
                missing = []
                for index, mixture in enumerate(self._mixtures):
                    result = mixture.folder / job.result
                    skips = self._settings.skip_existing
                    if skips and self._journal.is_done(result, job.source, mixture.recipe):
                        yield Outcome("skipped", job.source, result)
                    else:
                        missing.append(index)
                if missing:
                    wanted[number] = job, missing
            count = len(wanted)
            for attempt in range(_TRIES):
                if not wanted:
                    break
                try:
                    # A picture that ends its worker takes others with it: at last each is alone.
                    yield from self._made(wanted, 1 if attempt == _TRIES - 1 else _BLOCK)
                except AdaINError:
                    # No worker can be had at all; else what is left is given out again.
                    if attempt == _TRIES - 1 and len(wanted) == count:
                        raise
            for job, missing in wanted.values():
                for index in missing:
                    result = self._mixtures[index].folder / job.result
                    error = f"{job.source}: its worker ended {_TRIES} times"
                    yield Outcome("failed", job.source, result, error)

    def _made(
        self, wanted: dict[int, tuple[Job, list[int]]], most: int
    ) -> Generator[Outcome, None, None]:
        """Have pictures made, and take those that were from ``wanted``.

        Raises AdaINError where Ray ends before the last of them.
        """
        import ray
        from ray.data import ActorPoolStrategy, DataContext

        rows = [
            {"number": number, "source": _anywhere(job.source), "result": str(job.result)}
            | {"mixtures": missing}
            for number, (job, missing) in wanted.items()
        ]
        block = min(most, math.ceil(len(rows) / (2 * self._count)))
        context = DataContext.get_current()
        context.enable_progress_bars = False
        # Of workers that ended; their pictures stay wanted.
        context.max_errored_blocks = -1
        context.max_consecutive_actor_init_deaths = _TRIES
        quiet = logging.getLogger("ray.data")
        quiet.setLevel(logging.CRITICAL)
        settings = self._settings
        if not stores.is_stored(settings.output):
            settings = replace(settings, output=settings.output.resolve())
        blocks = math.ceil(len(rows) / block)
        with warnings.catch_warnings():
            # Until Ray 2.64, which is to have another way: a worker that ended is replaced, and its
            # pictures are given out again from here, not by Ray. That would do so for ever where it
            # is a picture that ends its workers.
            warnings.simplefilter("ignore", DeprecationWarning)
            once = {"max_restarts": 0}
            made = ray.data.from_items(rows, override_num_blocks=blocks).map_batches(
                Stylizing,
                batch_size=None,
                batch_format="pyarrow",
                compute=ActorPoolStrategy(size=min(self._count, blocks)),
                fn_constructor_args=(self._worker, self._alone, settings),
                **(once | self._needs),
            )
        try:
            for row in made.iter_rows():
                if row["kind"] == BROKEN:
                    raise RuntimeError(row["error"])
                yield from self._taken(row, wanted)
        except (ray.exceptions.RayError, SystemError) as error:
            lines = [type(error).__name__, *filter(str.strip, str(error).splitlines())]
            raise AdaINError(f"ray: {lines[-1].strip()}") from None

    def _taken(
        self, row: dict[str, Any], wanted: dict[int, tuple[Job, list[int]]]
    ) -> Iterator[Outcome]:
        if row["number"] not in wanted or row["mixture"] not in wanted[row["number"]][1]:
            return  # of one that had been thought lost
        job, missing = wanted[row["number"]]
        missing.remove(row["mixture"])
        if not missing:
            del wanted[row["number"]]
        mixture = self._mixtures[row["mixture"]]
        result = mixture.folder / job.result
        if row["kind"] == "done":
            read = Read(row["digest"], row["source_size"], row["source_time"])
            made = Made(row["size"], row["time"])
            self._journal.record(result, read, mixture.recipe, made)
        error = row["error"].replace(_anywhere(job.source), str(job.source))
        yield Outcome(row["kind"], job.source, result, error, row["width"], row["height"])


def _needs(worker: Worker) -> tuple[Worker, dict[str, float], int]:
    """The worker as it is opened, what each asks the cluster for, and how many there are."""
    import ray

    room = ray.cluster_resources()
    gpus, cpus = int(room.get("GPU", 0)), int(room.get("CPU", 0))
    kind = worker.device
    if kind == "cpu" or (kind == "auto" and not gpus):
        if worker.threads > cpus:
            found = f"{worker.threads}, for a cluster of {cpus} cores"
            raise found_error("--threads", found, "what one of its machines has")
        worker = replace(worker, device="cpu")
        return worker, {"num_cpus": worker.threads}, worker.count or cpus // worker.threads
    if not gpus:
        raise found_error("--device", f"{kind!r}, for a cluster without GPUs", "auto or cpu")
    if ":" in kind or "," in kind:
        found = f"{kind!r}, of which Ray gives each worker one"
        raise found_error("--device", found, "auto, cpu or cuda")
    count = worker.count or gpus
    # More workers than GPUs share them: each decodes and encodes beside its network.
    return worker, {"num_cpus": 1, "num_gpus": 1 / max(1, math.ceil(count / gpus))}, count


def _anywhere(source: Path) -> str:
    return str(source) if stores.is_stored(source) else str(source.absolute())
