"""Scans whose outcome was never observed: what they could change, and what weighting makes of them.

Leaving them out is right only where it was chance that they were not observed. Bounds show what
they could change at most. Weighting lets the observed scans stand for those like them, and is right
where the chance of being observed depends on nothing but what the weights know.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit
from scipy.stats import rankdata

from hemocast.errors import StatisticsError
from hemocast.stats.calibration.logistic import fit_resamples
from hemocast.stats.cases import Cases
from hemocast.stats.estimate import BoolArray, Estimate, Float64Array
from hemocast.stats.resampling.limits import resampled_limits
from hemocast.stats.resampling.weights import Resampling

WEIGHTED = (
    "auc", "sensitivity", "specificity", "ppv", "npv", "brier", "observed_expected",
    "calibration_in_the_large", "calibration_slope",
)  # fmt: skip
"""What `weighted_metrics` gives, in its order."""
_N_SHARES = 5
"""So many of them, the first, lie between 0 and 1; weighted sums leave that by rounding."""

_METHOD = "inverse probability weighting; bootstrap of patients"
_SURE = 1e-6
_RARELY = 0.05


@dataclass(frozen=True)
class PartlyObserved:
    """Scans with a score each, of some of which the outcome is known.

    Parameters
    ----------
    cases : Cases
        Of one rater, with fractions in [0, 1]; where `observed` is False the outcome means nothing.
    observed : ndarray of bool, shape (n,)
        Whether the outcome is known.
    predictors : ndarray of float64, shape (n, k)
        What else the chance of being observed may depend on, beside the score.
    """

    cases: Cases
    observed: BoolArray
    predictors: Float64Array

    def filled(self, outcome: BoolArray) -> Cases:
        """Return the cases with outcomes, shape (n,), where none was observed."""
        truth = np.where(self.observed, self.cases.truth, outcome)
        return Cases(truth, self.cases.scores, self.cases.patient)

    def contradicted(self, threshold: float) -> Cases:
        """Let every decision on an unobserved scan be wrong: least sensitivity and specificity."""
        return self.filled(self.cases.score < threshold)

    def confirmed(self, threshold: float) -> Cases:
        """Let every decision on an unobserved scan be right."""
        return self.filled(self.cases.score >= threshold)

    def extreme_auc(self, *, highest: bool) -> Cases:
        """Give the unobserved scans the outcomes with the lowest or the highest AUC there can be.

        For each number of scans with the outcome, the AUC follows from the sum of their ranks
        alone: it is lowest where those of the lowest scores have it.

        Raises
        ------
        StatisticsError
            All scans would be of one class whatever the outcomes.
        """
        score, unseen = self.cases.score, np.flatnonzero(~self.observed)
        order = unseen[np.argsort(-score[unseen] if highest else score[unseen], kind="stable")]
        ranks = rankdata(score)
        own = self.observed & self.cases.truth
        taken = np.concatenate([[0.0], np.cumsum(ranks[order])]) + ranks[own].sum()
        positive = int(own.sum()) + np.arange(order.size + 1)
        pairs = positive * (score.size - positive)
        if not (pairs > 0).any():
            raise StatisticsError(
                "No scan has the outcome, or every scan has it",
                "scans of both classes",
                "Report the counts; discrimination is undefined",
            )
        won = taken - positive * (positive + 1) / 2
        area = np.where(pairs > 0, won / np.maximum(pairs, 1), -1 if highest else 2)
        chosen = int(np.argmax(area) if highest else np.argmin(area))
        outcome = np.zeros(score.size, dtype=np.bool_)
        outcome[order[:chosen]] = True
        return self.filled(outcome)

    def chance_of_being_observed(self, counts: Float64Array) -> Float64Array:
        """Fit it by logistic regression on the score's logit and the predictors.

        Parameters
        ----------
        counts : ndarray, shape (r, n)
            How often each resample holds each scan.

        Returns
        -------
        ndarray of float64, shape (r, n)
            NaN where there is no finite solution.
        """
        level = logit(np.clip(self.cases.score, _SURE, 1 - _SURE))
        design = np.column_stack([np.ones(level.size), level, self.predictors])
        none = np.zeros(level.size)
        found = fit_resamples(design, self.observed.astype(np.float64), none, counts)
        return np.asarray(expit(found @ design.T))


def weighted_metrics(
    found: PartlyObserved, threshold: float, resampling: Resampling = Resampling(500)
) -> tuple[tuple[str, Estimate], ...]:
    """Weigh every observed scan by 1 / its chance of having been observed, and measure.

    Parameters
    ----------
    found : PartlyObserved
        The scans.
    threshold : float
        At or above it a scan counts as positive.
    resampling : Resampling
        Of patients; the chance of being observed is fitted anew in each resample.

    Returns
    -------
    tuple of (str, Estimate)
        `WEIGHTED`. Observed / expected sets the weighted share with the outcome against the mean
        probability of all scans.

    Raises
    ------
    StatisticsError
        Every outcome was observed, or none of a class; or the observed cannot be told from the
        others by a model that has a solution.

    References
    ----------
    Of ROC curves: Alonzo TA, Pepe MS 2005, J R Stat Soc C 54:173-190,
    10.1111/j.1467-9876.2005.00477.x. Of the weights: Seaman SR, White IR 2013, Stat Methods Med Res
    22:278-295, 10.1177/0962280210395740.
    """
    cases, seen = found.cases, found.observed
    cases.part(seen).both_classes()
    weigher = _Weigher(found, threshold)
    (value,) = weigher(np.ones((1, cases.n)))
    if seen.all() or np.isnan(value).all():
        raise StatisticsError(
            f"The outcome of {int(seen.sum())} of {cases.n} scans was observed, and no weights "
            "follow from what they differ by",
            "observed and unobserved scans that overlap",
            "Report the bounds",
        )
    parts = [weigher(weights[:, cases.patient]) for weights in resampling.draw(cases, 8 * cases.n)]
    drawn = np.concatenate(parts)
    drawn[~np.isfinite(drawn)] = np.nan
    notes = [cases.part(seen).few, _doubts(found)]
    n, made = int(seen.sum()), []
    for name, whole, column in zip(WEIGHTED, value.tolist(), drawn.T, strict=True):
        if np.isfinite(whole):
            one = resampled_limits(whole, column, np.empty(0)).estimate(whole, n, _METHOD)
        else:
            one = Estimate.bare(float("nan"), n, "undefined on the observed scans")
        made.append((name, one.noted(*notes)))
    return tuple(made)


def _doubts(found: PartlyObserved) -> str:
    """Say on how many scans the weights rest, as Kish counts them, and whether some had no chance.

    Kish L 1965, Survey Sampling, Wiley, section 11.7.
    """
    (chance,) = found.chance_of_being_observed(np.ones((1, found.cases.n)))
    weight = 1 / chance[found.observed]
    worth = weight.sum() ** 2 / (weight**2).sum()
    text = f"as precise as about {worth:.0f} scans observed at random"
    rare = int((chance < _RARELY).sum())
    if not rare:
        return text
    return f"{text}; scans with a chance below {100 * _RARELY:.0f} % of being observed: {rare}"


class _Weigher:
    """All of `WEIGHTED` in any number of resamples of the same scans."""

    def __init__(self, found: PartlyObserved, threshold: float) -> None:
        self._found, seen = found, found.observed
        self._truth, score = found.cases.truth[seen], found.cases.score[seen]
        self._score, self._called = score, score >= threshold
        self._order = np.argsort(score, kind="stable")
        ordered = score[self._order]
        self._below = np.searchsorted(ordered, ordered, side="left")
        self._up_to = np.searchsorted(ordered, ordered, side="right")

    def __call__(self, counts: Float64Array) -> Float64Array:
        """Return them for `counts`, shape (r, n), as an array of shape (r, metrics)."""
        found = self._found
        chance = found.chance_of_being_observed(counts)
        weight = counts[:, found.observed] / chance[:, found.observed]
        true, said = weight * self._truth, weight * self._called
        both = true * self._called
        n, positive = weight.sum(axis=1), true.sum(axis=1)
        called, hits = said.sum(axis=1), both.sum(axis=1)
        negative = n - positive
        mean = counts @ found.cases.score / counts.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            columns = [
                self._auc(weight, true) / (positive * negative),
                hits / positive,
                1 - (called - hits) / negative,
                hits / called,
                (negative - called + hits) / (n - called),
                weight @ (self._score - self._truth) ** 2 / n,
                positive / n / mean,
                *self._lines(weight),
            ]
        measured = np.stack(columns, axis=1)
        measured[:, :_N_SHARES] = np.clip(measured[:, :_N_SHARES], 0, 1)
        return measured

    def _auc(self, weight: Float64Array, true: Float64Array) -> Float64Array:
        """Weigh the pairs ranked rightly, ties one half, shape (r,)."""
        ordered, wins = weight[:, self._order], true[:, self._order]
        below = np.cumsum(np.pad(ordered - wins, ((0, 0), (1, 0))), axis=1)
        half = (below[:, self._below] + below[:, self._up_to]) / 2
        return np.asarray((wins * half).sum(axis=1))

    def _lines(self, weight: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Calibration in the large and slope, shape (r,) each; NaN of probabilities of 0 or 1."""
        usable = ~np.isnan(weight).any(axis=1)
        lines = np.full((weight.shape[0], 2), np.nan)
        if usable.any() and ((self._score > 0) & (self._score < 1)).all():
            level, flat = logit(self._score), np.ones((self._score.size, 1))
            outcome, none = self._truth.astype(np.float64), np.zeros(self._score.size)
            large = fit_resamples(flat, outcome, level, weight[usable])
            both = fit_resamples(np.column_stack([flat, level]), outcome, none, weight[usable])
            lines[usable] = np.column_stack([large[:, 0], both[:, 1]])
        return lines[:, 0], lines[:, 1]
