import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import t

from hemocast.errors import StatisticsError
from hemocast.stats import Estimate
from hemocast.stats.pooling import pool, pool_estimates

VALUE = np.array([0.61, 1.20, 0.95, 1.42, 0.30, 1.05])
VARIANCE = np.array([0.04, 0.02, 0.05, 0.03, 0.06, 0.01])


def test_as_statsmodels_pools_them() -> None:
    theirs = pytest.importorskip("statsmodels.stats.meta_analysis").combine_effects(
        VALUE, VARIANCE, method_re="pm", use_t=True
    )
    ours = pool(VALUE, VARIANCE)
    assert ours.tau**2 == pytest.approx(theirs.tau2, rel=1e-6)
    assert ours.mean.value == pytest.approx(theirs.mean_effect_re, rel=1e-6)
    half = t.ppf(0.975, 5) * np.sqrt(theirs.var_hksj_re)
    assert (ours.mean.ci_high - ours.mean.ci_low) / 2 == pytest.approx(half, rel=1e-6)
    assert (ours.q, ours.df) == pytest.approx((theirs.q, 5))
    assert ours.i2 == pytest.approx(theirs.i2, rel=1e-6)


def test_sites_that_agree_have_no_variance_between_them() -> None:
    found = pool([0.5, 0.52, 0.48], [0.01, 0.01, 0.01])
    assert (found.tau, found.i2) == (0, 0)
    together = t.ppf(0.975, 2) * np.sqrt(0.01 / 3)  # by luck they agree more than chance allows
    assert found.mean.ci_high - found.mean.value == pytest.approx(together)
    assert "3 sites" in str(found.mean.warning)
    assert found.prediction is not None
    assert found.prediction.low < found.mean.ci_low


def test_another_site_is_less_known_than_the_mean() -> None:
    """Of new sites 91 % fall into the prediction interval of eight, as its docstring says."""
    rng, held = np.random.default_rng(0), 0
    for _ in range(400):
        truth = rng.normal(1, 0.4, 9)
        found = pool(truth[:8] + rng.normal(0, 0.2, 8), np.full(8, 0.04)).prediction
        assert found is not None
        held += found.low <= truth[8] <= found.high
    assert held / 400 == pytest.approx(0.91, abs=0.03)


def test_shares_are_pooled_as_logits_and_sites_without_limits_are_left_out() -> None:
    level = np.array([0.8, 1.3, 0.4, 1.0])
    sites = [Estimate(*expit([x, x - 0.5, x + 0.5]).tolist(), "DeLong, logit", 100) for x in level]
    found = pool_estimates([*sites, Estimate.bare(0.7, 9, "too few")], share=True)
    plain = pool(level, np.full(4, (1 / 3.919927969080108) ** 2))
    assert logit(found.mean.value) == pytest.approx(plain.mean.value)
    assert found.prediction is not None
    assert 0 < found.prediction.low < found.mean.ci_low < found.mean.ci_high < 1
    assert (found.mean.n, "1 site(s) without" in str(found.mean.warning)) == (4, True)


def test_one_site_is_no_pool() -> None:
    with pytest.raises(StatisticsError, match="at least two sites"):
        pool([0.5], [0.01])
