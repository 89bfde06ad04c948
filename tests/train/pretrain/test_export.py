"""What is exported says the same as the encoder, and is a network that Hemocast accepts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hemocast.config import PrepareConfig
from hemocast.nets import build
from hemocast.nets.hemispheres import FINDINGS
from hemocast.onnx import Session, check_network
from hemocast.train.pretrain.export import export
from hemocast.train.pretrain.run import OWN


@pytest.mark.slow
def test_what_is_exported_says_the_same_and_is_accepted() -> None:
    torch.manual_seed(0)
    settings = PrepareConfig()
    net = build(OWN, settings.frames, settings.window)
    net.eval()
    frames = np.random.default_rng(0).uniform(0, 1, (1, 28, 192, 192)).astype(np.float32)
    content = export(net, frames)  # type: ignore[arg-type]  # compares by itself
    check_network(content)
    outline, findings, side = Session(content, threads=1).read(frames)
    assert outline.shape[:3] == (1, 2, 28)
    assert findings.shape == (1, len(FINDINGS))
    assert side.shape == (1,)
    assert len(content) < 2_000_000
