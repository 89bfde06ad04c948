from __future__ import annotations

import numpy as np

from hemocast.simulate.randomised.artefacts import scan_blocks
from hemocast.simulate.randomised.labels import Code


def _phantom() -> tuple[np.ndarray, np.ndarray]:
    hu = np.full((32, 80, 80), -1000, np.float32)
    hu[4:28, 16:64, 16:64] = 35
    return hu, np.zeros(hu.shape, np.uint8)


def test_blocks_measure_what_lies_there_within_noise_and_shading():
    hu, code = _phantom()
    for seed in range(10):
        blocks = scan_blocks(np.random.default_rng(seed), hu, code).astype(np.float32)
        assert blocks.shape == (16, 40, 40)
        assert abs(np.median(blocks[6:10, 15:25, 15:25]) - 35) < 25
        assert np.median(blocks[:, :2]) < -600


def test_metal_throws_streaks_into_its_own_slices():
    hu, code = _phantom()
    with_metal = hu.copy()
    code[15:17, 38:42, 38:42] = Code.METAL
    with_metal[code == Code.METAL] = 4000
    changes = []
    for seed in range(6):
        blocks = scan_blocks(np.random.default_rng(seed), with_metal, code).astype(np.float32)
        changes.append(np.abs(blocks[:, 12:28, 12:28] - 35).mean((1, 2)))
    mean = np.mean(changes, axis=0)
    assert mean[7:9].mean() > 1.3 * mean[[4, 11]].mean()
