"""Matching: as many pairs as can be, and as close, against a dense assignment."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from hemocast.dataset.cohort.matching import MatchConfig, match_patients
from hemocast.errors import TooFewPatients


def _patients(rng: np.random.Generator, n: int, *, whole: bool = False) -> pd.DataFrame:
    label = rng.permutation(np.arange(n) % 2)
    age = rng.normal(66, 12, n) + 5 * label
    return pd.DataFrame(
        {
            "participant_id": [f"sub-{i:06d}" for i in range(n)],
            "age": age.round() if whole else age.round(1),
            "sex": rng.choice(["F", "M"], n),
            "label": label,
        }
    )


def _dense(patients: pd.DataFrame, caliper: float) -> tuple[int, float]:
    """Pairs and summed distance of the best assignment, the slow way."""
    pairs, total = 0, 0.0
    for _, stratum in patients.groupby("sex"):
        ages = [stratum.loc[stratum["label"] == group, "age"].to_numpy() for group in (1, 0)]
        distance = np.abs(ages[0][:, None] - ages[1][None, :])
        allowed = distance <= caliper + 1e-9
        cost = np.where(allowed, distance, 1e5)
        rows, columns = linear_sum_assignment(cost)
        good = allowed[rows, columns]
        pairs += int(good.sum())
        total += float(distance[rows, columns][good].sum())
    return pairs, total


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(10, 120),
    caliper=st.sampled_from([0, 0.1, 0.3, 1, 2, 5, 30]),
    whole=st.booleans(),
)
def test_no_assignment_has_more_pairs_or_closer_ones(
    seed: int, n: int, caliper: float, whole: bool
) -> None:
    patients = _patients(np.random.default_rng(seed), n, whole=whole)
    best = _dense(patients, caliper)
    if best[0] == 0:
        with pytest.raises(TooFewPatients):
            match_patients(patients, MatchConfig(caliper_years=caliper))
        return
    matching = match_patients(patients, MatchConfig(caliper_years=caliper))
    known = patients.set_index("participant_id")
    ht, non = (known.loc[list(side)] for side in zip(*matching.pairs, strict=True))
    distance = np.abs(ht["age"].to_numpy() - non["age"].to_numpy())
    assert (len(matching.pairs), distance.sum()) == pytest.approx(best)
    assert distance.max() <= caliper + 1e-9
    assert (ht["sex"].to_numpy() == non["sex"].to_numpy()).all()
    assert ht["label"].all()
    assert not non["label"].any()
    names = [*matching.participants, *matching.unmatched_ht, *matching.unmatched_non_ht]
    assert sorted(names) == sorted(patients["participant_id"]), "everybody once"


def test_the_order_of_the_patients_does_not_matter_and_the_seed_does() -> None:
    patients = _patients(np.random.default_rng(0), 400, whole=True)
    shuffled = patients.sample(frac=1, random_state=1)
    first = match_patients(patients, MatchConfig(seed=3))
    assert first.pairs == match_patients(shuffled, MatchConfig(seed=3)).pairs
    assert first.pairs != match_patients(patients, MatchConfig(seed=4)).pairs


def test_balance_is_reported_before_and_after() -> None:
    patients = _patients(np.random.default_rng(0), 600)
    patients["nihss"] = np.arange(600.0)
    matching = match_patients(patients)
    assert abs(matching.before["age"]) > 0.3
    assert abs(matching.after["age"]) < 0.1
    assert matching.after["sex=F"] == 0
    assert "nihss" in matching.after


def test_who_has_no_age_or_sex_is_reported_and_not_matched() -> None:
    patients = _patients(np.random.default_rng(0), 60, whole=True)
    patients.loc[0, "age"] = np.nan
    patients.loc[1, "sex"] = None
    matching = match_patients(patients, MatchConfig(caliper_years=20))
    assert matching.unknown == ("sub-000000", "sub-000001")
    assert not matching.participants & set(matching.unknown)


def test_many_patients_take_seconds() -> None:
    patients = _patients(np.random.default_rng(0), 20_000)
    start = time.perf_counter()
    matching = match_patients(patients)
    assert time.perf_counter() - start < 15
    assert len(matching.pairs) > 8_000
