from __future__ import annotations

import numpy as np

from hemocast.anatomy.tissue import Kind
from hemocast.simulate.randomised.gaps import open_skull
from hemocast.simulate.randomised.labels import CLASS_OF, INSIDE, Code


def test_bone_goes_and_brain_stays(copied, labelled):
    taken, bulges = [], []
    for seed in range(25):
        head = copied()
        bulges.append(open_skull(np.random.default_rng(seed), head))
        taken.append((head.code != labelled.code).sum())
        assert (INSIDE[head.code] == INSIDE[labelled.code]).all()
        was, now = CLASS_OF[labelled.code], CLASS_OF[head.code]
        changed = (head.code != labelled.code) & ~INSIDE[labelled.code]
        assert (was[changed] == Kind.BONE).all()
        assert set(now[changed].tolist()) <= {Kind.SOFT, Kind.BONE}
        assert (head.code[changed & (now == Kind.BONE)] == Code.THIN_BONE).all()
    assert min(taken) < 2000
    assert max(taken) > 10_000
    outs = [bulge.out_mm for bulge in bulges if bulge]
    assert min(outs) < 0 < max(outs)
    assert all(abs(out) < 15 for out in outs)
