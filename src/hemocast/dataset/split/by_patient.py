"""Splits by patient, each with a receipt that proves nobody is in two parts."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from hemocast.errors import LeakageError, TooFewPatients


@dataclass(frozen=True)
class Split:
    """Patients of each part.

    Parameters
    ----------
    name : str
        Also the name of its files.
    parts : mapping of str to tuple of str
        Part (``"train"``, ``"test"``) -> participant ids, sorted.
    seed : int or None
        What the draw was made from; None where not known.

    Raises
    ------
    LeakageError
        A patient is in more than one part; the patients are named.
    """

    name: str
    parts: Mapping[str, tuple[str, ...]]
    seed: int | None

    def __post_init__(self) -> None:
        seen = Counter(patient for part in self.parts.values() for patient in set(part))
        shared = sorted(patient for patient, count in seen.items() if count > 1)
        if shared:
            raise LeakageError(
                f"{len(shared)} patient(s) are in more than one part: {', '.join(shared[:50])}",
                "every patient in one part only",
                "Split by patient, not by scan",
            )

    def part_of(self, participant_id: str) -> str | None:
        """The part a patient is in, or None."""
        return next((name for name, ids in self.parts.items() if participant_id in ids), None)

    def receipt(self, labels: Mapping[str, int], scans: Iterable[str]) -> dict[str, object]:
        """Counts, overlap and hashes: what a reviewer needs to trust the split.

        Parameters
        ----------
        labels : mapping
            participant_id -> 1 or 0; who is not in it counts as unlabelled.
        scans : iterable of str
            The participant_id of every scan.
        """
        per_patient = Counter(scans)
        parts = {
            part: {
                "patients": len(ids),
                "scans": sum(per_patient[patient] for patient in ids),
                "ht": sum(labels.get(patient, 0) for patient in ids),
                "unlabelled": sum(patient not in labels for patient in ids),
                "sha256": part_hash(ids),
            }
            for part, ids in self.parts.items()
        }
        overlap = {
            f"{first} & {second}": len(set(self.parts[first]) & set(self.parts[second]))
            for first, second in combinations(self.parts, 2)
        }
        return {"split": self.name, "seed": self.seed, "parts": parts, "patient_overlap": overlap}


def split_patients(
    labels: Mapping[str, int], test_fraction: float, seed: int, name: str = "default"
) -> Split:
    """Draw a training and a test part by patient, stratified by label.

    Parameters
    ----------
    labels : mapping
        participant_id -> 1 (HT) or 0 (no HT).
    test_fraction : float
        Fraction of each class that goes to the test part (the paper: 0.1).
    seed : int
        The same seed and patients give the same split, in whatever order they come.

    Raises
    ------
    TooFewPatients
        A part would have no patient of a class.
    """
    rng = np.random.default_rng(seed)
    test: list[str] = []
    for label in (0, 1):
        patients = np.array(sorted(patient for patient, value in labels.items() if value == label))
        n_test = round(len(patients) * test_fraction)
        if n_test < 1 or n_test >= len(patients):
            raise TooFewPatients(
                f"Of {len(patients)} patient(s) with label {label}, {n_test} would be for testing",
                "at least one patient of each class in each part",
                "Add patients or change the fraction for testing",
            )
        test.extend(rng.permutation(patients)[:n_test])
    parts = {"train": tuple(sorted(set(labels) - set(test))), "test": tuple(sorted(test))}
    return Split(name, parts, seed)


def part_hash(patients: Iterable[str]) -> str:
    """Hash of a part's patients, by which a reviewer can tell that it is the same part."""
    return hashlib.sha256("\n".join(patients).encode()).hexdigest()
