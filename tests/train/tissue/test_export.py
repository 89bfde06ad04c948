from __future__ import annotations

import pytest
import torch

from hemocast.onnx import check_network
from hemocast.train.tissue.export import export
from hemocast.train.tissue.network import CHANNELS, TissueNet


@pytest.mark.slow
def test_what_is_exported_says_the_same_and_is_accepted():
    torch.manual_seed(0)
    net = TissueNet()
    net.train()
    net(torch.randn(2, CHANNELS, 16, 16, 16))  # the norms have seen something
    content = export(net)  # compares by itself
    check_network(content)
    assert len(content) < 3_000_000
