"""The Open Inference Protocol over gRPC, on a port of its own beside that of HTTP.

The middleware does not see it: names and passwords, the size of a message and the queue are
checked here, by the same settings. The messages are Triton's, from its client's package.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote

from starlette.exceptions import HTTPException

from adain import AdaINError, __version__
from adain.errors import DeviceError, MissingError
from adain.server import paths
from adain.server.asgi import CLIENT, RefusedError, found_line
from adain.server.checks.authentication import Authentication
from adain.server.engine import Engine
from adain.server.inference import protocol
from adain.server.inference.models import Models, Place, find
from adain.server.metrics import Metrics
from adain.server.queue import BusyError

SERVICE = "inference.GRPCInferenceService"
# Bytes of a message around its tensors.
AROUND = 64_000
# Answered without a login.
_OPEN = ("ServerLive", "ServerReady")
# gRPC's words for our statuses.
_CODES = {
    200: "OK",
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}

log = logging.getLogger(__name__)


def check_installed() -> None:
    """Raise MissingError where gRPC or the protocol's messages are not installed."""
    try:
        import grpc  # noqa: F401
        import tritonclient.grpc.service_pb2  # noqa: F401
    except ImportError:
        raise MissingError("--grpc-port needs gRPC: pip install 'adain[grpc]'") from None


def start(engine: Engine, metrics: Metrics) -> Callable[[], object]:
    """Serve on the settings' host and ``grpc_port``; what stops it. AdaINError for a taken port."""
    import grpc

    settings = engine.settings
    limit = paths.TENSORS * settings.max_upload + AROUND
    waiting = settings.workers + settings.queue
    server = grpc.server(
        ThreadPoolExecutor(waiting + 4, "grpc"),
        # Where two servers could share a port, each would get half of the calls.
        options=[
            ("grpc.max_receive_message_length", limit),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 0),
        ],
        maximum_concurrent_rpcs=waiting + 4,
    )
    server.add_generic_rpc_handlers([_Calls(engine, metrics).handlers()])
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    try:
        server.add_insecure_port(f"{host}:{settings.grpc_port}")
    except RuntimeError:
        found = f"cannot listen on {settings.host}:{settings.grpc_port}"
        raise AdaINError(f"{found}; choose another --grpc-port or --host") from None
    server.start()
    return lambda: server.stop(settings.drain).wait()


class _Calls:
    """The methods of the service that answer; streams and repositories are Triton's own."""

    def __init__(self, engine: Engine, metrics: Metrics) -> None:
        self._engine, self._metrics = engine, metrics
        self._models = Models(engine)
        self._authentication = Authentication(engine.settings.users)

    def handlers(self) -> Any:
        import grpc
        from tritonclient.grpc import service_pb2 as messages

        answers: Mapping[str, Callable[[Any], Mapping[str, Any]]] = {
            "ServerLive": lambda _: {"live": True},
            "ServerReady": lambda _: {"ready": self._engine.ready},
            "ServerMetadata": lambda _: {"name": "adain", "version": __version__},
            "ModelReady": lambda call: {"ready": bool(_place(call)) and self._engine.ready},
            "ModelMetadata": self._about,
            "ModelInfer": self._infer,
        }
        handlers = {}
        for name, answer in answers.items():
            asked, told = (getattr(messages, f"{name}{kind}") for kind in ("Request", "Response"))
            handlers[name] = grpc.unary_unary_rpc_method_handler(
                self._method(name, answer, told),
                request_deserializer=asked.FromString,
                response_serializer=told.SerializeToString,
            )
        return grpc.method_handlers_generic_handler(SERVICE, handlers)

    def _method(
        self, name: str, answer: Callable[[Any], Mapping[str, Any]], message: Any
    ) -> Callable[[Any, Any], Any]:
        import grpc

        def method(call: Any, context: Any) -> Any:
            started = time.monotonic()
            status, problem, told = 200, "", None
            try:
                self._admit(name, context)
                told = message(**answer(call))
            except RefusedError as refusal:
                status, problem = refusal.status, str(refusal)
            except HTTPException as refusal:
                status, problem = refusal.status_code, str(refusal.detail)
            except BusyError as error:
                status, problem = 503, str(error)
            except AdaINError as error:
                status, problem = 400, str(error)
                if isinstance(error, DeviceError):
                    # Where files lie on this machine is for the log alone.
                    log.error("%s", error)
                    status, problem = 500, "the server failed"
            except Exception as error:
                log.error("%s: %s", name, found_line(error), exc_info=True)
                status, problem = 500, "the server failed"
            self._metrics.count("GRPC", name, status, time.monotonic() - started)
            if told is None:
                context.abort(grpc.StatusCode[_CODES[status]], problem)
            return told

        return method

    def _admit(self, name: str, context: Any) -> None:
        """Let in who gives a name and a password, where they are asked for."""
        # As "ipv4:127.0.0.1:41234" and "ipv6:%5B::1%5D:41234".
        address = unquote(context.peer()).partition(":")[2].rpartition(":")[0].strip("[]")
        CLIENT.set(address)
        if self._authentication.needed and name not in _OPEN:
            given = dict(context.invocation_metadata())
            header = (b"authorization", str(given.get("authorization", "")).encode())
            CLIENT.set(self._authentication.user({"type": "http", "headers": [header]}, address))

    def _about(self, call: Any) -> dict[str, Any]:
        place = _place(call)
        return self._engine.queue.run(lambda: self._models.about(call.name, place))

    def _infer(self, call: Any) -> dict[str, Any]:
        place = find(call.model_name, call.model_version)

        def work() -> dict[str, Any]:
            asked = _read(call, *self._models.signature(place))
            values = self._models.run(place, asked)
            told = [protocol.Signature.of(name, values[name]).about for name in asked.outputs]
            raw = [values[name].tobytes() for name in asked.outputs]
            about = {"model_name": call.model_name, "model_version": protocol.VERSION}
            return about | {"id": asked.id, "outputs": told, "raw_output_contents": raw}

        answer: dict[str, Any] = self._engine.queue.run(work)
        return answer


def _place(call: Any) -> Place:
    return find(call.name, call.version)


def _read(call: Any, inputs: Any, outputs: Any) -> protocol.Call:
    """A message as the call it is; tensors are raw, as Triton's client sends them."""
    raw = call.raw_input_contents
    sizes = [len(part) for part in raw]
    if len(sizes) != len(call.inputs):
        raise protocol.not_raw(len(sizes), len(call.inputs))
    told = {
        "id": call.id,
        "inputs": [
            {"name": tensor.name, "datatype": tensor.datatype, "shape": [*tensor.shape]}
            | {"parameters": {"binary_data_size": size}}
            for tensor, size in zip(call.inputs, sizes, strict=True)
        ],
        "outputs": [{"name": tensor.name} for tensor in call.outputs],
    }
    return protocol.read(told, memoryview(b"".join(raw)), inputs, outputs)
