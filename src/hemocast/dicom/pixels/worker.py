"""Compressed frames decoded in a process of their own, which may crash, hang or run out of memory.

Decoders of JPEG, JPEG-LS and JPEG 2000 are written in C and C++. Their streams are looked at first
(`encapsulated.check_stream`); what that misses costs one frame, not the run.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from contextlib import suppress
from threading import Lock, Timer
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemocast.dicom.pixels import decompress
from hemocast.dicom.pixels.decompress import LONGEST_SECONDS, Compressed
from hemocast.dicom.refusals import malformed


class Worker:
    """A process that decodes; started when first asked, and anew when it has ended."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = Lock()
        atexit.register(self.close)

    @property
    def pid(self) -> int | None:
        """Of the process, where there is one."""
        return self._process.pid if self._process is not None else None

    def decode(self, how: Compressed, frame: bytes) -> NDArray[Any]:
        """Decode one frame; several threads take turns.

        Parameters
        ----------
        how : Compressed
            What it is.
        frame : bytes
            Its codestream.

        Returns
        -------
        ndarray of integers, shape (rows, columns)

        Raises
        ------
        MalformedFile
            The decoder refused it, crashed, asked for too much memory, or took too long.
        """
        with self._lock:
            start = monotonic()
            answer = self._ask(how, frame)
            late = monotonic() - start >= LONGEST_SECONDS
        if answer is None and late:
            raise malformed(
                f"Decompressing an image of the series took more than {LONGEST_SECONDS} seconds"
            )
        if answer is None:
            raise malformed("An image of the series made its decoder crash")
        header, content = answer
        if "error" in header:
            raise malformed(f"An image of the series cannot be decompressed ({header['error']})")
        return np.frombuffer(content, header["dtype"]).reshape(header["shape"])

    def _ask(self, how: Compressed, frame: bytes) -> tuple[dict[str, Any], bytes] | None:
        """Give the answer, or None where the process ended or was ended."""
        if self._process is not None and self._process.poll() is not None:
            self.close()  # ended between two frames: neither's fault
        process = self._process = self._process or _start()
        assert process.stdin is not None  # noqa: S101  # for mypy
        assert process.stdout is not None  # noqa: S101
        limit = Timer(LONGEST_SECONDS, process.kill)
        limit.daemon = True
        limit.start()
        answer = None
        try:
            with suppress(BrokenPipeError):
                decompress.ask(process.stdin, how, frame)
                answer = decompress.receive(process.stdout)
        finally:
            limit.cancel()
            if answer is None:  # whatever came between: no later frame may get this one's answer
                self.close()
        return answer

    def close(self) -> None:
        """End the process."""
        if self._process is None:
            return
        self._process.kill()
        with suppress(BrokenPipeError):
            self._process.communicate()
        self._process = None

    def forget(self) -> None:
        """Leave the process to another, of which this one is a copy."""
        self._process, self._lock = None, Lock()


def _start() -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    return subprocess.Popen(  # noqa: S603  # our own program
        [sys.executable, "-P", decompress.__file__],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


WORKER = Worker()
"""The one of this process."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=WORKER.forget)
