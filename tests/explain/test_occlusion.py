"""Covering a block of brain says how much the answer hangs on it."""

from __future__ import annotations

import numpy as np
import pytest

from hemocast.explain.occlusion import blocks, neutral, occlusion


def test_the_logit_falls_most_where_the_network_looks(stack, logits, in_cube) -> None:
    fall = occlusion(logits, stack)
    assert in_cube[fall == fall.max()].any()
    assert fall.max() > 0
    untouched = fall[..., :26]  # the cube lies in the other hemisphere
    np.testing.assert_allclose(untouched, 0, atol=1e-7)


def test_an_even_head_has_nothing_left_to_see(stack, logits) -> None:
    plain = neutral(stack)
    for frame, brain in zip(plain, stack.brain, strict=True):
        assert np.unique(frame[brain]).size <= 1
        assert not frame[~brain].any()
    fall = occlusion(logits, type(stack)(plain, stack.brain, stack.affine, stack.record))
    np.testing.assert_allclose(fall, 0, atol=1e-6)


def test_blocks_hold_each_place_of_the_brain_once_and_one_hemisphere_each(stack) -> None:
    seen = np.zeros(stack.frames.shape, int)
    middle = stack.frames.shape[2] // 2
    for block in blocks(stack):
        seen[block] += 1
        assert block[2].stop <= middle or block[2].start >= middle
    assert seen.max() == 1
    assert seen[stack.brain].mean() == pytest.approx(1, abs=0.02)
