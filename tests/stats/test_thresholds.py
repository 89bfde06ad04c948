import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hemocast.errors import StatisticsError
from hemocast.stats import Cases, choose_threshold, confusion, given_threshold, youden_threshold


def cohort(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    label = np.arange(40) < 15
    return label, np.round(rng.normal(1.2 * label, 1, 40), 1)


def measured(label: np.ndarray, score: np.ndarray, at: float) -> tuple[float, float]:
    cells = confusion(Cases(label, score), at)
    return cells.tp / (cells.tp + cells.fn), cells.tn / (cells.tn + cells.fp)


@given(st.integers(0, 300), st.floats(-3, 4))
def test_a_given_threshold_is_measured(seed: int, at: float) -> None:
    label, score = cohort(seed)
    found = given_threshold(Cases(label, score), at)
    assert (found.sensitivity, found.specificity) == pytest.approx(measured(label, score, at))
    assert found.warning is None


@given(st.integers(0, 300), st.floats(0.05, 1), st.sampled_from(["sensitivity", "specificity"]))
def test_a_fixed_rate_is_reached_at_the_least_cost(seed: int, target: float, rule: str) -> None:
    label, score = cohort(seed)
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
    assert "flatter" in str(found.warning)


@given(st.integers(0, 300))
def test_youden_and_monotone_transforms(seed: int) -> None:
    label, score = cohort(seed)
    found = choose_threshold(Cases(label, score), "youden")
    assert found.threshold == youden_threshold(Cases(label, score))
    moved = choose_threshold(Cases(label, np.exp(score)), "youden")
    assert moved.threshold == pytest.approx(np.exp(found.threshold))
    assert moved.sensitivity == found.sensitivity


def test_rules_and_targets_must_fit() -> None:
    label, score = cohort(0)
    for rule, target in (("youden", 0.9), ("sensitivity", None), ("specificity", 90)):
        with pytest.raises(StatisticsError, match="target"):
            choose_threshold(Cases(label, score), rule, target)
    with pytest.raises(StatisticsError, match="threshold"):
        given_threshold(Cases(label, score), float("nan"))
