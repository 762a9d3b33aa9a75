"""Processes that read what strangers sent: how they are started, and what they are told."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from adain.errors import DeviceError
from adain.server.decoding.channel import Channel, Window

# The passwords among the server's options are not for whoever takes over such a process.
_SECRET = ("ADAIN_SERVE_", "ADAIN_DEMO_")


def start(
    module: str,
    work: str,
    *,
    folder: Path | None = None,
    variables: Mapping[str, str] | None = None,
) -> tuple[subprocess.Popen[bytes], Channel]:
    """A process that runs a ``module`` in a folder, and the server's end of its channel.

    ``variables`` are added to its environment. DeviceError, which names the ``work``, where the
    machine has no process to give.
    """
    # As this process finds its modules, wherever that is from.
    paths = os.pathsep.join(filter(None, sys.path)) or os.environ.get("PYTHONPATH", "")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(_SECRET)}
    try:
        window = Window.make()
        files = [] if window is None else [window.file]
        process = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, files)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            pass_fds=files,
            cwd=folder,
            env=environment | {"PYTHONPATH": paths} | dict(variables or {}),
        )
    except OSError as error:
        raise DeviceError(f"found no process {work} ({error.strerror})") from error
    assert process.stdin is not None and process.stdout is not None
    return process, Channel(process.stdout, process.stdin, window)
