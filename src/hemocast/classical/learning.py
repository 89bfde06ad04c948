"""What every classical model has in common: who it learns from, folds, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hemocast.classical.design import Design, imputed, learn_design
from hemocast.classical.measurements import Float64Array, Measurements, Rows
from hemocast.errors import TooFewPatients

INNER_FOLDS = 5
_LEAST_EVENTS = 5
_TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Cohort:
    """Patients with their outcomes.

    Parameters
    ----------
    patients : Measurements
        What is known of them.
    outcome : ndarray of float64, shape (n,)
        1 with the outcome, 0 without.
    group : ndarray, shape (n,)
        What belongs together and is left out together: a country, a hospital, a patient's scans.
    """

    patients: Measurements
    outcome: Float64Array
    group: NDArray[np.int64]

    @property
    def events(self) -> int:
        """Patients with the outcome."""
        return int(self.outcome.sum())

    @cached_property
    def design(self) -> Design:
        """How their measurements become columns; see `learn_design`."""
        return learn_design(self.patients)

    @cached_property
    def tables(self) -> list[Float64Array]:
        """Give their columns, completed several times; see `imputed`."""
        return imputed(self.design, self.patients, self.outcome)

    def by_group(self, risk: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Sum events, and risks, within every group, in the order of their numbers."""
        place = np.unique(self.group, return_inverse=True)[1]
        observed, expected = (np.bincount(place, weights=one) for one in (self.outcome, risk))
        return np.asarray(observed, dtype=float), np.asarray(expected, dtype=float)

    def part(self, rows: Rows) -> Cohort:
        """Return some of the patients, by mask or by place."""
        return Cohort(self.patients.part(rows), self.outcome[rows], self.group[rows])

    def require_events(self) -> None:
        """Refuse to learn from next to nothing.

        Raises
        ------
        TooFewPatients
            Fewer than 5 patients with, or without, the outcome.
        """
        fewer = min(self.events, len(self.outcome) - self.events)
        if fewer < _LEAST_EVENTS:
            raise TooFewPatients(
                f"{self.events} of {len(self.outcome)} patients to learn from have the outcome",
                f"{_LEAST_EVENTS} or more with it, and as many without",
                "Add patients, or choose an outcome that is less rare",
            )


class Fitted(Protocol):
    """A model that has learned."""

    def risk(self, patients: Measurements) -> Float64Array:
        """Give the risk of every patient, shape (n,), strictly between 0 and 1."""


Fit = Callable[[Cohort], Fitted]
"""Learn from a cohort; whatever has to be chosen, such as a penalty, is chosen within it."""


def folds(cohort: Cohort, n: int = INNER_FOLDS, seed: int = 0) -> Iterator[tuple[Rows, Rows]]:
    """Share a cohort out, groups kept whole where there are twice as many as folds.

    Yields
    ------
    tuple of ndarray of int64
        Places to learn from, and to try on.
    """
    from sklearn.model_selection import GroupKFold, StratifiedKFold

    unused = np.zeros(len(cohort.outcome))
    if np.unique(cohort.group).size >= 2 * n:
        by_group = GroupKFold(n, shuffle=True, random_state=seed)
        yield from by_group.split(unused, cohort.outcome, cohort.group)
    else:
        by_outcome = StratifiedKFold(n, shuffle=True, random_state=seed)
        yield from by_outcome.split(unused, cohort.outcome)


def deviance(outcome: Float64Array, risk: Float64Array) -> float:
    """Mean of minus twice the log likelihood."""
    kept = np.clip(risk, _TINY, 1 - _TINY)
    return float(-2 * np.mean(outcome * np.log(kept) + (1 - outcome) * np.log1p(-kept)))


def predict_out_of_fold(fit: Fit, cohort: Cohort) -> Float64Array:
    """Give everybody the risk of a model that saw nobody of the same group; see `folds`."""
    risk = np.empty(len(cohort.outcome))
    for learned, tried in folds(cohort):
        risk[tried] = fit(cohort.part(learned)).risk(cohort.patients.part(tried))
    return risk


def leave_groups_out(
    fits: Mapping[str, Fit], cohort: Cohort, together: int = 1
) -> dict[str, tuple[Float64Array, dict[int, Fitted]]]:
    """Predict every group by models that learned from all others.

    Parameters
    ----------
    fits : mapping
        Name -> how to learn, choices included: this is the outer loop of a nested
        cross-validation.
    cohort : Cohort
        Of two groups or more.
    together : int
        Small groups are left out several at once, as long as they are no more patients than this:
        the model that predicts one has seen none of them, and fewer models need to be fitted.

    Returns
    -------
    dict
        Name -> the risk of every patient, shape (n,), and group -> the model that never saw it.

    Raises
    ------
    TooFewPatients
        One group only, or too few events without one of them.
    """
    groups = np.unique(cohort.group)
    if groups.size < 2:
        raise TooFewPatients(
            "All patients belong to one group",
            "two or more, to leave each out in turn",
            "Add others, or test on patients of another table",
        )
    result: dict[str, tuple[Float64Array, dict[int, Fitted]]] = {
        name: (np.empty(len(cohort.outcome)), {}) for name in fits
    }
    for batch in _batches(cohort.group, together):
        own = np.isin(cohort.group, batch)
        others, left_out = cohort.part(~own), cohort.patients.part(own)
        others.require_events()
        for name, fit in fits.items():
            risk, models = result[name]
            model = fit(others)
            models.update(dict.fromkeys(batch, model))
            risk[own] = model.risk(left_out)
    return result


def _batches(group: NDArray[np.int64], together: int) -> list[list[int]]:
    """Groups, the smallest first, several in a list where they are few patients; two or more."""
    names, sizes = np.unique(group, return_counts=True)
    batches: list[list[int]] = []
    held = together
    for place in np.argsort(sizes, kind="stable"):
        if not batches or held + sizes[place] > min(together, group.size // 2):
            batches.append([])
            held = 0
        batches[-1].append(int(names[place]))
        held += int(sizes[place])
    return batches
