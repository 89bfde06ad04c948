"""All that an evaluation found, as plain values, for its tables, figures and page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hemocast.evaluate.inputs.predictions import Level
from hemocast.readers.analysis.analyse import ReaderAnalysis
from hemocast.stats import (
    Cases,
    Confusion,
    DecisionCurve,
    Estimate,
    Resampling,
    RocBand,
    RocCurve,
    SubgroupAnalysis,
)
from hemocast.stats.discrimination.partial import PartialAuc
from hemocast.stats.discrimination.roc import PrecisionRecall
from hemocast.stats.estimate import BoolArray, Float64Array
from hemocast.stats.incidence import CumulativeIncidence
from hemocast.stats.pooling import Pooled
from hemocast.stats.prevalence import PredictiveValues


@dataclass(frozen=True)
class ThresholdRow:
    """What a threshold gives.

    Parameters
    ----------
    name : str
        How it was chosen, such as "Youden".
    threshold : float
        At or above it a scan counts as positive.
    exploratory : bool
        Chosen on the very scans that it is measured on: optimistic.
    metrics : tuple of (str, Estimate)
        Sensitivity, specificity, PPV, NPV.
    """

    name: str
    threshold: float
    exploratory: bool
    metrics: tuple[tuple[str, Estimate], ...]


@dataclass(frozen=True)
class CalibrationPart:
    """Calibration of the probabilities.

    Parameters
    ----------
    metrics : tuple of (str, Estimate)
        Mean predicted risk, observed/expected, and, unless there is a `reason`, in the large,
        slope, ICI, E50, E90, Emax.
    groups : tuple of (float, Estimate)
        Mean probability and observed share, with Wilson limits, of scans of like probability.
    at, curve : ndarray of float64, shape (k,)
        The smooth curve, sorted and thinned; empty where there is none.
    reason : str
        Why there are no further metrics; "" where there are.
    low, high : ndarray of float64, shape (k,), or None
        Pointwise 95 % limits of the curve; None where there are none.
    others : tuple of (str, Estimate)
        Further intervals of a metric.
    """

    metrics: tuple[tuple[str, Estimate], ...]
    groups: tuple[tuple[float, Estimate], ...]
    at: Float64Array
    curve: Float64Array
    reason: str = ""
    low: Float64Array | None = None
    high: Float64Array | None = None
    others: tuple[tuple[str, Estimate], ...] = ()


@dataclass(frozen=True)
class LeftOut:
    """Scans that a model could not be judged on, for one reason.

    Parameters
    ----------
    kind, reason : str
        What is missing, and why.
    n, n_patients : int
        Scans and patients.
    n_positive : int or None
        Scans known to have the outcome; None where that is known of none.
    mean_risk : float or None
        Mean probability; None where there was no prediction.
    """

    kind: str
    reason: str
    n: int
    n_patients: int
    n_positive: int | None
    mean_risk: float | None


@dataclass(frozen=True)
class Scenario:
    """The results under one assumption about the scans that were left out.

    Parameters
    ----------
    name : str
        The assumption.
    n : int
        Scans that the results rest on.
    n_positive : int or None
        Those with the outcome; None where metrics differ in it.
    metrics : tuple of (str, Estimate)
        Some of a model's.
    """

    name: str
    n: int
    n_positive: int | None
    metrics: tuple[tuple[str, Estimate], ...]


@dataclass(frozen=True)
class Incidence:
    """Chance of HT over time, with death as a competing event.

    Parameters
    ----------
    curve : CumulativeIncidence
        Hours after onset.
    chances : tuple of (float, Estimate)
        At some hours; the last is the latest at which enough patients are followed.
    n_unknown : int
        Patients whose time is not known.
    """

    curve: CumulativeIncidence
    chances: tuple[tuple[float, Estimate], ...]
    n_unknown: int


@dataclass(frozen=True)
class ModelPart:
    """One model's results.

    Parameters
    ----------
    name : str
        As the table gives it.
    cases : Cases
        What was evaluated.
    threshold, threshold_source : float, str
        Where it was called positive, and who said so.
    confusion : Confusion
        The cells at the threshold.
    metrics : tuple of (str, Estimate)
        The headline values, in the order of `hemocast.stats.METRICS`.
    intervals : mapping of str to tuple of Estimate
        The other intervals of a metric.
    points, at_prevalence
        Other thresholds, other prevalences.
    calibration : CalibrationPart
    decision : DecisionCurve or None
        None with a reason among the warnings.
    roc, precision_recall, band : RocCurve, PrecisionRecall, RocBand, or None
        None where only one class is there.
    subgroups : tuple of SubgroupAnalysis
        One per grouping.
    warnings : tuple of str
        About the model as a whole.
    partial : tuple of PartialAuc
        Areas under a part of the ROC curve, where these were asked for.
    left_out : tuple of LeftOut
        Scans that it could not be judged on, by reason.
    scenarios : tuple of Scenario
        What these could change.
    """

    name: str
    cases: Cases
    threshold: float
    threshold_source: str
    confusion: Confusion
    metrics: tuple[tuple[str, Estimate], ...]
    intervals: Mapping[str, tuple[Estimate, ...]]
    points: tuple[ThresholdRow, ...]
    at_prevalence: tuple[PredictiveValues, ...]
    calibration: CalibrationPart
    decision: DecisionCurve | None
    roc: RocCurve | None
    precision_recall: PrecisionRecall | None
    band: RocBand | None
    subgroups: tuple[SubgroupAnalysis, ...] = ()
    warnings: tuple[str, ...] = ()
    partial: tuple[PartialAuc, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    scenarios: tuple[Scenario, ...] = ()

    @property
    def n(self) -> int:
        """Scans."""
        return self.cases.n

    @property
    def n_patients(self) -> int:
        """Patients."""
        return self.cases.n_patients

    @property
    def n_positive(self) -> int:
        """Scans with the outcome."""
        return self.cases.n_positive

    @property
    def n_patients_positive(self) -> int:
        """Patients with the outcome."""
        return self.cases.patients(self.cases.truth)

    @property
    def label(self) -> BoolArray:
        """Outcomes, shape (n,)."""
        return self.cases.truth

    @property
    def probability(self) -> Float64Array:
        """The model's, shape (n,)."""
        return self.cases.score

    @property
    def prevalence(self) -> float:
        """Share of scans with the outcome."""
        return self.n_positive / self.n

    @property
    def pooled_sites(self) -> tuple[tuple[str, Pooled], ...]:
        """Metrics pooled over the groups of a grouping ``site``; empty where there is none."""
        sites = (one for one in self.subgroups if one.variable == "site")
        return tuple(row for one in sites for row in one.pooled())

    def __getitem__(self, metric: str) -> Estimate:
        """Return a headline value by its name."""
        return dict(self.metrics)[metric]


