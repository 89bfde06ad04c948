from __future__ import annotations

import torch

from hemocast.train.tissue.network import CHANNELS, OUTPUTS, TissueNet


def test_a_map_is_as_large_as_the_scan_and_local():
    net = TissueNet().eval()
    assert sum(p.numel() for p in net.parameters()) < 750_000
    scan = torch.randn(1, CHANNELS, 16, 24, 40)
    with torch.inference_mode():
        said = net(scan)
        changed = scan.clone()
        changed[..., 0] += 1
        moved = (net(changed) - said).abs()
    assert said.shape == (1, OUTPUTS, 16, 24, 40)
    assert moved[..., 0].mean() > 5 * moved[..., -1].mean()
