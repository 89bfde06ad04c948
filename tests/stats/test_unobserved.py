"""Outcomes never observed: bounds by brute force, weights against a known truth."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from hemocast.errors import StatisticsError
from hemocast.stats import Cases, Resampling, auc, confusion
from hemocast.stats.unobserved import WEIGHTED, PartlyObserved, weighted_metrics


def partly(
    truth: np.ndarray, score: np.ndarray, observed: np.ndarray, *more: np.ndarray
) -> PartlyObserved:
    predictors = np.column_stack(more) if more else np.empty((score.size, 0))
    return PartlyObserved(Cases(truth, score), observed, predictors)


def test_bounds_are_those_of_every_possible_outcome() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        score, truth = rng.integers(0, 6, 12) / 6, np.arange(12) % 3 == 0
        observed = np.arange(12) < 7
        found = partly(truth, score, observed)
        areas, cells = [], []
        for rest in product([False, True], repeat=5):
            own = Cases(np.concatenate([truth[:7], rest]), score)
            areas.append(auc(own))
            cells.append(confusion(own, 0.5))
        assert auc(found.extreme_auc(highest=False)) == pytest.approx(min(areas))
        assert auc(found.extreme_auc(highest=True)) == pytest.approx(max(areas))
        for share in ("sensitivity", "specificity"):
            every = [a / b for a, b in (one.share(share) for one in cells) if b]
            worst = confusion(found.contradicted(0.5), 0.5).share(share)
            best = confusion(found.confirmed(0.5), 0.5).share(share)
            assert worst[0] / worst[1] == min(every)
            assert best[0] / best[1] == max(every)


def cohort(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Low scores and the young are seldom seen: what is seen looks worse than it is."""
    rng = np.random.default_rng(seed)
    level, old = rng.normal(-0.8, 1.3, n), rng.integers(0, 2, n)
    truth = rng.random(n) < expit(level)
    seen = rng.random(n) < expit(0.4 + 0.9 * level + 1.2 * (old - 0.5))
    return truth, expit(level), seen, old


def test_weights_bring_back_what_all_scans_would_have_shown() -> None:
    truth, score, seen, old = cohort(6000)
    found = dict(weighted_metrics(partly(truth, score, seen, old), 0.3, Resampling(100)))
    whole, own = Cases(truth, score), Cases(truth[seen], score[seen])
    assert auc(own) < auc(whole) - 0.03
    assert found["auc"].value == pytest.approx(auc(whole), abs=0.015)
    cells = confusion(whole, 0.3)
    for share in ("sensitivity", "specificity", "ppv", "npv"):
        hits, n = cells.share(share)
        assert found[share].ci_low <= hits / n <= found[share].ci_high
    assert found["calibration_slope"].value == pytest.approx(1, abs=0.1)
    assert found["observed_expected"].value == pytest.approx(truth.sum() / score.sum(), abs=0.05)
    assert "scans observed at random" in str(found["auc"].warning)


def test_the_weighted_numbers_are_those_of_scikit_learn() -> None:
    truth, score, seen, old = cohort(300, 1)
    found = dict(weighted_metrics(partly(truth, score, seen, old), 0.3, Resampling(100)))
    assert tuple(found) == WEIGHTED
    design = np.column_stack([logit(score), old])
    chance = LogisticRegression(C=1e9, tol=1e-10).fit(design, seen).predict_proba(design)[seen, 1]
    theirs = roc_auc_score(truth[seen], score[seen], sample_weight=1 / chance)
    assert found["auc"].value == pytest.approx(theirs, abs=1e-5)
    line = LogisticRegression(C=1e9, tol=1e-10).fit(
        logit(score[seen])[:, None], truth[seen], sample_weight=1 / chance
    )
    assert found["calibration_slope"].value == pytest.approx(line.coef_[0, 0], abs=1e-4)
    loss = np.average((score[seen] - truth[seen]) ** 2, weights=1 / chance)
    assert found["brier"].value == pytest.approx(loss, abs=1e-6)
    assert found["auc"].ci_low < found["auc"].value < found["auc"].ci_high


def test_certain_probabilities_have_no_calibration_line() -> None:
    truth, score, seen, old = cohort(300, 1)
    score[0], seen[0] = 1.0, True
    found = dict(weighted_metrics(partly(truth, score, seen, old), 0.3, Resampling(100)))
    assert np.isnan(found["calibration_slope"].value)
    assert found["calibration_slope"].warning
    assert np.isfinite(found["auc"].value)


def test_a_share_without_an_error_has_no_interval_and_stays_a_share() -> None:
    """Rounded sums of weights made NPV 1.0000000000000002, from 0.9999999999999998 up."""
    _, score, seen, old = cohort(400, 3)
    found = dict(weighted_metrics(partly(score >= 0.3, score, seen, old), 0.3, Resampling(100)))
    for name in ("auc", "sensitivity", "specificity", "ppv", "npv"):
        assert 1 - 1e-9 < found[name].value <= 1
        assert np.isnan(found[name].ci_low)
        assert "no interval: all resamples agree" in str(found[name].warning)


def test_what_cannot_be_weighed_is_refused() -> None:
    truth, score, seen, _ = cohort(60, 2)
    with pytest.raises(StatisticsError, match="60 of 60 scans was observed"):
        weighted_metrics(partly(truth, score, np.ones(60, bool)), 0.3, Resampling(100))
    with pytest.raises(StatisticsError, match="have the outcome and"):
        weighted_metrics(partly(truth, score, seen & truth), 0.3, Resampling(100))
    with pytest.raises(StatisticsError, match="no weights"):
        weighted_metrics(partly(truth, score, score > 0.2), 0.3, Resampling(100))
