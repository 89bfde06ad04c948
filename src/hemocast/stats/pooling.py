"""One number over several sites: random effects, and what another site may expect.

Sites differ. The mean over sites has an interval of its own; where the next site will lie is a
wider question, which the prediction interval answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import chi2, norm, t

from hemocast.errors import StatisticsError
from hemocast.stats.estimate import Estimate, Float64Array
from hemocast.stats.proportions import Interval

_FEW_SITES = 5
"""With fewer, the variance between sites is hardly known."""

Scale = Callable[[float], float]


@dataclass(frozen=True)
class Pooled:
    """A number over sites.

    Parameters
    ----------
    mean : Estimate
        Random-effects mean; `n` counts sites.
    prediction : Interval or None
        Where the true value of another such site lies with a chance of some 95 % (in simulation
        91 % for eight sites: the variance between so few is uncertain); None for two sites.
    tau : float
        Standard deviation between sites, on the scale of the pooling.
    i2 : float
        Share of the variation between estimates that is not chance.
    q, df, p : float
        Cochran's test that all sites have the same value.
    """

    mean: Estimate
    prediction: Interval | None
    tau: float
    i2: float
    q: float
    df: int
    p: float


def pool(value: ArrayLike, variance: ArrayLike, level: float = 0.95) -> Pooled:
    """Pool independent sites: Paule and Mandel's tau, Hartung and Knapp's modified interval.

    Hartung and Knapp scale the variance of the mean by what sites differ; with Paule and Mandel's
    tau that factor is 1, and below 1 only where tau is 0: sites that agree more than chance would
    let them. The modification takes 1 then, too, since by luck of few sites the interval would be
    narrower than that of all their patients together.

    Parameters
    ----------
    value, variance : array_like, shape (k,)
        Of each site, on a scale on which they are about normal.
    level : float
        Confidence level.

    Raises
    ------
    StatisticsError
        Fewer than two sites, or a variance that is not above 0.

    References
    ----------
    Paule RC, Mandel J 1982, J Res Natl Bur Stand 87:377-385, 10.6028/jres.087.022. Hartung J, Knapp
    G 2001, Stat Med 20:3875-3889, 10.1002/sim.1009. The modification: Röver C 2015, BMC Med Res
    Methodol 15:99, 10.1186/s12874-015-0091-1. Prediction interval: Higgins JPT 2009, J R Stat
    Soc A 172:137-159, 10.1111/j.1467-985X.2008.00552.x. Of the performance of prediction models:
    Debray TPA 2017, BMJ 356:i6460, 10.1136/bmj.i6460.
    """
    y, v = np.asarray(value, dtype=np.float64), np.asarray(variance, dtype=np.float64)
    k = y.size
    if y.ndim != 1 or y.shape != v.shape or k < 2 or not bool((v > 0).all()):
        raise StatisticsError(
            f"{k} site(s), with variances of shape {v.shape}",
            "at least two sites, each with a variance above 0",
            "Report the sites one by one",
        )
    q = _cochran(y, v, 0.0)
    tau2 = _paule_mandel(y, v)
    weight = 1 / (v + tau2)
    middle = float((weight * y).sum() / weight.sum())
    spread = float(1 / weight.sum())
    half = float(t.ppf(0.5 + level / 2, k - 1)) * np.sqrt(spread)
    few = f"rests on {k} sites" if k < _FEW_SITES else None
    method = "random effects, modified Hartung-Knapp"
    prediction = None
    if k > 2:
        wide = float(t.ppf(0.5 + level / 2, k - 2)) * np.sqrt(tau2 + spread)
        prediction = Interval(float(middle - wide), float(middle + wide))
    return Pooled(
        mean=Estimate(middle, float(middle - half), float(middle + half), method, k, few),
        prediction=prediction,
        tau=float(np.sqrt(tau2)),
        i2=max(0.0, 1 - (k - 1) / q) if q > 0 else 0.0,
        q=q,
        df=k - 1,
        p=float(chi2.sf(q, k - 1)),
    )


def _cochran(y: Float64Array, v: Float64Array, tau2: float) -> float:
    weight = 1 / (v + tau2)
    return float((weight * (y - (weight * y).sum() / weight.sum()) ** 2).sum())


def _paule_mandel(y: Float64Array, v: Float64Array) -> float:
    """Find the variance between sites with which Cochran's Q is what chance gives."""
    wanted = y.size - 1
    if _cochran(y, v, 0.0) <= wanted:
        return 0.0
    top = float(np.var(y, ddof=1)) + 1.0
    while _cochran(y, v, top) > wanted:
        top *= 2
    return float(brentq(lambda tau2: _cochran(y, v, tau2) - wanted, 0.0, top, xtol=1e-14))


def pool_estimates(sites: Sequence[Estimate], *, share: bool) -> Pooled:
    """Pool estimates with 95 % limits: shares (AUC among them) as logits, to stay within 0 and 1.

    The variance of each comes from the width of its interval, on the scale of the pooling.

    Parameters
    ----------
    sites : sequence of Estimate
        Each with limits.
    share : bool
        They lie within 0 and 1.

    Raises
    ------
    StatisticsError
        Fewer than two sites whose value and limits are known and, for shares, inside 0 and 1.
    """
    to, back = (logit, expit) if share else (_same, _same)
    known = [
        one
        for one in sites
        if np.isfinite([one.value, one.ci_low, one.ci_high]).all()
        and one.ci_low < one.ci_high
        and (not share or (one.ci_low > 0 and one.ci_high < 1 and 0 < one.value < 1))
    ]
    error = np.array([to(one.ci_high) - to(one.ci_low) for one in known]) / (2 * norm.ppf(0.975))
    found = pool([to(one.value) for one in known], error**2)
    low, middle, high = (
        float(back(x)) for x in (found.mean.ci_low, found.mean.value, found.mean.ci_high)
    )
    left = len(sites) - len(known)
    lost = f"{left} site(s) without an interval left out" if left else None
    mean = Estimate(middle, low, high, found.mean.ci_method, len(known), found.mean.warning)
    prediction = found.prediction and Interval(*(float(back(x)) for x in found.prediction))
    return Pooled(mean.noted(lost), prediction, found.tau, found.i2, found.q, found.df, found.p)


def _same(value: float) -> float:
    return value
