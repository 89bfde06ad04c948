"""Two treatments that were not read by the same readers, or not on the same cases.

A split-plot study gives each treatment readers of its own, a study of two case sets cases of its
own. Hillis's marginal-mean analysis holds for these too: what the two treatments do not share takes
no covariance off their difference.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hemocast.errors import StatisticsError
from hemocast.stats.cases import Cases
from hemocast.stats.estimate import Float64Array
from hemocast.stats.mrmc.covariance import CaseCovariance, Metric, case_covariance, few_rated_for
from hemocast.stats.mrmc.obuchowski_rockette import few_readers_warning, mean_squares
from hemocast.stats.mrmc.result import NO_VARIANCE, Contrast, contrast


@dataclass(frozen=True)
class NestedStudy:
    """The difference of two treatments.

    Parameters
    ----------
    design : str
        What the treatments share, in words.
    first_mean, second_mean : float
        Mean accuracies over readers.
    random_readers_and_cases, fixed_readers : Contrast
        First minus second, for readers and cases like these, or for these very readers.
    """

    design: str
    first_mean: float
    second_mean: float
    random_readers_and_cases: Contrast
    fixed_readers: Contrast


def separate_cases(
    first: Cases,
    second: Cases,
    metric: Metric = "auc",
    covariance: CaseCovariance = "jackknife",
    *,
    same_readers: bool,
    level: float = 0.95,
) -> NestedStudy:
    """Compare two treatments with a set of cases each.

    Parameters
    ----------
    first, second : Cases
        Of the readers of each treatment, on its cases; no patient may be in both.
    metric, covariance
        As for `case_covariance`.
    same_readers : bool
        Both have the same readers, in the same order; else no reader has read both.
    level : float
        Confidence level.

    Raises
    ------
    StatisticsError
        A single reader, another number of readers where these are the same, or whatever
        `case_covariance` refuses.

    References
    ----------
    Hillis SL 2014, Stat Med 33:330-360, 10.1002/sim.5926 (cases nested in treatments; both nested).
    """
    values, joints = zip(
        *(case_covariance(one, metric, covariance) for one in (first, second)), strict=True
    )
    _require_readers(values)
    few = tuple(few_rated_for(metric, one) for one in (first, second))
    if not same_readers:
        return _of_own_readers(
            "readers and cases of its own in each", values, joints, 0.0, few, level
        )
    if values[0].size != values[1].size:
        raise StatisticsError(
            f"There are {values[0].size} and {values[1].size} readers",
            "the same readers for both treatments",
            "Compare the treatments as read by readers of their own",
        )
    n = values[0].size
    within = mean_squares(np.stack(values)).treatment_reader
    shared = float(np.mean([_off_diagonal(joint) for joint in joints]))
    total = within + n * max(shared, 0.0)
    df = (n - 1) * (total / within) ** 2 if within > NO_VARIANCE else float("inf")
    wide = _contrast(values, 2 * total / n, float(df), level)
    fixed = _contrast(values, float(sum(joint.mean() for joint in joints)), float("inf"), level)
    return _study("the same readers, cases of its own in each", values, wide, fixed, few)


def separate_readers(
    cases: Cases,
    n_first: int,
    metric: Metric = "auc",
    covariance: CaseCovariance = "jackknife",
    level: float = 0.95,
) -> NestedStudy:
    """Compare two treatments with readers of their own, who all read the same cases.

    Parameters
    ----------
    cases : Cases
        Of the `n_first` readers of the first treatment, then of those of the second.
    n_first : int
        Readers of the first.
    metric, covariance
        As for `case_covariance`.
    level : float
        Confidence level.

    Raises
    ------
    StatisticsError
        A single reader of a treatment, or whatever `case_covariance` refuses.

    References
    ----------
    Hillis SL 2014, Stat Med 33:330-360, 10.1002/sim.5926 (readers nested in treatments).
    """
    every, joint = case_covariance(cases, metric, covariance)
    values = (every[:n_first], every[n_first:])
    _require_readers(values)
    joints = (joint[:n_first, :n_first], joint[n_first:, n_first:])
    across = float(joint[:n_first, n_first:].mean())
    few = (few_rated_for(metric, cases),)
    return _of_own_readers(
        "readers of its own in each, the same cases", values, joints, across, few, level
    )


def _of_own_readers(
    design: str,
    values: tuple[Float64Array, ...],
    joints: tuple[Float64Array, ...],
    across: float,
    few: tuple[str | None, ...],
    level: float,
) -> NestedStudy:
    """Sum the variances of two means over readers of their own, with Satterthwaite's df."""
    between = [float(one.var(ddof=1)) / one.size for one in values]
    shared = sum(_off_diagonal(joint) for joint in joints) - 2 * across
    total = sum(between) + max(shared, 0.0)
    known = sum(part**2 / (one.size - 1) for part, one in zip(between, values, strict=True))
    df = total**2 / known if known > NO_VARIANCE**2 else float("inf")
    over_cases = max(float(sum(joint.mean() for joint in joints)) - 2 * across, 0.0)
    wide = _contrast(values, total, df, level)
    return _study(design, values, wide, _contrast(values, over_cases, float("inf"), level), few)


def _off_diagonal(joint: Float64Array) -> float:
    """Mean covariance of different readers."""
    n = len(joint)
    return float(joint.sum() - np.trace(joint)) / (n * (n - 1))


def _contrast(
    values: tuple[Float64Array, ...], variance: float, df: float, level: float
) -> Contrast:
    first, second = (float(one.mean()) for one in values)
    return contrast("first", "second", first - second, variance, df, level)


def _study(
    design: str,
    values: tuple[Float64Array, ...],
    wide: Contrast,
    fixed: Contrast,
    few: tuple[str | None, ...],
) -> NestedStudy:
    few_readers = few_readers_warning(min(one.size for one in values))
    first, second = (float(one.mean()) for one in values)
    return NestedStudy(design, first, second, wide.noted(*few, few_readers), fixed.noted(*few))


def _require_readers(values: tuple[Float64Array, ...]) -> None:
    if min(one.size for one in values) < 2:
        raise StatisticsError(
            "A treatment has a single reader",
            "at least two readers of each treatment",
            "Compare single readers by delong_test; it speaks of these readers only",
        )
