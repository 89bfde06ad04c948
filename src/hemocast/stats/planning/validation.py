"""How many patients an external validation needs, after Riley: enough for precise answers."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import norm

from hemocast.errors import StatisticsError
from hemocast.stats.estimate import Float64Array
from hemocast.stats.planning.checks import check_c, check_fraction, smallest

_Z: Final = float(norm.ppf(0.975))
_STEPS: Final = 2001
_LARGEST_C: Final = 0.99


@dataclass(frozen=True)
class ValidationSize:
    """Patients needed to validate a model, by criterion.

    Parameters
    ----------
    observed_expected : int
        1: the ratio of observed to expected events.
    calibration_slope : int
        2: the slope.
    c_statistic : int
        3: the C statistic.
    net_benefit : int or None
        4: the standardized net benefit; None where no threshold was given.
    required : int
        The largest of these.
    events : float
        Patients with the outcome among `required`.
    """

    observed_expected: int
    calibration_slope: int
    c_statistic: int
    net_benefit: int | None
    required: int
    events: float


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold at which a model's net benefit shall be known.

    Parameters
    ----------
    threshold : float
        The risk at or above which patients would be treated.
    sensitivity, specificity : float
        Expected there.
    """

    threshold: float
    sensitivity: float
    specificity: float


@dataclass(frozen=True)
class Widths:
    """Full widths of the 95 % intervals that are accepted.

    Parameters
    ----------
    observed_expected, slope, c_statistic, net_benefit : float
        Of the four criteria, each above 0.
    """

    observed_expected: float = 0.2
    slope: float = 0.2
    c_statistic: float = 0.1
    net_benefit: float = 0.2


def validation_size(
    prevalence: float,
    c_statistic: float,
    logit_mean: float,
    logit_sd: float,
    widths: Widths = Widths(),
    point: OperatingPoint | None = None,
) -> ValidationSize:
    """Smallest number of patients to validate a model that is expected to be well calibrated.

    Parameters
    ----------
    prevalence, c_statistic : float
        Expected in the new patients.
    logit_mean, logit_sd : float
        Of the logits of the model's risks there, taken as normal; for a given prevalence and C
        statistic `logits_from_c` finds them.
    widths : Widths
        How precise the answers shall be.
    point : OperatingPoint, optional
        Adds the criterion of the standardized net benefit.

    Raises
    ------
    StatisticsError
        Fractions outside (0, 1), a C statistic not between .5 and 1, or a width or standard
        deviation of 0 or less.

    References
    ----------
    Riley RD 2021, Stat Med 40:4230-4251, 10.1002/sim.9025. Newcombe RG 2006, Stat Med 25:559-573,
    10.1002/sim.2324 (C statistic). Marsh TL, Janes H, Pepe MS 2020, Biometrics 76:843-852,
    10.1111/biom.13190 (net benefit).
    """
    check_fraction(prevalence, "prevalence")
    check_c(c_statistic)
    for word, width in (*asdict(widths).items(), ("logits' standard deviation", logit_sd)):
        if not width > 0:
            seen = f"The width of {word.replace('_', ' ')} is {width}"
            raise StatisticsError(seen, "above 0", "Correct it")
    # The interval of O/E is symmetric on the log scale: its width is 2 sinh(1.96 se).
    error = math.asinh(widths.observed_expected / 2) / _Z
    first = math.ceil((1 - prevalence) / (prevalence * error**2))
    slope = _slope_variance(logit_mean, logit_sd)
    second = math.ceil(slope / (widths.slope / 2 / _Z) ** 2)
    third = _for_c(prevalence, c_statistic, widths.c_statistic / 2 / _Z)
    half = widths.net_benefit / 2 / _Z
    fourth = None if point is None else _for_benefit(prevalence, point, half)
    required = max(first, second, third, fourth or 0)
    return ValidationSize(first, second, third, fourth, required, required * prevalence)


def _normal_grid() -> tuple[Float64Array, Float64Array]:
    """Points and weights of a standard normal; a plain grid is as exact as needed here."""
    nodes = np.linspace(-9, 9, _STEPS)
    weights = norm.pdf(nodes)
    return nodes, weights / weights.sum()


