"""Whether the patients of a validation are enough, by what was expected of the model before."""

from __future__ import annotations

from dataclasses import dataclass

from hemocast.stats import ValidationSize, logits_from_c, validation_size


@dataclass(frozen=True)
class Expected:
    """What is expected at the new place, named before its outcomes were looked at.

    Parameters
    ----------
    auc, prevalence : float
        Of the model, and of HT.
    """

    auc: float
    prevalence: float


@dataclass(frozen=True)
class SizeCheck:
    """Patients that there are, against those needed.

    Parameters
    ----------
    expected : Expected
        What the need follows from.
    needed : ValidationSize
        By criterion.
    n_patients, n_events : int
        With a prediction and an outcome; with HT among them.
    """

    expected: Expected
    needed: ValidationSize
    n_patients: int
    n_events: int

    @property
    def enough(self) -> bool:
        """Whether patients, and patients with HT, are as many as needed."""
        return self.n_patients >= self.needed.required and self.n_events >= self.needed.events


def check_size(expected: Expected, n_patients: int, n_events: int) -> SizeCheck:
    """Hold the patients of a validation against Riley's criteria for precise answers.

    Raises
    ------
    StatisticsError
        An AUC that is not between .5 and .99, or a prevalence outside (0, 1).
    """
    mean, sd = logits_from_c(expected.auc, expected.prevalence)
    needed = validation_size(expected.prevalence, expected.auc, mean, sd)
    return SizeCheck(expected, needed, n_patients, n_events)
