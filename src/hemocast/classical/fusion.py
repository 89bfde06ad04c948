"""Late fusion: image and clinical record joined by a logistic of their out-of-fold risks.

At a few hundred patients this is the way that does not fool itself: each of the two models is a
single number a patient, from a model that never saw the patient, and three coefficients join them.
Where there is no clinical risk (nothing is known of the patient) the image's own risk stands, and
the prediction says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from hemocast.classical.join import Fused, Fusion, clipped_logit
from hemocast.classical.learning import Cohort, folds
from hemocast.classical.measurements import Float64Array
from hemocast.errors import StatisticsError
from hemocast.stats.calibration.logistic import fit_logistic
from hemocast.stats.cases import Cases
from hemocast.stats.decision import decision_curve
from hemocast.stats.discrimination.delong import auc_interval, delong_test
from hemocast.stats.estimate import FEW, Estimate
from hemocast.stats.resampling.limits import percentile_limits
from hemocast.stats.resampling.weights import Resampling

THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.5)
_RIDGE = 1e-6


@dataclass(frozen=True)
class Increment:
    """What the image adds to the clinical record, in patients whom no part of either had seen.

    Parameters
    ----------
    clinical, fused : Estimate
        AUC of the record alone, and of both.
    auc : Estimate
        Their difference (DeLong).
    likelihood_ratio, p : float
        Twice the log likelihood that the image's logit adds to the clinical one's in one logistic
        model, and its chi-square probability on 1 degree of freedom.
    net_benefit : tuple of Estimate
        Fused minus clinical at `THRESHOLDS`, true positives per patient, patients resampled.
    """

    clinical: Estimate
    fused: Estimate
    auc: Estimate
    likelihood_ratio: float
    p: float
    net_benefit: tuple[Estimate, ...]


@dataclass(frozen=True)
class Stratum:
    """What the fusion reaches under one treatment.

    Parameters
    ----------
    name : str
    n, events : int
    auc : Estimate
    ratio : float
        Observed / expected events.
    """

    name: str
    n: int
    events: int
    auc: Estimate
    ratio: float


@dataclass(frozen=True)
class ByTreatment:
    """The fusion under every treatment, and whether treatment changes what a risk means.

    Parameters
    ----------
    strata : tuple of Stratum
    statistic, df, p : float, int, float
        Likelihood ratio of an own intercept and slope for every treatment with 10 or more patients
        of both classes; NaN where fewer than two have them.
    warning : str or None
        Which were too few to be tested.
    """

    strata: tuple[Stratum, ...]
    statistic: float
    df: int
    p: float
    warning: str | None


def learn_fusion(outcome: Float64Array, clinical: Float64Array, image: Float64Array) -> Fusion:
    """Fit the three coefficients.

    Parameters
    ----------
    outcome : ndarray of 0/1, shape (n,)
    clinical, image : ndarray, shape (n,)
        Out-of-fold risks: those of models fitted to the same patients would be believed too much.
        Patients without a clinical risk (NaN) are left out.

    Raises
    ------
    StatisticsError
        A class is missing, or an image risk.

    References
    ----------
    Wolpert DH 1992, Neural Networks 5:241-259, 10.1016/S0893-6080(05)80023-1.
    """
    if not np.isfinite(image).all():
        raise StatisticsError(
            f"{int((~np.isfinite(image)).sum())} patients have no risk from the image",
            "one for every patient", "Leave those patients out, and say how many there were",
        )  # fmt: skip
    known = ~np.isnan(clinical)
    Cases(outcome[known], image[known]).both_classes()
    design = _design(clinical[known], image[known])
    beta, _ = fit_logistic(design, outcome[known], ridge=_RIDGE)
    return Fusion(*(float(one) for one in beta))


def fuse_out_of_fold(cohort: Cohort, clinical: Float64Array, image: Float64Array) -> Fused:
    """Join out-of-fold risks by coefficients that never saw the patient either.

    Parameters
    ----------
    cohort : Cohort
        The patients and their groups, which are kept whole.
    clinical, image : ndarray, shape (n,)
        As for `learn_fusion`.
    """
    risk, alone = np.empty(len(image)), np.isnan(clinical)
    for learned, tried in folds(cohort):
        fusion = learn_fusion(cohort.outcome[learned], clinical[learned], image[learned])
        risk[tried] = fusion.risk(clinical[tried], image[tried]).risk
    return Fused(risk, alone)


def measure_increment(
    cohort: Cohort,
    clinical: Float64Array,
    image: Float64Array,
    resampling: Resampling = Resampling(1000),
) -> Increment:
    """Measure what the image adds, among the patients with a clinical risk.

    Parameters
    ----------
    cohort : Cohort
        Of whom several scans would be a group; every row counts as a patient of its own here, so
        give one row a patient.
    clinical, image : ndarray, shape (n,)
        Out-of-fold risks.
    resampling : Resampling
        For net benefit.

    Raises
    ------
    StatisticsError
        A class is missing, or fewer than two patients of one.

    References
    ----------
    Likelihood ratio before differences in AUC: Harrell FE 2015, Regression Modeling Strategies,
    2nd ed, section 10.8; Vickers AJ, Cronin AM, Begg CB 2011, BMC Med Res Methodol 11:13,
    10.1186/1471-2288-11-13.
    """
    known = ~np.isnan(clinical)
    cohort = cohort.part(known)
    record, scan, outcome = clinical[known], image[known], cohort.outcome
    fused = fuse_out_of_fold(cohort, record, scan).risk
    both = Cases(outcome, np.stack([fused, record]))
    difference = delong_test(both)
    ratio = 2 * (_fitted(_design(record, scan), outcome) - _fitted(_design(record), outcome))
    return Increment(
        auc_interval(both.rater(1)),
        auc_interval(both.rater(0)),
        Estimate(
            difference.difference, difference.ci_low, difference.ci_high, "DeLong", both.n,
            difference.warning,
        ),
        ratio,
        float(chi2.sf(ratio, 1)),
        _net_benefits(both, resampling),
    )  # fmt: skip


def by_treatment(
    outcome: Float64Array, risk: Float64Array, treatment: NDArray[np.str_]
) -> ByTreatment:
    """Measure joined risks under every treatment, and test whether it changes their meaning.

    Parameters
    ----------
    outcome, risk : ndarray, shape (n,)
    treatment : ndarray of str, shape (n,)
        Of every patient.
    """
    strata: list[Stratum] = []
    tested: list[str] = []
    few: list[str] = []
    for name in np.unique(treatment):
        own = treatment == name
        cases = Cases(outcome[own], risk[own])
        enough = min(cases.n_positive, cases.n - cases.n_positive) >= FEW
        (tested if enough else few).append(str(name))
        area = (
            auc_interval(cases)
            if 0 < cases.n_positive < cases.n
            else Estimate.bare(np.nan, cases.n, "one class only")
        )
        ratio = cases.n_positive / float(risk[own].sum())
        strata.append(Stratum(str(name), cases.n, cases.n_positive, area, ratio))
    names = ", ".join(few)
    warning = f"not tested, fewer than {FEW} patients of a class: {names}" if few else None
    if len(tested) < 2:
        return ByTreatment(tuple(strata), np.nan, 0, np.nan, warning)
    among = np.isin(treatment, tested)
    y, flat = outcome[among], np.ones(int(among.sum()))
    line = np.column_stack([flat, clipped_logit(risk[among])])
    each = [line * (treatment[among] == name)[:, None] for name in tested]
    statistic = 2 * (_fitted(np.hstack(each), y) - _fitted(line, y))
    df = 2 * (len(tested) - 1)
    return ByTreatment(tuple(strata), statistic, df, float(chi2.sf(statistic, df)), warning)


def _net_benefits(both: Cases, resampling: Resampling) -> tuple[Estimate, ...]:
    """Net benefit of the first rater minus that of the second, the same resamples for both."""
    found = []
    first, second = (decision_curve(both.rater(i), THRESHOLDS, Resampling(1)) for i in (0, 1))
    weights = np.concatenate(list(resampling.draw(both, both.n)))
    for at, threshold in enumerate(THRESHOLDS):
        gain = np.where(both.truth, 1.0, -threshold / (1 - threshold))
        acted = (both.scores >= threshold).astype(np.float64)
        drawn = weights @ (gain * (acted[0] - acted[1])) / both.n
        value = float(first.model[at] - second.model[at])
        low, high = percentile_limits(drawn)
        found.append(Estimate(value, low, high, "bootstrap of patients", both.n, both.few))
    return tuple(found)


def _fitted(design: Float64Array, outcome: Float64Array) -> float:
    """Log likelihood of a logistic model at its maximum."""
    beta, _ = fit_logistic(design, outcome, ridge=_RIDGE)
    eta = design @ beta
    return float((outcome * eta - np.logaddexp(0, eta)).sum())


def _design(*risks: Float64Array) -> Float64Array:
    return np.column_stack([np.ones(len(risks[0])), *(clipped_logit(risk) for risk in risks)])
