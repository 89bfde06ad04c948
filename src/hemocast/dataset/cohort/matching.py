"""One patient without HT for every patient with HT, of the same sex and about the same age.

The paper (Zhang 2026) matched 1:1 by age and sex and gives no method. Here the matching is optimal:
as many pairs as the caliper allows, and among all such matchings one with the smallest sum of age
differences. Within a sex, patients of one age are alike, so the problem is a transport between ages
rather than an assignment of patients: its size depends on how many ages there are, not on how many
patients, and no greedy step is needed however many there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from hemocast.config import Settings
from hemocast.dataset.cohort.balance import standardised_differences
from hemocast.errors import TooFewPatients
from hemocast.stats.estimate import IntArray

if TYPE_CHECKING:
    import pandas as pd

STEPS_PER_YEAR = 10  # ages are compared in tenths of a year: tables hold no dates of birth


class MatchConfig(Settings):
    """How alike a pair must be, and from which seed equals are drawn."""

    caliper_years: float = Field(2.0, ge=0, le=50, description="largest age difference of a pair")
    seed: int = Field(0, ge=0, description="who of several patients of one age and sex is taken")


@dataclass(frozen=True)
class Matching:
    """Pairs, and how alike the classes were before and are after.

    Parameters
    ----------
    pairs : tuple of (str, str)
        Participant with HT, participant without, in the order of the first.
    unmatched_ht, unmatched_non_ht : tuple of str
        Who has no partner, age or sex not known included.
    unknown : tuple of str
        Those of them whose age or sex is not known.
    before, after : dict of str to float
        Standardised difference (HT minus no HT) of every column, ``sex=F`` and the like for
        categories: of all patients, and of the pairs.
    """

    pairs: tuple[tuple[str, str], ...]
    unmatched_ht: tuple[str, ...]
    unmatched_non_ht: tuple[str, ...]
    unknown: tuple[str, ...]
    before: dict[str, float]
    after: dict[str, float]

    @cached_property
    def participants(self) -> frozenset[str]:
        """Everybody in a pair."""
        return frozenset(patient for pair in self.pairs for patient in pair)


def match_patients(patients: pd.DataFrame, config: MatchConfig | None = None) -> Matching:
    """Pair patients with and without HT.

    Parameters
    ----------
    patients : DataFrame
        One row per patient: ``participant_id, age`` (years), ``sex, label`` (1 HT, 0 no HT). The
        balance of every other column is reported too.
    config : MatchConfig, optional
        Caliper and seed. The same seed and patients give the same pairs, in whatever order they
        come.

    Raises
    ------
    TooFewPatients
        No pair can be made.
    """
    config = config or MatchConfig()
    patients = patients.sort_values("participant_id", ignore_index=True)
    rng = np.random.default_rng(config.seed)
    known = patients["age"].notna() & patients["sex"].notna()
    pairs: list[tuple[str, str]] = []
    for _, stratum in patients[known].groupby("sex", sort=True):
        pairs += _match_stratum(stratum, config.caliper_years, rng)
    if not pairs:
        raise TooFewPatients(
            f"Of {len(patients)} patients none with HT has a partner without",
            f"patients of one sex at most {config.caliper_years:g} years apart",
            "Add patients, complete age and sex, or widen the caliper",
        )
    paired = {patient for pair in pairs for patient in pair}
    inside = patients["participant_id"].isin(paired)
    label = patients["label"].astype(int)
    described = patients.drop(columns=["participant_id", "label"])
    return Matching(
        tuple(sorted(pairs)),
        tuple(patients.loc[~inside & (label == 1), "participant_id"]),
        tuple(patients.loc[~inside & (label == 0), "participant_id"]),
        tuple(patients.loc[~known, "participant_id"]),
        standardised_differences(described, label),
        standardised_differences(described[inside], label[inside]),
    )


def _match_stratum(
    stratum: pd.DataFrame, caliper_years: float, rng: np.random.Generator
) -> list[tuple[str, str]]:
    """Match the patients of one sex."""
    steps = np.rint(stratum["age"].to_numpy(dtype=float) * STEPS_PER_YEAR).astype(np.int64)
    label = stratum["label"].to_numpy(dtype=int)
    names = stratum["participant_id"].to_numpy()
    ages, counts, waiting = [], [], []
    for group in (1, 0):
        order = rng.permutation(np.flatnonzero(label == group))
        order = order[np.argsort(steps[order], kind="stable")]
        distinct, count = np.unique(steps[order], return_counts=True)
        ages.append(distinct)
        counts.append(count)
        # Patients of one age, in the order of the draw.
        waiting.append([list(part) for part in np.split(names[order], np.cumsum(count)[:-1])])
    caliper = int(np.floor(caliper_years * STEPS_PER_YEAR + 1e-9))
    pairs = []
    for first, second, number in zip(*transport(ages, counts, caliper), strict=True):
        for _ in range(number):
            pairs.append((str(waiting[0][first].pop()), str(waiting[1][second].pop())))
    return pairs


def transport(
    ages: list[IntArray], counts: list[IntArray], caliper: int
) -> tuple[IntArray, IntArray, IntArray]:
    """How many of each age to pair with how many of which: most pairs first, then least distance.

    Both steps are linear programmes over a bipartite incidence matrix, which is totally unimodular:
    the simplex method ends in whole numbers (Schrijver 1986, Theory of Linear and Integer
    Programming, ch. 19).

    Parameters
    ----------
    ages : two arrays of int, sorted, without repeats
        Ages of the patients with and without HT.
    counts : two arrays of int
        How many there are of each.
    caliper : int
        Largest difference of a pair, in the unit of `ages`.

    Returns
    -------
    first, second, number : arrays of int
        Index into the first ages, into the second, and the number of pairs (> 0).
    """
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, vstack

    low = np.searchsorted(ages[1], ages[0] - caliper, side="left")
    high = np.searchsorted(ages[1], ages[0] + caliper, side="right")
    width = high - low
    first = np.repeat(np.arange(len(ages[0])), width)
    second = np.arange(len(first)) - np.repeat(np.cumsum(width) - width, width)
    second += np.repeat(low, width)
    if not len(first):
        return first, second, first
    arc, one = np.arange(len(first)), np.ones(len(first))
    leaves = csr_array((one, (first, arc)), shape=(len(ages[0]), len(first)))
    arrives = csr_array((one, (second, arc)), shape=(len(ages[1]), len(first)))
    limits = {"A_ub": vstack([leaves, arrives]), "b_ub": np.concatenate(counts).astype(float)}
    most = linprog(-one, **limits, method="highs-ds")
    distance = np.abs(ages[0][first] - ages[1][second]).astype(float)
    best = linprog(
        distance, **limits, A_eq=one[None, :], b_eq=[np.rint(-most.fun)], method="highs-ds"
    )
    number = np.rint(best.x).astype(np.int64)
    used = number > 0
    return first[used], second[used], number[used]
