import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hemocast.errors import StatisticsError
from hemocast.stats import Cases, Resampling, confusion, decision_curve
from hemocast.stats.decision import net_benefit_differences

THRESHOLDS = np.linspace(0.05, 0.95, 19)


def cohort(seed: int, n: int = 80) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    risk = rng.random(n)
    return rng.random(n) < risk, risk


@given(st.integers(0, 500))
def test_net_benefit_is_that_of_the_definition(seed: int) -> None:
    label, risk = cohort(seed)
    curve = decision_curve(Cases(label, risk, range(80)), THRESHOLDS, resampling=Resampling(100))
    for at, model, everybody in zip(THRESHOLDS, curve.model, curve.treat_all, strict=True):
        cells = confusion(Cases(label, risk), at)
        assert model == pytest.approx(cells.tp / 80 - cells.fp / 80 * at / (1 - at))
        prevalence = label.mean()
        assert everybody == pytest.approx(prevalence - (1 - prevalence) * at / (1 - at))
    np.testing.assert_allclose(curve.over_all, curve.model - curve.treat_all)


@given(st.integers(0, 500))
def test_no_model_gains_more_than_the_prevalence(seed: int) -> None:
    label, risk = cohort(seed)
    curve = decision_curve(Cases(label, risk, range(80)), THRESHOLDS, resampling=Resampling(100))
    assert (curve.model <= label.mean() + 1e-12).all()
    perfect = decision_curve(
        Cases(label, label.astype(float), range(80)), THRESHOLDS, resampling=Resampling(100)
    )
    np.testing.assert_allclose(perfect.model, label.mean())


def test_a_model_that_calls_everybody_is_treating_all() -> None:
    label, _ = cohort(0)
    curve = decision_curve(
        Cases(label, np.ones(80), range(80)), THRESHOLDS, resampling=Resampling(200)
    )
    np.testing.assert_allclose(curve.model, curve.treat_all)
    np.testing.assert_allclose(curve.over_all_low, 0, atol=1e-12)
    np.testing.assert_allclose(curve.over_all_high, 0, atol=1e-12)


def test_limits_hold_the_curve_and_count_patients() -> None:
    label, risk = cohort(3, 200)
    once = decision_curve(Cases(label, risk, range(200)), THRESHOLDS, resampling=Resampling(500))
    assert (once.model_low <= once.model).all()
    assert (once.model <= once.model_high).all()
    assert (once.over_all_low <= once.over_all).all()
    assert (once.over_all <= once.over_all_high).all()
    twice = decision_curve(
        Cases(np.tile(label, 2), np.tile(risk, 2), np.tile(np.arange(200), 2)),
        THRESHOLDS,
        resampling=Resampling(500),
    )
    np.testing.assert_allclose(twice.model_low, once.model_low, atol=1e-12)


@given(st.integers(0, 500))
def test_limits_are_those_of_the_resampled_scans_one_by_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    label, risk = cohort(seed, 60)
    risk = risk.round(1)  # ties, with each other and with the thresholds
    patient = rng.integers(0, 25, 60)
    at = rng.permutation([0.1, 0.2, 0.25, 0.5, 0.5, 0.9])
    cases, resampling = Cases(label, risk, patient), Resampling(50, seed=seed)
    curve = decision_curve(cases, at, resampling)
    gains, over = [], []
    for weights in resampling.draw(cases, 60):
        for row in weights[:, cases.patient]:
            benefit = np.where(label[:, None], 1.0, -at / (1 - at))
            acted = benefit * (risk[:, None] >= at)
            gains.append(row @ acted / row.sum())
            over.append(row @ (acted - benefit) / row.sum())
    for found, told in (
        ((curve.model_low, curve.model_high), gains),
        ((curve.over_all_low, curve.over_all_high), over),
    ):
        np.testing.assert_allclose(found, np.quantile(told, [0.025, 0.975], axis=0), atol=1e-12)


def test_nobody_acts_on_certainty() -> None:
    label, risk = cohort(0)
    for bad in ([0.0], [1.0], [0.5, np.nan]):
        with pytest.raises(StatisticsError, match="thresholds"):
            decision_curve(Cases(label, risk, range(80)), bad)


def test_differences_are_those_of_the_curves_from_the_same_resamples() -> None:
    label, risk = cohort(0)
    other = np.clip(risk + 0.2 * np.sin(50 * risk), 0.01, 0.99)
    at, resampling = [0.1, 0.3, 0.5], Resampling(300)
    patient = np.arange(label.size) // 2
    found = net_benefit_differences(Cases(label, [risk, other], patient), at, resampling)
    first, second = (
        decision_curve(Cases(label, one, patient), at, resampling) for one in (risk, other)
    )
    np.testing.assert_allclose([one.value for one in found], first.model - second.model)
    assert all(one.ci_low < one.ci_high for one in found)
    all_of_them = decision_curve(Cases(label, np.ones(label.size), patient), at, resampling)
    over = net_benefit_differences(
        Cases(label, [risk, np.ones(label.size)], patient), at, resampling
    )
    np.testing.assert_allclose([one.ci_low for one in over], first.over_all_low, atol=1e-12)
    np.testing.assert_allclose(all_of_them.model, first.treat_all)
    (same,) = net_benefit_differences(Cases(label, [risk, risk]), [0.5], resampling)
    assert (same.value, "both act on the same cases" in str(same.warning)) == (0, True)


def test_few_patients_of_a_class_are_warned_of() -> None:
    label, risk = cohort(0)
    events = np.flatnonzero(label)
    keep = np.r_[events[:4], np.flatnonzero(~label)]
    few = decision_curve(
        Cases(label[keep], risk[keep], range(keep.size)), [0.5], resampling=Resampling(100)
    )
    assert "4 patients" in str(few.warning)
    many = Cases(np.tile(label, 4), np.tile(risk, 4))
    assert decision_curve(many, [0.5], resampling=Resampling(100)).warning is None


def test_standardized_net_benefit_has_limits_of_its_own() -> None:
    """Perfect decisions reach 1 in every resample, whatever its prevalence."""
    truth = np.arange(60) % 3 == 0
    perfect = decision_curve(Cases(truth, np.where(truth, 0.9, 0.05)), [0.2, 0.5], Resampling(100))
    assert perfect.standardized == pytest.approx(1)
    assert perfect.standardized_low == pytest.approx(1)
    assert perfect.model_low[0] < perfect.model[0] < perfect.model_high[0]
    rng = np.random.default_rng(0)
    score = np.clip(0.3 * truth + rng.random(60) * 0.7, 0, 1)
    found = decision_curve(Cases(truth, score), [0.2, 0.5], Resampling(200))
    assert found.standardized == pytest.approx(found.model / truth.mean())
    net, scaled, gain = found.estimates(1)
    assert (net.value, scaled.value) == (found.model[1], found.standardized[1])
    assert gain.ci_high == found.over_all_high[1]
    assert scaled.ci_low < scaled.value < scaled.ci_high


def test_without_the_outcome_there_is_no_standardized_net_benefit() -> None:
    found = decision_curve(Cases(np.zeros(9), np.linspace(0, 1, 9)), [0.5], Resampling(100))
    _, scaled, _ = found.estimates(0)
    assert np.isnan(scaled.value)
    assert scaled.warning == "no interval: no case has the outcome"
