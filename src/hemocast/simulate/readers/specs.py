"""What simulated readers are asked to be: each one alone, and how alike they read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from numpy.typing import ArrayLike
from scipy.stats import norm

from hemocast.errors import UsageError
from hemocast.stats import Cases

Arm = Literal["unaided", "aided"]


@dataclass(frozen=True)
class ReaderSpec:
    """How one simulated reader reads.

    Parameters
    ----------
    name : str
        Goes into ``reader_id``.
    sensitivity, specificity : float
        Of unaided decisions, in expectation; strictly between 0 and 1, above chance together.
    spread : float
        Standard deviation of the impression among scans with the outcome, in units of that among
        scans without.
    boldness : float
        Log odds stated for one standard deviation beyond the threshold: low for a reader who
        stays near 50 %.
    trust : float
        Weight of the model's log odds in the aided arm, 0 to 1.
    seconds : float
        Median time for a scan.
    """

    name: str
    sensitivity: float
    specificity: float
    spread: float = 1.0
    boldness: float = 1.5
    trust: float = 0.3
    seconds: float = 70.0

    def __post_init__(self) -> None:
        inside = 0 < self.sensitivity < 1 and 0 < self.specificity < 1
        above = self.sensitivity + self.specificity > 1
        scales = min(self.spread, self.boldness, self.seconds) > 0 and 0 <= self.trust <= 1
        if not (inside and above and scales):
            raise UsageError(
                "A simulated reader has settings outside their range",
                "sensitivity and specificity between 0 and 1 with a sum above 1; spread, boldness "
                "and seconds above 0; trust from 0 to 1",
                "Correct the reader",
            )

    @property
    def threshold(self) -> float:
        """Impression at or above which the reader says yes."""
        return float(norm.ppf(self.specificity))

    @property
    def mean(self) -> float:
        """Mean impression of scans with the outcome; 0 is that of scans without."""
        return self.threshold + self.spread * float(norm.ppf(self.sensitivity))

    @property
    def auc(self) -> float:
        """Area under the binormal ROC curve of the impressions."""
        return float(norm.cdf(self.mean / math.hypot(1, self.spread)))


@dataclass(frozen=True)
class Correlation:
    """Correlations of impressions among scans of one class; each lies within the next.

    Parameters
    ----------
    score : float
        Share of the variance that comes from the scores given, 0 to `between`: the readers'
        correlation with a model, squared.
    between : float
        Between two readers.
    within : float
        Between two readings of a scan by one reader.
    """

    score: float = 0.2
    between: float = 0.5
    within: float = 0.8

    def __post_init__(self) -> None:
        if not 0 <= self.score <= self.between <= self.within <= 1:
            raise UsageError(
                "The readers' correlations do not lie within each other",
                "0 <= score <= between <= within <= 1",
                "Correct the correlations",
            )


PAPER_READERS: Final = (
    ReaderSpec("C1", 0.4890, 0.9029),
    ReaderSpec("C2", 0.5680, 0.7800),
    ReaderSpec("C3", 0.4430, 0.9257),
    ReaderSpec("C4", 0.2830, 0.9773),
    ReaderSpec("C5", 0.5175, 0.7019),
    ReaderSpec("C6", 0.3955, 0.8962),
    ReaderSpec("C7", 0.4335, 0.9467),
    ReaderSpec("C8", 0.5090, 0.9773),
)
"""The eight neurologists of Table 2 of Zhang 2026 (10.3389/fnins.2025.1753071): sensitivity and
specificity as printed, but for the specificity of C4 and C8, printed as 100.0 %, which no reader
has for ever: (21 + 1/2) / (21 + 1), as for 21 of 21 scans without the outcome. How sure they are,
how long they take and how they follow a model is ours."""

PAPER_CORRELATION: Final = Correlation(score=0.0, between=0.55, within=0.8)
"""With `PAPER_READERS`, about as much agreement as the paper prints at its two thirds of positive
scans: 0.61 to 0.87 between two readers, 0.51 to 0.59 between a reader and the model. The latter is
what raters reach who share nothing but the outcome, hence the score part of 0. `within` is ours."""


@dataclass(frozen=True)
class ScansToRead:
    """The scans of a simulated reader study.

    Parameters
    ----------
    participant_id, scan_id : sequence of str, length n
        Keys; every scan once.
    cases : Cases
        Outcomes, and as score the true risks or a model's scores: what the readers share with them
        is `Correlation.score`. Only their ranks within a class matter.

    Raises
    ------
    UsageError
        Keys that do not fit.
    """

    participant_id: Sequence[str]
    scan_id: Sequence[str]
    cases: Cases

    def __post_init__(self) -> None:
        n, distinct = self.cases.n, len(set(self.scan_id))
        if not n == len(self.participant_id) == len(self.scan_id) == distinct:
            raise UsageError(
                "The scans to be read do not fit together",
                "a participant and a scan for every label, and every scan once",
                "Correct the call",
            )


@dataclass(frozen=True)
class ModelAid:
    """What the aided arm shows.

    Parameters
    ----------
    probability : array_like of float in (0, 1), shape (n,)
        The model's.
    threshold : float
        The model's, to which its probabilities are compared by readers.
    """

    probability: ArrayLike
    threshold: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1:
            raise UsageError(
                "The model's threshold is no probability",
                "a threshold between 0 and 1",
                "Correct the threshold",
            )


@dataclass(frozen=True)
class ReadingPlan:
    """Who reads, how alike, how often, in which arms.

    Parameters
    ----------
    readers : sequence of ReaderSpec
        Who reads.
    correlation : Correlation
        How alike they read.
    repeats : float
        Share of the scans that every reader reads again in every arm, 0 to 1.
    arms : sequence of str
        ``"unaided"``, ``"aided"`` or both; the order of two is drawn for every reader.
    """

    readers: Sequence[ReaderSpec] = PAPER_READERS
    correlation: Correlation = PAPER_CORRELATION
    repeats: float = 0.0
    arms: Sequence[Arm] = ("unaided",)

    def __post_init__(self) -> None:
        names, arms = [reader.name for reader in self.readers], set(self.arms)
        named = 0 < len(names) == len(set(names))
        armed = 0 < len(self.arms) == len(arms) and arms <= {"unaided", "aided"}
        if not (named and armed and 0 <= self.repeats <= 1):
            raise UsageError(
                "The settings of a reader study do not fit together",
                "readers of different names; arms unaided, aided or both; repeats from 0 to 1",
                "Correct the plan",
            )
