"""The expected AUC under known risks: against all pairs, the usual AUC, and drawn outcomes."""

from __future__ import annotations

import numpy as np
import pytest

from hemocast.errors import StatisticsError
from hemocast.simulate.epidemiology.ceilings import expected_auc
from hemocast.stats import Cases, auc
from hemocast.stats.discrimination.expected import KnownRisks, share_of_ceiling

RNG = np.random.default_rng(3)
PATIENT = np.array([0, 0, 1, 2, 2, 2, 3, 4, 5, 5])
RISK = np.array([0.2, 0.9, 0.5, 0.1, 0.7, 0.4])
SCORE = RNG.integers(0, 4, 10).astype(float)


def by_pairs(score: np.ndarray, risk: np.ndarray, patient: np.ndarray) -> float:
    won = total = 0.0
    for i in range(len(score)):
        for j in range(len(score)):
            if patient[i] == patient[j]:
                continue
            share = 1 / (np.sum(patient == patient[i]) * np.sum(patient == patient[j]))
            chance = share * risk[patient[i]] * (1 - risk[patient[j]])
            won += chance * ((score[i] > score[j]) + 0.5 * (score[i] == score[j]))
            total += chance
    return won / total


def test_it_is_the_share_of_pairs_of_different_patients() -> None:
    value = KnownRisks(RISK, PATIENT).auc(SCORE)
    np.testing.assert_allclose(value, [by_pairs(SCORE, RISK, PATIENT)], rtol=1e-12)


def test_of_the_risk_itself_it_is_the_ceiling_that_the_simulator_gives() -> None:
    risk = RNG.random(50)
    value = KnownRisks(risk, np.arange(50)).auc(risk)
    np.testing.assert_allclose(value, [expected_auc(risk)], rtol=1e-12)


def test_outcomes_as_risks_give_the_usual_auc() -> None:
    label, score = RNG.integers(0, 2, 60), RNG.random(60)
    value = KnownRisks(label.astype(float), np.arange(60)).auc(score)
    np.testing.assert_allclose(value, [auc(Cases(label, score))], rtol=1e-12)


def test_it_is_the_mean_over_drawn_outcomes() -> None:
    risk = RNG.random(400)
    score = risk + RNG.normal(0, 0.3, 400)
    drawn = [auc(Cases(RNG.random(400) < risk, score)) for _ in range(300)]
    assert abs(float(KnownRisks(risk, np.arange(400)).auc(score)[0]) - np.mean(drawn)) < 0.004


def test_a_resample_is_the_data_with_those_patients() -> None:
    times = np.array([[1.0, 1, 1, 1, 1, 1], [2, 0, 1, 1, 2, 0]])
    values = KnownRisks(RISK, PATIENT).auc(SCORE, times)
    copies = [(p, k) for p in range(6) for k in range(int(times[1, p]))]
    rows = [
        (SCORE[i], copies.index((p, k)), p) for p, k in copies for i in np.flatnonzero(p == PATIENT)
    ]
    score, patient, who = (np.array(one) for one in zip(*rows, strict=True))
    risk = np.array([RISK[p] for p, _ in copies])
    assert len(who) == len(score)
    assert values[0] == KnownRisks(RISK, PATIENT).auc(SCORE)[0]
    # Two copies of a patient stand for one and the same: no pair is made of them.
    same = np.array([p for p, _ in copies])
    won = total = 0.0
    cases = np.bincount(PATIENT)
    for i in range(len(score)):
        for j in range(len(score)):
            if same[patient[i]] == same[patient[j]]:
                continue
            chance = risk[patient[i]] * (1 - risk[patient[j]]) / (cases[who[i]] * cases[who[j]])
            won += chance * ((score[i] > score[j]) + 0.5 * (score[i] == score[j]))
            total += chance
    np.testing.assert_allclose(values[1], won / total, rtol=1e-12)


def test_the_share_of_the_way() -> None:
    value, best = np.array([0.82, 0.80, 0.84]), np.array([0.9, 0.9, 0.9])
    found = share_of_ceiling(value, best, 10)
    assert found.value == pytest.approx(0.8)
    assert found.ci_low < 0.8 < found.ci_high


@pytest.mark.parametrize("risk", [[0.2, 1.2], [0.0, 0.0], [1.0, 1.0]])
def test_what_are_no_risks_is_refused(risk: list[float]) -> None:
    with pytest.raises(StatisticsError):
        KnownRisks(np.array(risk), np.arange(2))
