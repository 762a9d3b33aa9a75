"""A bounded pipeline: stages of work on a stream of items, each in a thread of its own.

Decoding, optical flow, ONNX Runtime and encoding all let go of Python's lock, so stages share the
cores. What is between two of them is bounded, so memory is constant.
"""

import queue
import threading
from collections.abc import Generator, Iterator
from typing import Any, TypeVar

Item = TypeVar("Item")

# Seconds after which a stage that waits for room looks whether it is to end.
_PATIENCE = 0.1
_END = object()


def ahead(items: Iterator[Item], most: int = 1) -> Generator[Item, None, None]:
    """The items, which a thread takes from their iterator up to ``most`` ahead, in their order.

    What the iterator raises is raised here in its turn. Closed, it waits for the item that is being
    made, closes the iterator if that is a generator, and ends the thread.
    """
    made: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(most)
    ended = threading.Event()

    def put(item: Any, error: BaseException | None = None) -> None:
        while not ended.is_set():
            try:
                made.put((item, error), timeout=_PATIENCE)
            except queue.Full:
                continue
            return

    def work() -> None:
        try:
            for item in items:
                put(item)
                if ended.is_set():
                    break
        except BaseException as error:
            put(_END, error)
        finally:
            if isinstance(items, Generator):
                items.close()
            put(_END)

    thread = threading.Thread(target=work, name="adain-video", daemon=True)
    thread.start()
    try:
        while True:
            item, error = made.get()
            if error is not None:
                raise error
            if item is _END:
                return
            yield item
    finally:
        ended.set()
        thread.join()
