"""The sessions of a model's parts: how they are opened and run, and what memory they take."""

import contextlib
import ctypes
import os
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import onnxruntime

from adain import contract, cores
from adain.amounts import memory_in_bytes
from adain.backends import BACKENDS
from adain.errors import AdaINError, checked_integer, failing, found_error
from adain.providers import (
    TRIAL_IMAGE,
    choose_device,
    open_session,
    providers_of,
    quiet_options,
    reason_of,
)

# A numpy array, or an OrtValue in the memory of the device that computed it.
Tensor: TypeAlias = Any

# The arena that sessions are opened with belongs to the process.
_one_at_a_time = threading.Lock()
_all: "weakref.WeakSet[Sessions]" = weakref.WeakSet()


class LimitError(Exception):
    """ONNX Runtime needed more than the memory limit."""


class Sessions:
    """The sessions of a model's parts, on one device.

    On the CPU they share one arena, so that the decoder works in the encoder's memory; with a
    ``memory_limit`` it never holds more bytes. On CUDA each part's arena gets its share of them.

    A process that is forked off has none of ONNX Runtime's threads, and would wait for them for
    ever: on the CPU it opens sessions of its own when it first runs one, elsewhere it raises
    AdaINError.
    """

    _sessions: dict[str, onnxruntime.InferenceSession]

    def __init__(
        self,
        files: Mapping[str, Path],
        device: str,
        *,
        threads: int | None = None,
        memory_limit: int | str | None = None,
        strict: bool = False,
    ) -> None:
        if threads is not None:
            threads = checked_integer("threads", threads, 1, 1024)
        self.memory_limit = None if memory_limit is None else memory_in_bytes(memory_limit)
        self.kind, self._device_id = choose_device(device, files[contract.ENCODER], strict=strict)
        if self.memory_limit is not None and self.kind not in ("cpu", "cuda"):
            raise found_error("memory_limit", f"a limit on {self.kind}", "one on cpu or cuda")
        # Where values stay between the parts; None: they are numpy arrays anyway.
        self._memory = BACKENDS[self.kind].memory
        self._files, self._threads, self._strict = files, threads, strict
        self.renew()
        _all.add(self)
        self._sessions = self._open_all()

    def renew(self) -> None:
        """Begin anew, in a forked process, without what belongs to the threads of its parent."""
        for session in getattr(self, "_sessions", {}).values():
            # Its end would wait for its threads: it is never to end.
            for kept in (session, session._sess):
                ctypes.pythonapi.Py_IncRef(ctypes.py_object(kept))
        self._sessions = {}
        self._opening = threading.Lock()
        # Under a limit, what fits must do so whatever other threads do.
        limited = self.memory_limit is not None
        self.turn: contextlib.AbstractContextManager[object] = (
            threading.RLock() if limited else contextlib.nullcontext()
        )

    def _opened(self, part: str) -> onnxruntime.InferenceSession:
        with self._opening:
            if not self._sessions:
                if self.kind != "cpu":
                    raise found_error(
                        "Stylizer",
                        f"a process forked from the one that opened it on {self.kind}",
                        "one that the process opens itself, or the start method 'spawn'",
                    )
                self._sessions = self._open_all()
            return self._sessions[part]

    def _open_all(self) -> dict[str, onnxruntime.InferenceSession]:
        files = self._files
        share = None if self.memory_limit is None else max(1, self.memory_limit // len(files))
        options = _options(self.kind, self._threads, strict=self._strict)
        with _own_arena(self.memory_limit) if self.kind == "cpu" else contextlib.nullcontext():
            return {part: self._open(file, options, share) for part, file in files.items()}

    def _open(
        self, file: Path, options: onnxruntime.SessionOptions, share: int | None
    ) -> onnxruntime.InferenceSession:
        providers = providers_of(self.kind, self._device_id, file, share)
        try:
            session = open_session(file, providers, options)
        except Exception as error:
            if self._is_limit(error):
                raise self.limit_error(f"the weights of {file.name}", "a larger one") from error
            if "explicitly disabled by the user" in str(error):
                raise found_error(
                    "strict", f"nodes of {file.name} that {self.kind} leaves to the CPU", "none"
                ) from error
            raise found_error(
                str(file),
                f"a file that ONNX Runtime cannot open ({reason_of(error)})",
                "a model file of adain",
            ) from error
        if session.get_providers()[0] != providers[0][0]:
            raise AdaINError(f"device: found {self.kind!r}, which ONNX Runtime did not start")
        return session

    @property
    def device(self) -> str:
        """What really runs: ``"cpu"``, ``"cuda:0"``, ``"coreml"`` and so on."""
        session = self._opened(contract.DECODER)
        provider = session.get_providers()[0]
        kind = next(kind for kind, backend in BACKENDS.items() if backend.provider == provider)
        if not BACKENDS[kind].numbered:
            return kind
        options = session.get_provider_options().get(provider, {})
        return f"{kind}:{options.get('device_id', self._device_id)}"

    def about(self, part: str) -> dict[str, str]:
        """The metadata of a part's file."""
        meta = self._opened(part).get_modelmeta()
        with failing(str(self._files[part]), "damaged metadata", "a model file of adain"):
            metadata: dict[str, str] = meta.custom_metadata_map
            return metadata

    def tensors(self, part: str) -> tuple[list[Any], list[Any]]:
        """The inputs and outputs of a part, each with ``name``, ``type`` and ``shape``."""
        session = self._opened(part)
        return session.get_inputs(), session.get_outputs()

    def run(
        self, part: str, outputs: Sequence[str], inputs: Mapping[str, Tensor], *, stay: bool = False
    ) -> list[Tensor]:
        """The named outputs of a part, as numpy arrays; or where they are, if they may ``stay``.

        Raises LimitError where the memory limit does not suffice, and what ONNX Runtime raises.
        """
        try:
            return self._run(part, outputs, inputs, stay)
        except Exception as error:
            if self._is_limit(error):
                raise LimitError from error
            raise

    def _run(
        self, part: str, outputs: Sequence[str], inputs: Mapping[str, Tensor], stay: bool
    ) -> list[Tensor]:
        session = self._opened(part)
        values: list[Tensor]
        if self._memory is None:
            values = session.run(list(outputs), dict(inputs))
            return values
        # What one part computes for the next does not cross the bus.
        binding = session.io_binding()
        for name, value in inputs.items():
            if isinstance(value, np.ndarray):
                binding.bind_cpu_input(name, value)
            else:
                binding.bind_ortvalue_input(name, value)
        place = (self._memory, self._device_id) if stay else ("cpu", 0)
        for name in outputs:
            binding.bind_output(name, *place)
        binding.synchronize_inputs()
        session.run_with_iobinding(binding)
        binding.synchronize_outputs()
        values = binding.get_outputs()
        return values if stay else [value.numpy() for value in values]

    def give_back_memory(self) -> None:
        """Free what the arena of the CPU has kept of earlier pictures and nobody holds."""
        if self.kind != "cpu":
            return
        session = self._opened(contract.ENCODER)
        shape = next(o.shape for o in session.get_outputs() if o.name == contract.STATISTICS)
        # An output in the arena would keep the block it lies in.
        outside = onnxruntime.OrtValue.ortvalue_from_numpy(np.empty((1, *shape[1:]), np.float32))
        binding = session.io_binding()
        binding.bind_cpu_input(contract.IMAGE, TRIAL_IMAGE)
        binding.bind_ortvalue_output(contract.STATISTICS, outside)
        options = onnxruntime.RunOptions()
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        session.run_with_iobinding(binding, options)

    def _is_limit(self, error: Exception) -> bool:
        # What the arena says; ONNX Runtime has no error code for it.
        return self.memory_limit is not None and "Available memory of" in str(error)

    def limit_error(self, what: str, allowed: str) -> AdaINError:
        return found_error(
            "memory_limit", f"{self.memory_limit:,} bytes, which {what} exceeds", allowed
        )


def _options(
    kind: str, threads: int | None = None, *, strict: bool = False
) -> onnxruntime.SessionOptions:
    options = quiet_options()
    # A model's parts take turns, each with threads of its own. Those that have just finished would
    # go on spinning on the cores the next part needs: a picture then takes twice as long.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.intra_op_num_threads = threads or cores.threads()
    if kind == "cpu":
        options.add_session_config_entry("session.use_env_allocators", "1")
    elif strict:
        # Exact for these files: they hold no shape arithmetic, whose place is the CPU.
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    if kind in ("cpu", "directml"):
        # From a size's second picture on, a pattern reserves in one block what the arena has in
        # pieces already: vgg19 then takes 1.6 times the memory at 1024 x 1024, and no less time.
        # DirectML forbids patterns.
        options.enable_mem_pattern = False
    return options


@contextlib.contextmanager
def _own_arena(limit: int | None) -> Iterator[None]:
    """Sessions for the CPU that are opened within share an arena of ``limit`` bytes at most.

    ONNX Runtime has one arena in a process for sessions to be opened with. Those that are open
    keep theirs, and free it when they go: so another takes the registered one's place at the end.
    """
    with _one_at_a_time:
        _register_arena(limit)
        try:
            yield
        finally:
            _register_arena(None)


def _after_fork() -> None:
    _one_at_a_time.release()
    for sessions in list(_all):
        sessions.renew()


if hasattr(os, "register_at_fork"):
    # Not while another thread opens sessions, which holds locks of ONNX Runtime's.
    os.register_at_fork(
        before=_one_at_a_time.acquire,
        after_in_parent=_one_at_a_time.release,
        after_in_child=_after_fork,
    )


def _register_arena(limit: int | None) -> None:
    if limit is None:
        # The arena grows by blocks that double, here 5 MiB, 10 MiB and so on. What a layer computes
        # is often a power of two, and its padded copy a little more: by default, blocks are powers
        # of two, which the copies do not fit. vgg19 then took 30 % more memory at 1024 x 1024.
        growth = {"max_mem": 0, "arena_extend_strategy": 0, "initial_chunk_size_bytes": 5 << 20}
    else:
        # Growing by what is asked for leaves the last bytes of a limit of use.
        growth = {"max_mem": limit, "arena_extend_strategy": 1}
    kind = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR
    place = onnxruntime.OrtMemoryInfo("Cpu", kind, 0, onnxruntime.OrtMemType.DEFAULT)
    onnxruntime.create_and_register_allocator(place, onnxruntime.OrtArenaCfg(growth))
