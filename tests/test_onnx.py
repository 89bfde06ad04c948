"""Networks from outside: what ONNX Runtime never gets to see, and what it may not do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hemocast.onnx
from hemocast.errors import MissingExtra, ModelCorrupt
from hemocast.onnx import Session, check_network, usable_cpus

DEMO = Path(hemocast.onnx.__file__).parent / "assets" / "demo_model" / "model.onnx"


def _model(*nodes, initializers=(), opset=20, domain="", functions=()) -> bytes:
    """Make an ONNX file of (operator, inputs, outputs, attributes) with frames, logit and maps."""
    onnx = pytest.importorskip("onnx")
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node(*node[:3], **(node[3] if len(node) > 3 else {})) for node in nodes],
        "net",
        [helper.make_tensor_value_info("frames", floats, ["n", 2, 4, 4])],
        [
            helper.make_tensor_value_info("logit", floats, ["n"]),
            helper.make_tensor_value_info("maps", floats, None),
        ],
        list(initializers),
    )
    opsets = [helper.make_opsetid("", opset)]
    if domain:
        opsets.append(helper.make_opsetid(domain, 1))
    return helper.make_model(
        graph, opset_imports=opsets, ir_version=10, functions=functions
    ).SerializeToString()


MEAN = ("ReduceMean", ["frames", "axes"], ["logit"], {"keepdims": 0})
MAPS = ("Identity", ["frames"], ["maps"])


def _axes():
    from onnx import numpy_helper

    return numpy_helper.from_array(np.array([1, 2, 3]), "axes")


def test_a_gpu_is_taken_where_there_is_one_and_refused_where_there_is_none() -> None:
    content = _model(MEAN, MAPS, initializers=[_axes()])
    frames = np.random.default_rng(0).random((1, 2, 4, 4), np.float32)
    logit, _ = Session(content, device="auto").run(frames)
    np.testing.assert_allclose(logit, frames.mean((1, 2, 3)), rtol=1e-5)
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("ONNX Runtime may have a GPU here")
    with pytest.raises(MissingExtra, match="onnxruntime-gpu"):
        Session(content, device="cuda")


def test_a_network_of_allowed_operators_runs() -> None:
    session = Session(_model(MEAN, MAPS, initializers=[_axes()]))
    frames = np.random.default_rng(0).random((3, 2, 4, 4), np.float32)
    logit, maps = session.run(frames)
    np.testing.assert_allclose(logit, frames.mean((1, 2, 3)), rtol=1e-5)
    np.testing.assert_array_equal(maps, frames)


def test_the_shipped_network_passes() -> None:
    assert check_network(DEMO.read_bytes()) is None


def _loop() -> bytes:
    from onnx import TensorProto, helper

    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
        ],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, [])],
    )
    return _model(MEAN, MAPS, ("Loop", ["", "go"], [], {"body": body}), initializers=[_axes()])


def _hidden_graph() -> bytes:
    """A graph in an attribute of an operator that is allowed."""
    from onnx import helper

    inner = helper.make_graph([], "inner", [], [])
    return _model((*MEAN[:3], {"keepdims": 0, "body": inner}), MAPS, initializers=[_axes()])


def _external() -> bytes:
    from onnx import TensorProto

    tensor = TensorProto(name="axes", data_type=TensorProto.INT64, dims=[3])
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "weights.bin"
    return _model(MEAN, MAPS, initializers=[tensor])


def _external_constant() -> bytes:
    from onnx import TensorProto

    tensor = TensorProto(data_type=TensorProto.INT64, dims=[3])
    tensor.data_location = TensorProto.EXTERNAL
    return _model(("Constant", [], ["axes"], {"value": tensor}), MEAN, MAPS)


def _function() -> bytes:
    from onnx import helper

    function = helper.make_function("ours", "f", ["x"], ["y"], [], [helper.make_opsetid("", 20)])
    return _model(MEAN, MAPS, initializers=[_axes()], functions=[function])


HOSTILE = {
    "a loop": _loop,
    "a graph in an attribute": _hidden_graph,
    "external data": _external,
    "external data of a constant": _external_constant,
    "a function": _function,
    "another domain": lambda: _model(
        MEAN, MAPS, ("Add", [], [], {"domain": "com.evil"}), initializers=[_axes()]
    ),
    "another set of operators": lambda: _model(
        MEAN, MAPS, initializers=[_axes()], domain="com.evil"
    ),
    "an old opset": lambda: _model(MEAN, MAPS, initializers=[_axes()], opset=9),
    "memory without bound": lambda: _model(
        MEAN, MAPS, ("ConstantOfShape", ["axes"], ["much"]), initializers=[_axes()]
    ),
    "nothing": lambda: b"",
    "text": lambda: b"this is no network, and has no length that fits",
    "the half of one": lambda: DEMO.read_bytes()[:1000],
    "a number without end": lambda: b"\xff" * 100,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_we_never_export_is_refused_before_it_is_loaded(kind: str) -> None:
    pytest.importorskip("onnx")
    with pytest.raises(ModelCorrupt) as refusal:
        Session(HOSTILE[kind]())
    assert str(refusal.value).startswith("HC502 The model's network")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        check_network(content)
    except ModelCorrupt:
        return
    assert content


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2000), st.integers(0, 255))
def test_a_changed_byte_gives_a_network_or_a_refusal(at: int, byte: int) -> None:
    content = bytearray(DEMO.read_bytes())
    content[at] = byte
    try:
        Session(bytes(content), threads=1)
    except ModelCorrupt:
        return
    assert bytes(content)


def test_wrong_outputs_and_inputs_are_refused() -> None:
    scalar = _model(("ReduceMean", ["frames"], ["logit"], {"keepdims": 0}), MAPS)
    frames = np.zeros((2, 2, 4, 4), np.float32)
    with pytest.raises(ModelCorrupt):
        Session(scalar).run(frames)
    good = Session(_model(MEAN, MAPS, initializers=[_axes()]))
    with pytest.raises(ModelCorrupt, match="does not run"):
        good.run(np.zeros((1, 3, 4, 4), np.float32))


def test_a_run_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    from onnx import numpy_helper

    big = numpy_helper.from_array(np.full((600, 600), 0.01, np.float32), "big")
    chain = [("MatMul", ["big", "big"], ["x0"])]
    chain += [("MatMul", [f"x{i}", "big"], [f"x{i + 1}"]) for i in range(3000)]
    # Depends on the input, so that nothing of it is folded into a constant at load.
    chain[0] = ("MatMul", ["wide", "big"], ["x0"])
    wide = numpy_helper.from_array(np.ones((16, 600), np.float32), "wide0")
    shape = numpy_helper.from_array(np.array([-1, 16]), "shape")
    nodes = [
        ("Reshape", ["frames", "shape"], ["rows"]),
        ("Slice", ["rows", "zero", "one"], ["first"]),
        ("MatMul", ["first", "wide0"], ["wide"]),
        *chain,
        ("Identity", ["x3000"], ["maps"]),
        MEAN,
    ]
    ints = [numpy_helper.from_array(np.array([v]), n) for n, v in (("zero", 0), ("one", 1))]
    content = _model(*nodes, initializers=[_axes(), big, wide, shape, *ints])
    session = Session(content, threads=1)
    monkeypatch.setattr(hemocast.onnx, "LONGEST_SECONDS", 0.005)
    with pytest.raises(ModelCorrupt, match="seconds"):
        session.run(np.ones((1, 2, 4, 4), np.float32))


def test_cpus_are_counted_where_affinity_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert usable_cpus() == os.cpu_count()


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_loading_a_network_looks_nothing_up_and_leaves_nothing_in_the_home(tmp_path: Path) -> None:
    home, trace = tmp_path / "home", tmp_path / "trace"
    home.mkdir()
    program = "from hemocast.model import load_default; load_default()._session"
    environment = {"HOME": str(home), "XDG_CACHE_HOME": str(home), "TMPDIR": str(tmp_path)}
    subprocess.run(
        ["strace", "-f", "-o", str(trace), "-e", "trace=socket,connect,sendto,bind",
         sys.executable, "-c", program],
        env={**os.environ, **environment, "ORT_DISABLE_TELEMETRY": "0"},
        check=True,
    )  # fmt: skip
    assert "AF_INET" not in trace.read_text()
    assert list(home.rglob("*")) == []
