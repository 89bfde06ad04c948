"""ONNX Runtime: imported here and nowhere else, silent, on networks that were looked at first.

A model folder comes from outside. Its hashes show that it is whole, not that it means well: before
ONNX Runtime sees a network, `check_network` reads it as protocol buffers and refuses what a network
of ours never holds (loops, branches, functions, foreign operators, tensors in other files).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from threading import Timer
from typing import Any, Literal

import numpy as np

from hemocast.errors import MissingExtra, ModelCorrupt
from hemocast.volume import FloatArray

LONGEST_SECONDS = 120.0
"""For one run of a network: a hundred times what the largest of ours takes for one scan."""

OPSETS = range(17, 24)
"""Versions of the standard operators that are accepted; ours are exported with 20."""

Device = Literal["cpu", "cuda", "auto"]
"""What runs a network; auto: a GPU where ONNX Runtime finds one, else the CPU."""

_GPU = "CUDAExecutionProvider"

# What convolutional networks and transformers are made of. Control flow could run for ever, and
# Expand, Tile or ConstantOfShape could ask for any amount of memory.
_NAMES = """
Abs Add And AveragePool BatchNormalization Cast Clip Concat Constant Conv Div Einsum Elu Equal
Erf Exp Flatten Gather Gelu Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual
GroupNormalization HardSigmoid HardSwish Identity InstanceNormalization LayerNormalization
LeakyRelu Less LessOrEqual Log MatMul Max MaxPool Mean Min Mish Mul Neg Not Or PRelu Pow
Reciprocal ReduceMax ReduceMean ReduceMin ReduceSum Relu Reshape Shape Sigmoid Slice Softmax
Softplus Split Sqrt Squeeze Sub Sum Tanh Transpose Unsqueeze Where
"""
OPERATORS = frozenset(_NAMES.split())

# Field numbers of the ONNX format (onnx.proto3, IR version 10).
_MODEL_GRAPH, _MODEL_OPSETS, _MODEL_TRAINING, _MODEL_FUNCTIONS = 7, 8, 20, 25
_GRAPH_NODE, _GRAPH_TENSOR, _GRAPH_SPARSE = 1, 5, 15
_NODE_OPERATOR, _NODE_ATTRIBUTE, _NODE_DOMAIN = 4, 5, 7
_ATTRIBUTE_TENSOR, _ATTRIBUTE_TENSORS = 5, 10
_ATTRIBUTE_GRAPHS = (6, 11, 22, 23)  # graphs, and sparse tensors, of which ours have none
_TENSOR_EXTERNAL, _TENSOR_LOCATION = 13, 14
_STANDARD_DOMAINS = (b"", b"ai.onnx")


class Session:
    """An exported network ready to run.

    Parameters
    ----------
    content : bytes
        The ONNX file. Bytes, not a path: what runs is what was hashed, and nothing beside the
        file can be pulled in.
    threads : int or None
        Threads within one operator; default: the CPUs this process may use.
    device : str
        See `Device`. A GPU multiplies in full float32 too (no TF32).

    Raises
    ------
    ModelCorrupt
        The network is not one that Hemocast could have written, or ONNX Runtime refuses it.
    MissingExtra
        A GPU is asked for, and ONNX Runtime cannot use one here.
    """

    def __init__(self, content: bytes, threads: int | None = None, device: Device = "cpu") -> None:
        check_network(content)
        runtime = _runtime()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads or usable_cpus()
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        # What the higher levels fuse makes our networks no faster, and takes longer than one scan.
        options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        # Waiting threads sleep: a little slower alone, far faster beside other work.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._run_options = runtime.RunOptions
        usable = device != "cpu" and _GPU in runtime.get_available_providers()
        gpu = [(_GPU, {"use_tf32": "0"})] if usable else []
        try:
            self._session: Any = runtime.InferenceSession(
                content, options, providers=[*gpu, "CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's errors share no base of their own
            raise _corrupt("ONNX Runtime cannot load it") from error
        # Where CUDA's libraries are missing, ONNX Runtime falls back to the CPU in silence.
        if device == "cuda" and self._session.get_providers()[0] != _GPU:
            raise MissingExtra(
                "ONNX Runtime cannot use a GPU here",
                "the package onnxruntime-gpu in place of onnxruntime, with CUDA, and a GPU",
                "Install it, or take --device cpu",
            )

    def run(self, frames: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return logit (n,) and last feature maps (n, C, ...) for frames (n, 28, H, W).

        Raises
        ------
        ModelCorrupt
            The network does not take such frames, gives something else, or runs too long.
        """
        logit, maps = self._ask(["logit", "maps"], "frames", frames)
        if logit.shape != (len(frames),) or len(maps) != len(frames):
            raise _corrupt("gives something else than a logit and maps for each scan")
        return logit, maps

    def map(self, scan: FloatArray) -> FloatArray:
        """Return logits (1, outputs, z, y, x) for a scan's windows (1, channels, z, y, x).

        Runs once a scan and needs 40 MB on the way, which it gives back.

        Raises
        ------
        ModelCorrupt
            The network does not take such a scan, gives something else, or runs too long.
        """
        (logits,) = self._ask(["map"], "scan", scan, keep_memory=False)
        if logits.ndim != 5 or logits.shape[2:] != scan.shape[2:]:
            raise _corrupt("gives something else than a map of the scan")
        return logits

    def read(self, frames: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return outline (n, 2, 28, h, w), findings (n, k) and side (n,) for frames (n, 28, H, W).

        Raises
        ------
        ModelCorrupt
            The network does not take such frames, gives something else, or runs too long.
        """
        outline, findings, side = self._ask(["outline", "findings", "side"], "frames", frames)
        if outline.shape[:3] != (len(frames), 2, frames.shape[1]) or side.shape != (len(frames),):
            raise _corrupt("gives something else than an outline of each scan")
        return outline, findings, side

    def _ask(
        self, wanted: list[str], name: str, given: FloatArray, *, keep_memory: bool = True
    ) -> list[FloatArray]:
        """Run the network, for no longer than `LONGEST_SECONDS` a scan."""
        options = self._run_options()
        options.log_severity_level = 4
        if not keep_memory:
            options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        limit = Timer(LONGEST_SECONDS * len(given), setattr, (options, "terminate", True))
        limit.daemon = True
        limit.start()
        try:
            said: list[FloatArray] = self._session.run(
                wanted, {name: np.ascontiguousarray(given, np.float32)}, options
            )
        except Exception as error:
            late = f"ran for more than {LONGEST_SECONDS:.0f} seconds a scan"
            raise _corrupt(late if options.terminate else "does not run on a scan") from error
        finally:
            limit.cancel()
        return said


def _runtime() -> Any:
    """Import ONNX Runtime with its telemetry off.

    `disable_telemetry_events` alone comes too late: the import itself has already looked for its
    host and written a device identifier. The environment reaches worker processes too.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    if hasattr(onnxruntime, "disable_telemetry_events"):
        onnxruntime.disable_telemetry_events()
    return onnxruntime


def gpu_usable() -> bool:
    """Whether this ONNX Runtime was built for NVIDIA GPUs; the machine may have none."""
    return _GPU in _runtime().get_available_providers()


def check_network(content: bytes) -> None:
    """Refuse an ONNX file that holds what a network of Hemocast never does.

    Parameters
    ----------
    content : bytes
        The file.

    Raises
    ------
    ModelCorrupt
        It is no ONNX file, or has loops, branches, functions, operators or operator sets that we
        do not export, or tensors that lie in other files.
    """
    try:
        fields = dict(_fields(memoryview(content), (_MODEL_GRAPH, _MODEL_OPSETS)))
        if not {_MODEL_GRAPH, _MODEL_OPSETS} <= fields.keys():
            raise _corrupt("is no ONNX file")
        for number, value in _fields(memoryview(content)):
            if number in (_MODEL_TRAINING, _MODEL_FUNCTIONS):
                raise _corrupt("holds functions")
            if number == _MODEL_OPSETS:
                _check_opset(_message(value))
            if number == _MODEL_GRAPH:
                _check_graph(_message(value))
    except (IndexError, ValueError) as error:
        raise _corrupt("is no ONNX file") from error


def _check_opset(opset: memoryview) -> None:
    known = dict(_fields(opset))
    domain, version = known.get(1, b""), known.get(2, 0)
    if bytes(_message(domain)) not in _STANDARD_DOMAINS or version not in OPSETS:
        raise _corrupt("uses a set of operators that Hemocast does not export")


def _check_graph(graph: memoryview) -> None:
    for number, value in _fields(graph, (_GRAPH_NODE, _GRAPH_TENSOR, _GRAPH_SPARSE)):
        if number == _GRAPH_SPARSE:
            raise _corrupt("holds sparse tensors")
        if number == _GRAPH_TENSOR:
            _check_tensor(_message(value))
        else:
            _check_node(_message(value))


def _check_node(node: memoryview) -> None:
    for number, value in _fields(node, (_NODE_OPERATOR, _NODE_ATTRIBUTE, _NODE_DOMAIN)):
        text = _message(value)
        if number == _NODE_OPERATOR and bytes(text).decode("ascii", "replace") not in OPERATORS:
            raise _corrupt("holds an operator that Hemocast does not export")
        if number == _NODE_DOMAIN and bytes(text) not in _STANDARD_DOMAINS:
            raise _corrupt("holds an operator of another domain")
        if number == _NODE_ATTRIBUTE:
            for kind, content in _fields(text):
                if kind in _ATTRIBUTE_GRAPHS:
                    raise _corrupt("holds a graph within a graph, or sparse tensors")
                if kind in (_ATTRIBUTE_TENSOR, _ATTRIBUTE_TENSORS):
                    _check_tensor(_message(content))


def _check_tensor(tensor: memoryview) -> None:
    for number, value in _fields(tensor, (_TENSOR_EXTERNAL, _TENSOR_LOCATION)):
        if number == _TENSOR_EXTERNAL or value != 0:
            raise _corrupt("has tensors that lie in another file")


def _fields(
    data: memoryview, wanted: tuple[int, ...] | None = None
) -> Iterator[tuple[int, memoryview | int]]:
    """Yield number and value of the fields of a message (Protocol Buffers encoding).

    Raises
    ------
    IndexError, ValueError
        The bytes are no message.
    """
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        value: memoryview | int
        if wire == 0:
            value, at = _varint(data, at)
        elif wire in (1, 2, 5):
            size, at = _varint(data, at) if wire == 2 else ({1: 8, 5: 4}[wire], at)
            if size > len(data) - at:
                raise ValueError("a field ends beyond its message")
            value = data[at : at + size]
            at += size
        else:
            raise ValueError("no such wire type")
        if wanted is None or number in wanted:
            yield number, value


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number without end")


def _message(value: memoryview | int | bytes) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number where a message should be")
    return memoryview(value)


def _corrupt(what: str) -> ModelCorrupt:
    return ModelCorrupt(
        f"The model's network {what}",
        "a network that Hemocast exported",
        "Get the model folder again from its source",
    )


def usable_cpus() -> int:
    """Return how many CPUs this process may use; where that is not told, how many there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
