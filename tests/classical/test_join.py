"""Two risks joined; one that is missing leaves the other as it is."""

from __future__ import annotations

import numpy as np
import pytest

from hemocast.classical.join import EDGE, Fusion, clipped_logit
from hemocast.classical.odds import expit


def test_logits_are_weighed_and_a_missing_record_leaves_the_image() -> None:
    join = Fusion(-0.5, 0.8, 0.6)
    found = join.risk(np.array([0.3, np.nan]), np.array([0.7, 0.2]))
    logits = clipped_logit(np.array([0.3, 0.7]))
    assert found.risk[0] == pytest.approx(expit(-0.5 + 0.8 * logits[0] + 0.6 * logits[1]))
    assert found.risk[1] == 0.2
    assert found.image_alone.tolist() == [False, True]


def test_certainty_stays_finite() -> None:
    assert np.isfinite(clipped_logit(np.array([0.0, 1.0]))).all()
    assert clipped_logit(np.array([0.0])) == clipped_logit(np.array([EDGE]))
