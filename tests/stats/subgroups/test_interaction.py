import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import chi2

from hemocast.stats import delong
from hemocast.stats.calibration.logistic import fit_logistic
from hemocast.stats.subgroups.interaction import (
    GroupedCases,
    auc_interaction,
    calibration_interaction,
)


def grouped(
    seed: int,
    sizes: tuple[int, ...],
    *,
    effects: tuple[float, ...] = (1.3, 1.3, 1.3),
    shift: tuple[float, ...] = (0.0, 0.0, 0.0),
) -> GroupedCases:
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(sizes)), sizes)
    true_logit = rng.normal(0, np.array(effects)[group])
    truth = rng.random(group.size) < expit(true_logit)
    risk = expit(true_logit + np.array(shift)[group])
    return GroupedCases(truth, risk, np.arange(group.size), group, ("a", "b", "c")[: len(sizes)])


def test_independent_groups_give_cochran_s_q() -> None:
    cases = grouped(0, (90, 120, 150), effects=(0.6, 1.2, 2.5))
    areas, variances = [], []
    for number in range(3):
        result = delong(
            cases.truth[cases.group == number], cases.probability[cases.group == number]
        )
        areas.append(result.auc[0])
        variances.append(result.covariance[0, 0])
    weights = 1 / np.array(variances)
    mean = weights @ areas / weights.sum()
    q = weights @ (np.array(areas) - mean) ** 2
    test = auc_interaction(cases)
    assert (test.groups, test.left_out, test.df) == (("a", "b", "c"), (), 2)
    assert test.statistic == pytest.approx(q)
    assert test.p == pytest.approx(chi2.sf(q, 2))


def test_two_groups_give_the_square_of_z() -> None:
    cases = grouped(1, (90, 120))
    parts = [
        delong(cases.truth[cases.group == one], cases.probability[cases.group == one])
        for one in range(2)
    ]
    z = (parts[0].auc[0] - parts[1].auc[0]) / np.sqrt(sum(p.covariance[0, 0] for p in parts))
    assert auc_interaction(cases).statistic == pytest.approx(z**2)


def test_calibration_is_the_interaction_of_one_logistic_model() -> None:
    cases = grouped(2, (150, 200), shift=(0.0, 0.8))
    risk = logit(cases.probability)
    second = (cases.group == 1).astype(float)
    design = np.column_stack([np.ones(350), risk, second, second * risk])
    beta, covariance = fit_logistic(design, cases.truth.astype(float))
    wald = beta[2:] @ np.linalg.solve(covariance[2:, 2:], beta[2:])
    test = calibration_interaction(cases)
    assert test.df == 2
    assert test.statistic == pytest.approx(wald, rel=1e-6)
    assert test.p < 0.05


def test_groups_that_cannot_be_compared_are_left_out_with_the_reason() -> None:
    cases = grouped(4, (60, 12, 60))
    test = auc_interaction(cases)
    assert test.groups == ("a", "c")
    assert "b:" in test.left_out[0]
    assert "of the smaller class" in test.left_out[0]
    perfect = cases.probability.copy()
    first = cases.group == 0
    perfect[first] = np.where(cases.truth[first], 0.9, 0.1)
    changed = GroupedCases(cases.truth, perfect, cases.patient, cases.group, cases.names)
    test = auc_interaction(changed)
    assert np.isnan(test.p)
    assert "fewer than two groups" in str(test.warning)
    assert any("perfectly separated" in reason for reason in test.left_out)
    assert any("no finite" in reason for reason in calibration_interaction(changed).left_out)
    certain = np.where(cases.group == 2, np.round(cases.probability), cases.probability)
    changed = GroupedCases(cases.truth, certain, cases.patient, cases.group, cases.names)
    assert any("no logit" in reason for reason in calibration_interaction(changed).left_out)


def test_the_same_patients_in_two_groups_are_not_independent() -> None:
    # Everybody was scanned twice: the groups are the first and the second scan, nearly alike.
    rng = np.random.default_rng(5)
    true_logit = rng.normal(0, 1.3, 150)
    truth = rng.random(150) < expit(true_logit)
    risk = expit(np.concatenate([true_logit, true_logit + rng.normal(0, 0.2, 150)]))
    group = np.repeat([0, 1], 150)
    patient = np.tile(np.arange(150), 2)
    both = np.tile(truth, 2)
    tied = auc_interaction(GroupedCases(both, risk, patient, group, ("1", "2")))
    apart = auc_interaction(GroupedCases(both, risk, np.arange(300), group, ("1", "2")))
    assert tied.statistic > 3 * apart.statistic
    pair = delong(truth, risk.reshape(2, 150))
    contrast = np.array([1, -1])
    z2 = (contrast @ pair.auc) ** 2 / (contrast @ pair.covariance @ contrast)
    assert tied.statistic == pytest.approx(z2, rel=0.05)


def test_identical_groups_share_too_much_to_be_compared() -> None:
    cases = grouped(6, (80,))
    twice = GroupedCases(
        np.tile(cases.truth, 2), np.tile(cases.probability, 2), np.tile(cases.patient, 2),
        np.repeat([0, 1], 80), ("1", "2"),
    )  # fmt: skip
    test = calibration_interaction(twice)
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
        p.append(kind(GroupedCases(truth, expit(score), patient, group, ("a", "b", "c"))).p)
    assert 0.02 <= np.mean(np.array(p) < 0.05) <= 0.08
