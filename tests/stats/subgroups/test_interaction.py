import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import chi2

from hemocast.stats import Cases, delong
from hemocast.stats.calibration.logistic import fit_logistic
from hemocast.stats.subgroups.interaction import (
    Group,
    auc_interaction,
    calibration_interaction,
)


def groups_of(group: np.ndarray, names: tuple[str, ...]) -> tuple[Group, ...]:
    return tuple(Group(name, group == number) for number, name in enumerate(names))


def grouped(
    seed: int,
    sizes: tuple[int, ...],
    *,
    effects: tuple[float, ...] = (1.3, 1.3, 1.3),
    shift: tuple[float, ...] = (0.0, 0.0, 0.0),
) -> tuple[Cases, tuple[Group, ...]]:
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(sizes)), sizes)
    true_logit = rng.normal(0, np.array(effects)[group])
    truth = rng.random(group.size) < expit(true_logit)
    risk = expit(true_logit + np.array(shift)[group])
    return Cases(truth, risk), groups_of(group, ("a", "b", "c")[: len(sizes)])


def test_independent_groups_give_cochran_s_q() -> None:
    cases, groups = grouped(0, (90, 120, 150), effects=(0.6, 1.2, 2.5))
    areas, variances = [], []
    for group in groups:
        result = delong(cases.part(group.rows))
        areas.append(result.auc[0])
        variances.append(result.covariance[0, 0])
    weights = 1 / np.array(variances)
    mean = weights @ areas / weights.sum()
    q = weights @ (np.array(areas) - mean) ** 2
    test = auc_interaction(cases, groups)
    assert (test.groups, test.left_out, test.df) == (("a", "b", "c"), (), 2)
    assert test.statistic == pytest.approx(q)
    assert test.p == pytest.approx(chi2.sf(q, 2))


def test_two_groups_give_the_square_of_z() -> None:
    cases, groups = grouped(1, (90, 120))
    parts = [delong(cases.part(group.rows)) for group in groups]
    z = (parts[0].auc[0] - parts[1].auc[0]) / np.sqrt(sum(p.covariance[0, 0] for p in parts))
    assert auc_interaction(cases, groups).statistic == pytest.approx(z**2)


def test_calibration_is_the_interaction_of_one_logistic_model() -> None:
    cases, groups = grouped(2, (150, 200), shift=(0.0, 0.8))
    risk = logit(cases.score)
    second = groups[1].rows.astype(float)
    design = np.column_stack([np.ones(350), risk, second, second * risk])
    beta, covariance = fit_logistic(design, cases.truth.astype(float))
    wald = beta[2:] @ np.linalg.solve(covariance[2:, 2:], beta[2:])
    test = calibration_interaction(cases, groups)
    assert test.df == 2
    assert test.statistic == pytest.approx(wald, rel=1e-6)
    assert test.p < 0.05


def test_groups_that_cannot_be_compared_are_left_out_with_the_reason() -> None:
    cases, groups = grouped(4, (60, 12, 60))
    test = auc_interaction(cases, groups)
    assert test.groups == ("a", "c")
    assert "b:" in test.left_out[0]
    assert "of the smaller class" in test.left_out[0]
    perfect = cases.score.copy()
    first = groups[0].rows
    perfect[first] = np.where(cases.truth[first], 0.9, 0.1)
    changed = Cases(cases.truth, perfect)
    test = auc_interaction(changed, groups)
    assert np.isnan(test.p)
    assert "fewer than two groups" in str(test.warning)
    assert any("perfectly separated" in reason for reason in test.left_out)
    assert any(
        "no finite" in reason for reason in calibration_interaction(changed, groups).left_out
    )
    certain = np.where(groups[2].rows, np.round(cases.score), cases.score)
    changed = Cases(cases.truth, certain)
    assert any("no logit" in reason for reason in calibration_interaction(changed, groups).left_out)


def test_the_same_patients_in_two_groups_are_not_independent() -> None:
    # Everybody was scanned twice: the groups are the first and the second scan, nearly alike.
    rng = np.random.default_rng(5)
    true_logit = rng.normal(0, 1.3, 150)
    truth = rng.random(150) < expit(true_logit)
    risk = expit(np.concatenate([true_logit, true_logit + rng.normal(0, 0.2, 150)]))
    group = np.repeat([0, 1], 150)
    patient = np.tile(np.arange(150), 2)
    both = np.tile(truth, 2)
    groups = groups_of(group, ("1", "2"))
    tied = auc_interaction(Cases(both, risk, patient), groups)
    apart = auc_interaction(Cases(both, risk), groups)
    assert tied.statistic > 3 * apart.statistic
    pair = delong(Cases(truth, risk.reshape(2, 150)))
    contrast = np.array([1, -1])
    z2 = (contrast @ pair.auc) ** 2 / (contrast @ pair.covariance @ contrast)
    assert tied.statistic == pytest.approx(z2, rel=0.05)


def test_identical_groups_share_too_much_to_be_compared() -> None:
    cases, _ = grouped(6, (80,))
    twice = cases.part(np.tile(np.arange(80), 2))
    test = calibration_interaction(twice, groups_of(np.repeat([0, 1], 80), ("1", "2")))
    assert np.isnan(test.p)
    assert "share too many patients" in str(test.warning)


@pytest.mark.slow
@pytest.mark.parametrize("scans", [1, 2])
@pytest.mark.parametrize("kind", [auc_interaction, calibration_interaction])
def test_without_an_interaction_one_in_twenty_finds_one(kind, scans: int) -> None:
    rng = np.random.default_rng(7)
    p = []
    for _ in range(1000):
        patient = np.repeat(np.arange(300), scans)
        group = rng.integers(0, 3, patient.size)
        true_logit = rng.normal(0, 1.0, 300)
        truth = (rng.random(300) < expit(true_logit))[patient]
        score = true_logit[patient] + (0 if scans == 1 else rng.normal(0, 0.3, patient.size))
        groups = groups_of(group, ("a", "b", "c"))
        p.append(kind(Cases(truth, expit(score), patient), groups).p)
    assert 0.02 <= np.mean(np.array(p) < 0.05) <= 0.08
