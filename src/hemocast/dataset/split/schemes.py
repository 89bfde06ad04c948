"""Splits beyond one random draw: k folds, by site, by date.

The paper's 9:1 is `split_patients` with a test fraction of 0.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from hemocast.dataset.split.by_patient import Split
from hemocast.errors import TooFewPatients


def split_folds(
    labels: Mapping[str, int],
    n_folds: int,
    seed: int,
    *,
    name: str = "fold",
    min_per_class: int = 1,
) -> tuple[Split, ...]:
    """Draw k folds by patient, stratified by label: every patient is tested exactly once.

    Parameters
    ----------
    labels : mapping
        participant_id -> 1 (HT) or 0 (no HT).
    n_folds : int
        Number of folds, at least 2.
    seed : int
        The same seed and patients give the same folds, in whatever order they come.
    name : str
        Splits are called ``NAME-01``, ``NAME-02`` ...
    min_per_class : int
        Patients of each class that every fold must have for testing.

    Returns
    -------
    tuple of Split
        Each with the parts ``train`` and ``test``. Sizes of two folds differ by one at most, and so
        do their numbers of patients with HT.

    Raises
    ------
    TooFewPatients
        A fold would have fewer patients of a class than `min_per_class`.
    """
    rng = np.random.default_rng(seed)
    dealt: list[str] = []
    for label in (1, 0):
        patients = np.array(sorted(patient for patient, value in labels.items() if value == label))
        if n_folds < 2 or len(patients) // n_folds < max(min_per_class, 1):
            raise TooFewPatients(
                f"{len(patients)} patient(s) with label {label} for {n_folds} folds",
                f"at least 2 folds, with {max(min_per_class, 1)} patient(s) of each class in each",
                "Add patients or ask for fewer folds",
            )
        dealt.extend(rng.permutation(patients))
    # Dealt like cards, one class after the other: the second goes on where the first stopped.
    return tuple(
        _tested(labels, dealt[fold::n_folds], seed, f"{name}-{fold + 1:02d}")
        for fold in range(n_folds)
    )


def split_by_site(
    labels: Mapping[str, int],
    where: Mapping[str, str],
    *,
    name: str = "site",
    min_per_class: int = 1,
) -> tuple[Split, ...]:
    """Leave each site out in turn: train at all others, test there.

    Parameters
    ----------
    labels : mapping
        participant_id -> 1 (HT) or 0 (no HT).
    where : mapping
        participant_id -> site, for every patient of `labels`.
    name : str
        Splits are called ``NAME-01-SITE``, ``NAME-02-SITE`` ...
    min_per_class : int
        Patients of each class that a site must have to be tested; smaller ones are only trained on.

    Returns
    -------
    tuple of Split
        One for each site that is large enough, in the order of their names. Nothing is drawn: their
        seed is 0.

    Raises
    ------
    TooFewPatients
        A patient has no site, there is only one site, or none is large enough.
    """
    _need_everybody(labels, where, "site")
    members: dict[str, list[str]] = {}
    for patient in sorted(labels):
        members.setdefault(where[patient], []).append(patient)
    large = {
        site: patients
        for site, patients in sorted(members.items())
        if _has_both(labels, patients, max(min_per_class, 1))
        and _has_both(labels, labels.keys() - set(patients), 1)
    }
    if not large:
        raise TooFewPatients(
            f"None of {len(members)} site(s) can be left out",
            f"a site with {max(min_per_class, 1)} patient(s) of each class, and both elsewhere",
            "Split by patient instead, or add sites",
        )
    return tuple(
        _tested(labels, patients, 0, f"{name}-{number:02d}-{_file_name(site)}")
        for number, (site, patients) in enumerate(large.items(), start=1)
    )


def split_by_date(
    labels: Mapping[str, int], when: Mapping[str, float], first_test: float, name: str = "date"
) -> Split:
    """Train on the patients who came before, test on those who came after.

    Parameters
    ----------
    labels : mapping
        participant_id -> 1 (HT) or 0 (no HT).
    when : mapping
        participant_id -> year of admission, or any number that grows with time, comparable between
        patients (the dates in ``scans.tsv`` are not: each patient's are shifted by another amount).
    first_test : float
        Patients with ``when >= first_test`` are tested.

    Raises
    ------
    TooFewPatients
        A patient has no date, or a part lacks a class.
    """
    _need_everybody(labels, when, "date")
    later = [patient for patient in labels if when[patient] >= first_test]
    if not _has_both(labels, later, 1) or not _has_both(labels, labels.keys() - set(later), 1):
        raise TooFewPatients(
            f"{len(labels) - len(later)} patient(s) before {first_test:g}, {len(later)} from then",
            "patients with and without HT both before and after",
            "Choose another date",
        )
    return _tested(labels, later, 0, name)


def _file_name(text: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in text)[:40]


def _tested(labels: Mapping[str, int], test: Iterable[str], seed: int, name: str) -> Split:
    tested = {str(patient) for patient in test}
    parts = {"train": tuple(sorted(labels.keys() - tested)), "test": tuple(sorted(tested))}
    return Split(name, parts, seed)


def _has_both(labels: Mapping[str, int], patients: Iterable[str], number: int) -> bool:
    values = [labels[patient] for patient in patients]
    return min(sum(values), len(values) - sum(values)) >= number


def _need_everybody(labels: Mapping[str, int], given: Mapping[str, object], noun: str) -> None:
    # A missing value differs from itself.
    lacking = [p for p in labels if p not in given or given[p] is None or given[p] != given[p]]
    if lacking:
        raise TooFewPatients(
            f"{len(lacking)} of {len(labels)} patient(s) have no {noun}",
            f"a {noun} for every patient",
            f"Complete the {noun}s in participants.tsv, or leave these patients out",
        )
