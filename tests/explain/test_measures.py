"""Evidence on a known lesion is counted as it lies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hemocast.explain.measures import agreement, evidence_on, within


def test_a_map_on_the_lesion_alone_lies_on_it(stack, in_cube) -> None:
    found = evidence_on(in_cube.astype(np.float32), in_cube, stack)
    assert (found.on_lesion, found.on_mirror, found.outside) == (1, 0, 0)
    assert found.peak_hits
    assert found.lesion_share < 0.2


def test_evidence_on_the_healthy_side_and_outside_is_told_apart(stack, in_cube) -> None:
    values = in_cube[..., ::-1].astype(np.float32)
    inside = values.sum()
    values[0, 0, 0] = inside  # as much again, in a corner without brain
    found = evidence_on(values, in_cube, stack)
    assert found.on_lesion == 0
    assert found.on_mirror == pytest.approx(0.5)
    assert found.outside == pytest.approx(0.5)
    assert not found.peak_hits


def test_an_even_map_reaches_what_the_lesion_takes_of_the_brain(stack, in_cube) -> None:
    found = evidence_on(stack.brain.astype(np.float32), in_cube, stack)
    assert found.on_lesion == pytest.approx(found.lesion_share)


def test_a_map_of_nothing_hits_nothing(stack, in_cube) -> None:
    found = evidence_on(np.zeros(in_cube.shape, np.float32), in_cube, stack)
    assert not found.peak_hits
    assert found.on_lesion == 0
    with pytest.raises(ValueError, match="lesion"):
        evidence_on(np.ones(in_cube.shape, np.float32), np.zeros_like(in_cube), stack)


def test_margins_are_millimetres_on_every_axis() -> None:
    point = np.zeros((9, 9, 9), bool)
    point[4, 4, 4] = True
    grown = within(point, 5.0, (5.0, 3.0, 1.0))
    assert [int(grown.any(axis=axes).sum()) for axes in ((1, 2), (0, 2), (0, 1))] == [3, 3, 9]


@given(st.floats(0.1, 10), st.floats(-5, 5))
def test_agreement_knows_ranks_only(scale: float, shift: float) -> None:
    values = np.random.default_rng(3).normal(size=(4, 8, 8)).astype(np.float32)
    brain = np.ones(values.shape, bool)
    assert agreement(values, (values * scale + shift).astype(np.float32), brain) > 0.999
    assert agreement(values, -values, brain) == pytest.approx(-1)
    assert agreement(values, np.ones_like(values), brain) == 0
