"""The list of layers is the network's own."""

import pytest

from hemocast.config import NetConfig, PrepareConfig

torch = pytest.importorskip("torch")

from hemocast.nets import build  # noqa: E402
from hemocast.nets.describe import describe  # noqa: E402


@pytest.mark.parametrize("name", ["ctnet2d", "ctnet3d"])
def test_every_learned_number_is_in_one_layer(name: str) -> None:
    config = NetConfig(name=name)
    layers = describe(config, PrepareConfig())
    assert sum(layer.parameters for layer in layers) == sum(
        p.numel() for p in build(config).parameters()
    )
    assert [layer.kind for layer in layers] == [
        "input", "convolution", "block 2", "block 1", "block 2", "block 1", "predictor",
    ]  # fmt: skip


def test_the_last_map_has_the_shape_that_the_network_returns() -> None:
    config = NetConfig(widths=(8, 8, 24), blocks=2)
    prepare = PrepareConfig(size=96)
    layers = describe(config, prepare)
    _, features = build(config)(torch.zeros(1, 28, 96, 96))
    assert layers[-2].shape == tuple(features.shape[1:])
    # The second stage keeps its width but not its frames, so it needs the linear shortcut.
    kinds = [layer.kind for layer in layers]
    assert kinds[2:5] == ["block 2", "block 1", "block 1"]
    assert kinds[5] == "block 2"
