import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hemocast.stats.calibration.loess import smooth


@given(st.integers(0, 100))
def test_smoothing_keeps_a_parabola(seed: int) -> None:
    x = np.random.default_rng(seed).random(60)
    y = 2 - 3 * x + 5 * x**2
    np.testing.assert_allclose(smooth(x, y), y, atol=1e-8)


def test_smoothing_does_not_mind_the_order() -> None:
    rng = np.random.default_rng(0)
    risk, order = rng.random(100), rng.permutation(100)
    label = rng.random(100) < risk
    np.testing.assert_allclose(
        smooth(risk[order], label[order]), smooth(risk, label)[order], atol=1e-10
    )
