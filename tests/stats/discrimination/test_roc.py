import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import assume, given
from hypothesis import strategies as st

from hemocast.errors import StatisticsError
from hemocast.stats import (
    Cases,
    Resampling,
    auc,
    bootstrap_roc,
    choose_threshold,
    classification_metrics,
    confusion,
    roc_curve,
)
from hemocast.stats.discrimination.roc import average_precision, precision_recall_curve

# Scores on a coarse grid, so that ties are common.
scores = st.integers(0, 12).map(lambda value: value / 12)
cases = st.lists(st.tuples(st.booleans(), scores), min_size=2, max_size=40)


def split(rows: list[tuple[bool, float]]) -> tuple[np.ndarray, np.ndarray]:
    label = np.array([row[0] for row in rows])
    assume(label.any() and not label.all())
    return label, np.array([row[1] for row in rows])


@given(cases)
def test_auc_is_the_share_of_pairs_ranked_rightly(rows: list) -> None:
    label, score = split(rows)
    pairs = score[label][:, None] - score[~label][None, :]
    assert auc(Cases(label, score)) == pytest.approx(np.mean((pairs > 0) + 0.5 * (pairs == 0)))


@given(cases)
def test_auc_stays_under_any_rising_map_and_turns_round_with_the_labels(rows: list) -> None:
    label, score = split(rows)
    area = auc(Cases(label, score))
    assert auc(Cases(label, np.exp(3 * score) - 7)) == pytest.approx(area)
    assert auc(Cases(label, -score)) == pytest.approx(1 - area)
    assert auc(Cases(~label, score)) == pytest.approx(1 - area)


@given(cases)
def test_roc_curve_as_scikit_learn_and_with_the_auc_under_it(rows: list) -> None:
    label, score = split(rows)
    curve = roc_curve(Cases(label, score))
    fpr, tpr, threshold = sk.roc_curve(label, score, drop_intermediate=False)
    np.testing.assert_allclose(curve.fpr, fpr)
    np.testing.assert_allclose(curve.tpr, tpr)
    np.testing.assert_allclose(curve.threshold, threshold)
    assert np.trapezoid(curve.tpr, curve.fpr) == pytest.approx(auc(Cases(label, score)))


@given(cases)
def test_youden_threshold_is_the_best_of_all(rows: list) -> None:
    label, score = split(rows)

    def youden(threshold: float) -> float:
        metrics = classification_metrics(Cases(label, score), threshold)
        return metrics["sensitivity"] + metrics["specificity"] - 1

    best = choose_threshold(Cases(label, score), "youden").threshold
    assert best in score
    assert youden(best) == pytest.approx(max(youden(value) for value in score))


def test_one_class_has_no_curve() -> None:
    for function in (auc, roc_curve):
        with pytest.raises(StatisticsError, match="both classes"):
            function(Cases([1, 1, 1], [0.1, 0.2, 0.3]))


def test_constant_scores_are_worth_one_half() -> None:
    assert auc(Cases([0, 1, 1], [0.3, 0.3, 0.3])) == 0.5


def cohort(n: int = 120, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    label = rng.random(n) < 0.45
    probability = 1 / (1 + np.exp(-rng.normal(1.5 * label - 0.7, 1)))
    return label, probability, rng.integers(0, n * 3 // 4, n)


def test_the_band_holds_the_curve_and_spans_the_axis() -> None:
    label, probability, patient = cohort(200)
    band = bootstrap_roc(Cases(label, probability, patient), resampling=Resampling(300))
    assert (band.fpr[0], band.fpr[-1]) == (0, 1)
    assert (band.low <= band.high).all()
    fpr = [(probability[~label] >= t).mean() for t in np.sort(probability)]
    tpr = [(probability[label] >= t).mean() for t in np.sort(probability)]
    middle = np.interp(band.fpr, fpr[::-1], tpr[::-1])
    inside = (band.low - 0.02 <= middle) & (middle <= band.high + 0.02)
    assert inside.mean() > 0.95
    with pytest.raises(StatisticsError):
        bootstrap_roc(Cases([1, 1], [0.1, 0.2], [0, 1]))


def cohort_threshold(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    label = np.arange(40) < 15
    return label, np.round(rng.normal(1.2 * label, 1, 40), 1)


def measured(label: np.ndarray, score: np.ndarray, at: float) -> tuple[float, float]:
    cells = confusion(Cases(label, score), at)
    return cells.tp / (cells.tp + cells.fn), cells.tn / (cells.tn + cells.fp)


@given(st.integers(0, 300), st.floats(0.05, 1), st.sampled_from(["sensitivity", "specificity"]))
def test_a_fixed_rate_is_reached_at_the_least_cost(seed: int, target: float, rule: str) -> None:
    label, score = cohort_threshold(seed)
    rates = np.array([measured(label, score, at) for at in np.unique(score)])
    kept, free = (0, 1) if rule == "sensitivity" else (1, 0)
    enough = rates[rates[:, kept] >= target - 1e-12]
    if enough.size == 0:
        with pytest.raises(StatisticsError, match="specificity"):
            choose_threshold(Cases(label, score), rule, target)
        return
    found = choose_threshold(Cases(label, score), rule, target)
    values = (found.sensitivity, found.specificity)
    assert values == pytest.approx(measured(label, score, found.threshold))
    assert values[kept] >= target - 1e-12
    assert values[free] == pytest.approx(enough[:, free].max())
    assert "optimistic" in str(found.warning)


@given(st.integers(0, 300))
def test_youden_and_monotone_transforms(seed: int) -> None:
    label, score = cohort_threshold(seed)
    found = choose_threshold(Cases(label, score), "youden")
    moved = choose_threshold(Cases(label, np.exp(score)), "youden")
    assert moved.threshold == pytest.approx(np.exp(found.threshold))
    assert moved.sensitivity == found.sensitivity


def test_rules_and_targets_must_fit() -> None:
    label, score = cohort_threshold(0)
    for rule, target in (("youden", 0.9), ("sensitivity", None), ("specificity", 90)):
        with pytest.raises(StatisticsError, match="target"):
            choose_threshold(Cases(label, score), rule, target)


@given(cases)
def test_steps_of_precision_hold_the_average_precision_and_lie_on_scikit_learns(rows: list) -> None:
    label, score = split(rows)
    own = Cases(label, score)
    curve = precision_recall_curve(own)
    assert np.diff(curve.recall) @ curve.precision[1:] == pytest.approx(average_precision(own))
    precision, recall, _ = sk.precision_recall_curve(label, score)
    theirs = np.column_stack([recall, precision])
    ours = np.column_stack([curve.recall, curve.precision])[1:]
    assert all(np.isclose(theirs, point).all(axis=1).any() for point in ours)
    assert (curve.recall[-1], curve.prevalence) == (1, label.mean())