@dataclass(frozen=True)
class Comparison:
    """Two models (or a model and the readers) on the same scans.

    Parameters
    ----------
    first, second : str
        The difference is first minus second.
    metric, method : str
        What was compared, and how.
    difference : Estimate
        With limits; NaN with the reason.
    p, p_holm : float or None
        Two-sided p value, and after Holm over all models' comparisons; None with the reason in
        `difference`.
    """

    first: str
    second: str
    metric: str
    method: str
    difference: Estimate
    p: float | None
    p_holm: float | None = None


@dataclass(frozen=True)
class NetBenefitDifference:
    """Net benefit of acting on the first model minus that of acting on the second.

    Parameters
    ----------
    first, second : str
        Names.
    threshold : float
        Probability at which one would act.
    difference : Estimate
        On the scans that both rated.
    """

    first: str
    second: str
    threshold: float
    difference: Estimate


@dataclass(frozen=True)
class EvaluationResult:
    """The whole evaluation.

    Parameters
    ----------
    models : tuple of ModelPart
        In the order of the table.
    comparisons : tuple of Comparison
        Every pair of models.
    net_benefits : tuple of NetBenefitDifference
        Every pair of models at every threshold of their decision curves.
    readers : ReaderAnalysis or None
        Where readings were given.
    simulated : bool
        The tables say that their data are simulated.
    resampling : Resampling
        Of patients, in every bootstrap.
    notes : tuple of str
        What was left out, or could not be used.
    primary : str or None
        The metric named as primary before the numbers were seen.
    level : {"scan", "patient"}
        What was judged.
    incidence : Incidence or None
        Where the tables know the hours of deaths.
    """

    models: tuple[ModelPart, ...]
    comparisons: tuple[Comparison, ...] = ()
    net_benefits: tuple[NetBenefitDifference, ...] = ()
    readers: ReaderAnalysis | None = None
    simulated: bool = False
    resampling: Resampling = field(default_factory=Resampling)
    notes: tuple[str, ...] = ()
    primary: str | None = None
    level: Level = "scan"
    incidence: Incidence | None = None
