"""A population whose every statistic is known, and samples from it: for the coverage study."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import norm

from hemocast.stats.metrics import COUNT_METRICS, from_counts

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Population:
    """Two normal classes of equal variance, and probabilities that are exactly right.

    Parameters
    ----------
    prevalence, area : float
        Share with the outcome, and the score's true AUC.
    """

    prevalence: float
    area: float

    @property
    def gap(self) -> float:
        """Distance of the two means in standard deviations."""
        return float(np.sqrt(2) * norm.ppf(self.area))

    def draw(self, rng: np.random.Generator, n: int) -> tuple[NDArray[np.bool_], Floats]:
        """Draw n outcomes and their true probabilities."""
        label = rng.random(n) < self.prevalence
        return label, self.probability(rng.normal(self.gap * label, 1))

    def probability(self, score: Floats) -> Floats:
        """Bayes' theorem for a score."""
        prior = np.log(self.prevalence / (1 - self.prevalence))
        return np.asarray(expit(prior + self.gap * score - self.gap**2 / 2))

    def truth(self) -> dict[str, float]:
        """Every metric with the prevalence as threshold, where sensitivity equals specificity."""
        right = float(norm.cdf(self.gap / 2))
        share = self.prevalence
        cells = (share * right, (1 - share) * (1 - right), (1 - share) * right, share * (1 - right))
        values = {
            name: float(value)
            for name, value in zip(COUNT_METRICS, from_counts(*cells), strict=True)
        }
        score = np.linspace(-9, 9 + self.gap, 40_001)
        step = score[1] - score[0]
        with_it, without = norm.pdf(score - self.gap), norm.pdf(score)
        chance = self.probability(score)
        density = share * with_it + (1 - share) * without
        values["brier"] = float((density * chance * (1 - chance)).sum() * step)
        values["scaled_brier"] = 1 - values["brier"] / (share * (1 - share))
        found, alarms = share * norm.sf(score - self.gap), (1 - share) * norm.sf(score)
        values["average_precision"] = float((with_it * found / (found + alarms)).sum() * step)
        values["auc"] = self.area
        values["net_benefit"] = cells[0] - cells[1] * share / (1 - share)
        return values


def kappa_truth(prevalence: float, right: float) -> tuple[float, float]:
    """Kappa and AC1 of raters who are right with one chance each, independently given the outcome.

    All raters alike, so Cohen's and Fleiss' kappa are one number.
    """
    yes = prevalence * right + (1 - prevalence) * (1 - right)
    alike = right**2 + (1 - right) ** 2
    chance = yes**2 + (1 - yes) ** 2
    return (alike - chance) / (1 - chance), (alike - 2 * yes * (1 - yes)) / (
        1 - 2 * yes * (1 - yes)
    )
