"""ONNX Runtime, imported when first needed, on the CPU, silent."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from hemocast.volume import FloatArray


class Session:
    """An exported network ready to run.

    Parameters
    ----------
    content : bytes
        The ONNX file. Bytes, not a path: what runs is what was hashed, and nothing beside the
        file can be pulled in.
    threads : int or None
        Threads within one operator; default: the CPUs this process may use.
    """

    def __init__(self, content: bytes, threads: int | None = None) -> None:
        import onnxruntime

        if hasattr(onnxruntime, "disable_telemetry_events"):
            onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or usable_cpus()
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Waiting threads sleep: a little slower alone, far faster beside other work.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session: Any = onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"]
        )

    def run(self, frames: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return logit (n,) and last feature maps (n, C, ...) for frames (n, 28, H, W)."""
        logit, maps = self._session.run(
            ["logit", "maps"], {"frames": np.ascontiguousarray(frames, np.float32)}
        )
        return logit, maps


def usable_cpus() -> int:
    """Return how many CPUs this process may use; where that is not told, how many there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
