"""Confidence limits of an AUC.

Perfect separation has an estimated variance of zero, and an interval of [1, 1] would claim
certainty from any sample, however small. There the interval comes from `perfect_auc_bound`
instead, which covers at least the level asked for.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import norm, t

from hemocast.stats.cases import Cases
from hemocast.stats.discrimination.delong import delong
from hemocast.stats.discrimination.roc import auc
from hemocast.stats.estimate import Estimate
from hemocast.stats.proportions import Interval

_FEW_AT_EXTREMES = 100
"""With fewer patients of a class, the variance of an AUC near 0 or 1 is often underestimated."""

_MODEL_SHARE = 1 / 3
"""Weight of Newcombe's limits there: in simulations a half covered 98 %, none 85 to 89 %."""

_EXTREME = 0.9
"""An AUC above this, or below its mirror image, counts as near 1 or 0."""


def disjoint_pairs(cases: Cases) -> int:
    """Count the pairs (a case with, a case without the outcome) that share no patient.

    Patients with cases of both kinds can stand on either side, but only once.
    """
    return min(cases.smaller_class, cases.n_patients // 2)


def perfect_auc_bound(pairs: int, level: float = 0.95) -> float:
    """Lower confidence limit of an AUC estimated as exactly 1.

    Match the two classes at random into `pairs` pairs that share no patient. Each pair is ranked
    rightly with a chance equal to the true AUC, independently of the others, and all of them were:
    so the exact binomial limit, ``((1 - level) / 2) ** (1 / pairs)``, holds. It is conservative,
    since the estimate also used all other pairs. Its mirror image serves an AUC of exactly 0.

    Parameters
    ----------
    pairs : int
        From `disjoint_pairs`; with none, nothing is known and the limit is 0.
    level : float
        Confidence level.
    """
    return float(((1 - level) / 2) ** (1 / pairs)) if pairs else 0.0


def perfect_auc_limits(cases: Cases, area: float, level: float = 0.95) -> Interval:
    """Limits of an AUC estimated as exactly 0 or 1; see `perfect_auc_bound`."""
    low = perfect_auc_bound(disjoint_pairs(cases), level)
    return Interval(low, 1.0) if area == 1.0 else Interval(0.0, 1 - low)


def auc_interval(cases: Cases, level: float = 0.95) -> Estimate:
    """AUC with a DeLong interval on the logit scale, which never leaves [0, 1].

    The quantile is Student's, with Satterthwaite's degrees of freedom. An AUC beyond .9 (or .1)
    from fewer than 100 patients of a class rests on a handful of wrongly ranked cases, and its
    variance comes out too small as often as not: of simulated intervals for .97 from 30 cases
    against 570, 89 % would hold the truth. There each limit is the mean, on the logit scale, of
    DeLong's (with the normal quantile; weight two thirds) and of Newcombe's score limit (whose
    variance follows from the AUC alone; one third): 96 % do.

    Parameters
    ----------
    cases : Cases
        Of one rater.
    level : float
        Confidence level.

    Returns
    -------
    Estimate
        Without limits, and with the reason, where a class has a single patient or all scores are
        equal; from `perfect_auc_bound` where the classes are perfectly separated.

    Raises
    ------
    StatisticsError
        Only one class is present.

    References
    ----------
    As for `delong`; the logit transform: Pepe MS 2003, The Statistical Evaluation of Medical Tests,
    Oxford University Press, section 5.2; score limits: Newcombe RG 2006, Stat Med 25:559-573,
    10.1002/sim.2324 (method 5).
    """
    cases.both_classes()
    positive, negative = cases.score[cases.truth], cases.score[~cases.truth]
    if cases.score.min() == cases.score.max():
        return Estimate.bare(0.5, cases.n, "all scores are equal")
    if positive.min() > negative.max() or positive.max() < negative.min():
        area = float(positive.min() > negative.max())
        warning = "the classes are perfectly separated; exact conservative limits"
        limits = perfect_auc_limits(cases, area, level)
        return Estimate(area, *limits, "exact, disjoint pairs", cases.n, warning)
    if cases.smaller_class < 2:
        reason = "a class has a single patient, so no interval can be given"
        return Estimate.bare(auc(cases), cases.n, reason)
    result = delong(cases)
    area = float(result.auc[0])
    variance = float(result.covariance[0, 0])
    limits = _logit_limits(area, variance, float(t.ppf(0.5 + level / 2, result.df[0])))
    method = "DeLong clustered by patient, logit" if cases.clustered else "DeLong, logit"
    if cases.smaller_class < _FEW_AT_EXTREMES and not 1 - _EXTREME <= area <= _EXTREME:
        limits = _logit_limits(area, variance, float(norm.ppf(0.5 + level / 2)))
        with_outcome, without = cases.patients(cases.truth), cases.patients(~cases.truth)
        model = newcombe_limits(area, with_outcome, without, level)
        weighed = (
            (1 - _MODEL_SHARE) * logit(own) + _MODEL_SHARE * logit(other)
            for own, other in zip(limits, model, strict=True)
        )
        limits = Interval(*(float(expit(value)) for value in weighed))
        method += ", averaged with Newcombe"
    return Estimate(area, *limits, method, cases.n, cases.few)


def _logit_limits(area: float, variance: float, quantile: float) -> Interval:
    half = quantile * float(np.sqrt(variance)) / (area * (1 - area))
    return Interval(float(expit(logit(area) - half)), float(expit(logit(area) + half)))


def newcombe_limits(area: float, n_positive: int, n_negative: int, level: float = 0.95) -> Interval:
    """Score limits of an AUC whose variance follows from the AUC and the numbers of cases alone.

    Parameters
    ----------
    area : float
        The AUC, strictly between 0 and 1.
    n_positive, n_negative : int
        Cases (or, where they have several, patients) of each class.
    level : float
        Confidence level.

    Returns
    -------
    Interval
        The AUCs from which the observed one lies as far as the level allows.

    References
    ----------
    Newcombe RG 2006, Stat Med 25:559-573, 10.1002/sim.2324 (method 5), with the variance of Hanley
    JA, McNeil BJ 1982, 10.1148/radiology.143.1.7063747.
    """
    z = float(norm.ppf(0.5 + level / 2))
    others = (n_positive + n_negative) / 2 - 1

    def excess(at: float) -> float:
        spread = 1 + others * ((1 - at) / (2 - at) + at / (1 + at))
        return (area - at) ** 2 - z**2 * at * (1 - at) * spread / (n_positive * n_negative)

    return Interval(
        float(brentq(excess, 0.0, area, xtol=1e-14)), float(brentq(excess, area, 1.0, xtol=1e-14))
    )
