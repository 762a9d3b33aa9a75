"""What runs on each machine of a Ray cluster: a Stylizer, and the pipeline around it."""

import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adain import weights
from adain.batch import stores
from adain.batch.journal import Made, Read
from adain.batch.listing import Job
from adain.batch.looks import Mixture, looks
from adain.batch.pipeline import COMPUTING, Pipeline, Settings
from adain.errors import checked_integer, found_error

if TYPE_CHECKING:
    import pyarrow

    from adain.stylizer import Stylizer

# A mistake of ours in a worker, beside the kinds of an Outcome.
BROKEN = "broken"


@dataclass(frozen=True)
class Worker:
    """How the workers open their Stylizers, one each; ``device`` is auto, cpu or a kind of GPU.

    ``count`` None: as many as the cluster has room for. ``threads`` are those of the CPU for each.
    """

    model: str
    device: str = "auto"
    precision: str = "fp32"
    threads: int = 1
    memory_limit: int | None = None
    count: int | None = None
    # Of the model's files, which every machine must have alike.
    digests: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        for name, count in (("threads", self.threads), ("workers", self.count)):
            if count is not None:
                checked_integer(f"--{name}", count, 1, 100_000)
        object.__setattr__(self, "digests", self._digests())

    def _digests(self) -> tuple[str, ...]:
        files = weights.find_model(self.model, self.precision).values()
        return tuple(weights.sha256(file) for file in files)

    def open(self, cached_contents: int) -> "Stylizer":
        """The Stylizer of a worker; AdaINError where this machine has other files."""
        from adain.stylizer import Stylizer

        if self._digests() != self.digests:
            found = "other files on a worker than where the command runs"
            raise found_error(f"model {self.model}", found, "the same on all machines")
        return Stylizer(
            self.model,
            self.device,
            precision=self.precision,
            threads=self.threads,
            memory_limit=self.memory_limit,
            cached_contents=cached_contents,
        )


class _Notes:
    """What a worker tells the journal, which another process keeps."""

    def __init__(self, output: Path, wanted: Mapping[Path, Any]) -> None:
        self._output, self._wanted = output, wanted
        self.made: dict[Path, tuple[Read, Made]] = {}

    def is_done(self, result: Path, source: Path, recipe: str) -> bool:
        return result not in self._wanted

    def record(self, result: Path, read: Read, recipe: str) -> None:
        self.made[result] = read, Made.of(self._output / result)


class Stylizing:
    """An actor of the pool: a Stylizer, and the pipeline that it runs on each block."""

    def __init__(self, worker: Worker, mixtures: Sequence[Mixture], settings: Settings) -> None:
        kept = COMPUTING + 1 if len(mixtures) > 1 else 0
        self._mixtures = mixtures
        self._looks = looks([worker.open(kept)], mixtures)
        self._settings = replace(settings, skip_existing=True)

    def __call__(self, block: "pyarrow.Table") -> "pyarrow.Table":
        import pyarrow

        try:
            return pyarrow.Table.from_pylist(list(self._rows(block.to_pylist())), _schema())
        except Exception:  # a mistake of ours: the pictures would only be given to others
            row = dict.fromkeys(_schema().names) | {"kind": BROKEN}
            row["error"] = traceback.format_exc()
            return pyarrow.Table.from_pylist([row], _schema())

    def _rows(self, block: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        wanted = {
            self._mixtures[index].folder / row["result"]: (row["number"], index)
            for row in block
            for index in row["mixtures"]
        }
        notes = _Notes(self._settings.output, wanted)
        jobs = (Job(stores.place(row["source"]), Path(row["result"])) for row in block)
        for outcome in Pipeline(jobs, self._looks, notes, self._settings, 1).run():
            if outcome.kind == "skipped":
                continue  # not asked for
            number, index = wanted[outcome.result]
            row = {"number": number, "mixture": index, "kind": outcome.kind}
            row |= {"error": outcome.error, "width": outcome.width, "height": outcome.height}
            if outcome.result in notes.made:
                read, made = notes.made[outcome.result]
                row |= {"digest": read.digest, "source_size": read.size, "source_time": read.time}
                row |= {"size": made.size, "time": made.time}
            yield row


def _schema() -> "pyarrow.Schema":
    """The columns of what workers answer; nulls where there is nothing to tell."""
    import pyarrow

    texts = dict.fromkeys(("kind", "error", "digest"), pyarrow.string())
    counts = ("number", "mixture", "width", "height", "source_size", "source_time", "size", "time")
    return pyarrow.schema(texts | dict.fromkeys(counts, pyarrow.int64()))
