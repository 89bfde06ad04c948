"""Log odds and risks are each other's inverse, and SciPy's."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from hemocast.classical.odds import expit, finite_logit, logit


@given(st.lists(st.floats(-30, 30), min_size=1))
def test_risks_are_scipys_and_come_back_as_log_odds(values: list[float]) -> None:
    risk = expit(values)
    np.testing.assert_array_equal(risk, special.expit(values))
    np.testing.assert_allclose(logit(risk), values, atol=1e-2)


def test_certainty_has_finite_log_odds_where_they_are_asked() -> None:
    np.testing.assert_array_equal(logit([0.0, 1.0]), [-np.inf, np.inf])
    np.testing.assert_allclose(finite_logit([0.0, 0.5, 1.0]), [-20.7, 0, 20.7], atol=0.03)