def _slope_variance(mean: float, sd: float) -> float:
    """Variance of the calibration slope of a well calibrated model, times the patients."""
    nodes, weights = _normal_grid()
    logits = mean + sd * nodes
    risk = expit(logits)
    share = weights * risk * (1 - risk)
    i_aa, i_ab, i_bb = share.sum(), share @ logits, share @ logits**2
    return float(i_aa / (i_aa * i_bb - i_ab**2))


def newcombe_se(c_statistic: float, prevalence: float, n: float) -> float:
    """Standard error of a C statistic to be expected, after Newcombe's method 4.

    References
    ----------
    Newcombe RG 2006, Stat Med 25:559-573, 10.1002/sim.2324.
    """
    c = c_statistic
    spread = 1 + (n / 2 - 1) * (1 - c) / (2 - c) + (n / 2 - 1) * c / (1 + c)
    return math.sqrt(c * (1 - c) * spread / (n**2 * prevalence * (1 - prevalence)))


def _for_c(prevalence: float, c_statistic: float, error: float) -> int:
    def enough(n: int) -> bool:
        return newcombe_se(c_statistic, prevalence, n) <= error

    return smallest(enough, "the C statistic", "Accept a wider interval")


def net_benefit_variance(prevalence: float, point: OperatingPoint) -> float:
    """Variance of the standardized net benefit (net benefit / prevalence), times the patients.

    References
    ----------
    Marsh TL, Janes H, Pepe MS 2020, Biometrics 76:843-852, 10.1111/biom.13190.
    """
    check_fraction(prevalence, "prevalence")
    check_fraction(point.threshold, "threshold")
    for word, share in (("sensitivity", point.sensitivity), ("specificity", point.specificity)):
        if not 0 <= share <= 1:
            raise StatisticsError(f"The {word} is {share}", "a fraction", "Correct it")
    false = 1 - point.specificity
    weight = (1 - prevalence) / prevalence * point.threshold / (1 - point.threshold)
    return (
        point.sensitivity * (1 - point.sensitivity) / prevalence
        + weight**2 * point.specificity * false / (1 - prevalence)
        + weight**2 * false**2 / (prevalence * (1 - prevalence))
    )


def _for_benefit(prevalence: float, point: OperatingPoint, error: float) -> int:
    return max(1, math.ceil(net_benefit_variance(prevalence, point) / error**2))


def logits_from_c(c_statistic: float, prevalence: float) -> tuple[float, float]:
    """Mean and standard deviation of normal logits that give a C statistic and a prevalence.

    Parameters
    ----------
    c_statistic, prevalence : float
        To be matched by a well calibrated model.

    Returns
    -------
    mean, sd : float
        Of the logits of all patients.

    Raises
    ------
    StatisticsError
        A C statistic not between .5 and .99, or a prevalence outside (0, 1).

    References
    ----------
    Pavlou M 2021, Stat Methods Med Res 30:2187-2206, 10.1177/09622802211007522 (the same aim, by
    approximations; here by numerical integration).
    """
    check_c(c_statistic, _LARGEST_C)
    check_fraction(prevalence, "prevalence")
    sd = float(
        brentq(lambda sd: _c_of(_mean_for(prevalence, sd), sd) - c_statistic, 1e-3, 60.0, xtol=1e-8)
    )
    return _mean_for(prevalence, sd), sd


def _mean_for(prevalence: float, sd: float) -> float:
    nodes, weights = _normal_grid()
    reach = 40.0 + 10 * sd
    return float(
        brentq(
            lambda mean: float(weights @ expit(mean + sd * nodes)) - prevalence,
            -reach,
            reach,
            xtol=1e-10,
        )
    )


def _c_of(mean: float, sd: float) -> float:
    """C statistic of a calibrated model with normal logits."""
    nodes, weights = _normal_grid()
    risk = expit(mean + sd * nodes)
    positive, negative = weights * risk, weights * (1 - risk)
    below = np.cumsum(negative) - negative / 2
    return float(positive @ below / (positive.sum() * negative.sum()))
