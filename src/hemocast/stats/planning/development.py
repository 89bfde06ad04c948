"""How many patients a new prediction model needs, after Riley: enough not to overfit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import xlogy
from scipy.stats import norm

from hemocast.errors import StatisticsError
from hemocast.stats.planning.checks import check_c, check_fraction

_MOST_PARAMETERS_FOR_MAPE: Final = 30
"""The equation of the fourth criterion was fitted to simulations of up to so many predictors."""

_NODES: Final = 200


@dataclass(frozen=True)
class DevelopmentSize:
    """Patients needed to develop a model, by criterion.

    Parameters
    ----------
    shrinkage : int
        1: coefficients need not be shrunk by more than 10 %.
    optimism : int
        2: apparent Nagelkerke R2 is at most .05 above the true one.
    overall_risk : int
        3: the overall risk is known within 5 percentage points.
    individual_risks : int or None
        4: the mean absolute error of predicted risks is at most the one asked for; None where none
        was asked for.
    required : int
        The largest of these.
    events : float
        Patients with the outcome among `required`.
    events_per_parameter : float
        Of those, per parameter.
    """

    shrinkage: int
    optimism: int
    overall_risk: int
    individual_risks: int | None
    required: int
    events: float
    events_per_parameter: float


def development_size(
    parameters: int,
    prevalence: float,
    cox_snell: float,
    shrinkage: float = 0.9,
    mean_error: float | None = None,
) -> DevelopmentSize:
    """Smallest number of patients to develop a model of a binary outcome by regression.

    Networks have no count of parameters in this sense; the numbers are then a lower bound for a
    regression on as many predictors, not enough by themselves.

    Parameters
    ----------
    parameters : int
        Candidate parameters: every coefficient considered, not only those kept.
    prevalence : float
        Share of patients with the outcome.
    cox_snell : float
        Cox-Snell R2 to be expected, corrected for optimism; from a C statistic by
        `cox_snell_from_c`.
    shrinkage : float
        Smallest shrinkage factor accepted.
    mean_error : float, optional
        For criterion 4: mean absolute error of predicted risks that is accepted, .05 say.

    Raises
    ------
    StatisticsError
        No parameters, fractions outside (0, 1), an R2 above what the prevalence allows, or
        criterion 4 with more than 30 parameters.

    References
    ----------
    Riley RD 2019, Stat Med 38:1276-1296, 10.1002/sim.7992 (criteria 1-3). Riley RD 2020, BMJ
    368:m441, 10.1136/bmj.m441 and van Smeden M 2019, Stat Methods Med Res 28:2455-2474,
    10.1177/0962280218784726 (criterion 4).
    """
    if parameters < 1:
        raise StatisticsError(
            f"{parameters} parameters are planned", "at least one parameter", "Count the candidates"
        )
    check_fraction(prevalence, "prevalence")
    check_fraction(shrinkage, "shrinkage factor")
    largest = max_cox_snell(prevalence)
    if not 0 < cox_snell < min(largest, shrinkage):
        raise StatisticsError(
            f"The Cox-Snell R2 is {cox_snell}",
            f"a number between 0 and {min(largest, shrinkage):.4f}, the largest possible at a "
            f"prevalence of {prevalence}",
            "Check whether it is a Nagelkerke R2, which is larger",
        )
    first = _for_shrinkage(parameters, cox_snell, shrinkage)
    second = _for_shrinkage(parameters, cox_snell, cox_snell / (cox_snell + 0.05 * largest))
    third = math.ceil((norm.ppf(0.975) / 0.05) ** 2 * prevalence * (1 - prevalence))
    fourth = None if mean_error is None else _for_risks(parameters, prevalence, mean_error)
    required = max(first, second, third, fourth or 0)
    events = required * prevalence
    return DevelopmentSize(first, second, third, fourth, required, events, events / parameters)


def _for_shrinkage(parameters: int, cox_snell: float, shrinkage: float) -> int:
    return math.ceil(parameters / ((shrinkage - 1) * math.log(1 - cox_snell / shrinkage)))


def _for_risks(parameters: int, prevalence: float, mean_error: float) -> int:
    """Invert van Smeden's equation for the mean absolute prediction error."""
    check_fraction(mean_error, "mean absolute error")
    if parameters > _MOST_PARAMETERS_FOR_MAPE:
        raise StatisticsError(
            f"Criterion 4 was asked for with {parameters} parameters",
            f"at most {_MOST_PARAMETERS_FOR_MAPE}, the range its equation was fitted to",
            "Leave the mean error out",
        )
    rarer = min(prevalence, 1 - prevalence)
    logarithm = (
        -0.508 + 0.259 * math.log(rarer) + 0.504 * math.log(parameters) - math.log(mean_error)
    ) / 0.544
    return math.ceil(math.exp(logarithm))


def max_cox_snell(prevalence: float) -> float:
    """Cox-Snell R2 of a perfect model, which is below 1 for a binary outcome.

    References
    ----------
    Riley RD 2019, Stat Med 38:1276-1296, 10.1002/sim.7992.
    """
    check_fraction(prevalence, "prevalence")
    log_likelihood = xlogy(prevalence, prevalence) + xlogy(1 - prevalence, 1 - prevalence)
    return float(1 - np.exp(2 * log_likelihood))


def cox_snell_from_c(c_statistic: float, prevalence: float) -> float:
    """Cox-Snell R2 of a model whose C statistic is known.

    As Riley does by simulation: the logits of patients with and without the outcome are normal with
    equal variance, and their means lie as far apart as gives the C statistic. A logistic model is
    then exactly right, so its likelihood is integrated here instead of simulated.

    Parameters
    ----------
    c_statistic : float
        Between .5 and 1.
    prevalence : float
        Share of patients with the outcome.

    Raises
    ------
    StatisticsError
        A C statistic of .5 or less or 1 or more, or a prevalence outside (0, 1).

    References
    ----------
    Riley RD, Van Calster B, Collins GS 2021, Stat Med 40:859-864, 10.1002/sim.8806.
    """
    check_fraction(prevalence, "prevalence")
    check_c(c_statistic)
    apart = math.sqrt(2) * float(norm.ppf(c_statistic))
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    weights = weights / weights.sum()
    intercept = math.log(prevalence / (1 - prevalence)) - apart**2 / 2
    with_outcome = intercept + apart * (nodes + apart)
    without = intercept + apart * nodes
    fitted = -prevalence * (weights @ np.logaddexp(0, -with_outcome)) - (1 - prevalence) * (
        weights @ np.logaddexp(0, without)
    )
    empty = xlogy(prevalence, prevalence) + xlogy(1 - prevalence, 1 - prevalence)
    return float(1 - np.exp(2 * (empty - fitted)))
