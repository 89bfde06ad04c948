from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch

from hemocast.config import NetConfig, PrepareConfig
from hemocast.errors import ParityError
from hemocast.model import export
from hemocast.model.export import TOLERANCE, check_parity, to_onnx
from hemocast.nets import build
from hemocast.onnx import Session

PREPARE = PrepareConfig(frames=8, size=64, pixel_mm=3)


@pytest.fixture(scope="module")
def frames(make_stack) -> np.ndarray:
    return np.stack([make_stack(seed).frames for seed in range(7)])


def settings_of(name: str) -> NetConfig:
    """As in ``conftest.py``: the graph is drawn once for both."""
    return NetConfig(name=name, pool=1, smooth=3, stem=8, widths=(8, 16), blocks=1)


@pytest.fixture(scope="module", params=["ctnet3d", pytest.param("ctnet2d", marks=pytest.mark.slow)])
def exported(request, frames):
    torch.manual_seed(2)
    settings = settings_of(request.param)
    net = build(settings, frames=8)
    return net, to_onnx(net, frames[:3], (settings, PREPARE))


@pytest.mark.parametrize("batch", [1, 2, 5, 7])
def test_batches_never_seen_at_export_agree(exported, frames, batch):
    net, content = exported
    logit, maps = Session(content, 1).run(frames[:batch])
    with torch.inference_mode():
        expected_logit, expected_maps = net(torch.from_numpy(frames[:batch]))
    assert logit.shape == (batch,)
    np.testing.assert_allclose(logit, expected_logit.numpy(), atol=TOLERANCE)
    np.testing.assert_allclose(maps, expected_maps.numpy(), atol=1e-3)


def test_the_export_gives_the_same_bytes_each_time(exported, frames):
    net, content = exported
    if net.dims == 2:  # seconds: one of the two is enough
        assert to_onnx(net, frames[:3]) == content


def test_the_next_network_of_these_settings_takes_over_the_graph(exported, frames, monkeypatch):
    """Every training of a process drew the same graph again, seven seconds each."""
    net, content = exported
    settings = settings_of("ctnet2d" if net.dims == 2 else "ctnet3d")
    torch.manual_seed(3)
    other = build(settings, frames=8)

    def never(*_):
        raise AssertionError("drawn again")

    monkeypatch.setattr(export, "_drawn", never)
    again = to_onnx(other, frames[:3], (settings, PREPARE))  # refuses what differs
    assert again != content
    assert to_onnx(net, frames[:3], (settings, PREPARE)) == content
    for changed in (
        (settings.model_copy(update={"fluid_hu": 0.0}), PREPARE),
        (settings, PREPARE.model_copy(update={"window_high": 100.0})),
        (settings.model_copy(update={"name": "mine:Net"}), PREPARE),
        None,
    ):
        with pytest.raises(AssertionError, match="drawn again"):
            to_onnx(other, frames[:3], changed)


def test_one_file_without_external_data_or_traces_of_the_machine(exported):
    _, content = exported
    model = onnx.load_model_from_string(content)
    assert not any(tensor.external_data for tensor in model.graph.initializer)
    assert b"site-packages" not in content
    assert b".py" not in content
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"


def test_a_network_with_other_weights_is_found_out(exported, frames):
    net, content = exported
    other = build(settings_of("ctnet2d" if net.dims == 2 else "ctnet3d"), frames=8)
    with pytest.raises(ParityError):
        check_parity(other.eval(), content, frames)


def test_a_network_that_gives_no_numbers_is_found_out(exported, frames):
    net, content = exported
    bias = net.head.bias.detach().clone()
    try:
        with torch.no_grad():
            net.head.bias.fill_(float("nan"))
        with pytest.raises(ParityError):
            check_parity(net, content, frames)
    finally:
        with torch.no_grad():
            net.head.bias.copy_(bias)


@pytest.mark.slow
def test_the_default_network_at_full_size_loses_nothing_by_the_export():
    """ONNX Runtime's own instance normalisation was off by more than 1e-4 on some scans."""
    torch.manual_seed(0)
    net = build(NetConfig(), frames=28).eval()
    rng = np.random.default_rng(0)
    frames = np.clip(rng.normal(0.6, 0.2, (2, 28, 192, 192)), 0, 1).astype(np.float32)
    frames[..., :40] = 0
    content = to_onnx(net, frames)
    assert check_parity(net, content, frames) < 1e-5


@pytest.mark.slow  # two exports each, of seconds
@pytest.mark.parametrize("fluid", [None, 0.0, 7.5])
def test_the_mirror_channel_is_exported_with_its_fluid_and_window(frames, fluid):
    config = NetConfig(pool=2, smooth=3, stem=8, widths=(8,), blocks=1, fluid_hu=fluid)
    batch = np.concatenate([frames[:3], np.zeros_like(frames[:1]), frames[3:4] * 0.2])
    logits = []
    for window in ((10.0, 50.0), (0.0, 100.0)):
        torch.manual_seed(2)
        net = build(config, 8, window)
        content = to_onnx(net, batch)  # refuses what differs
        logits.append(Session(content, 1).run(batch)[0])
        assert np.isfinite(logits[-1]).all()
    assert np.allclose(*logits, atol=1e-5) == (fluid in (None, 0.0))
