"""The threshold at which a case counts as positive: given, or chosen by a stated rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from hemocast.errors import StatisticsError
from hemocast.stats.cases import Cases
from hemocast.stats.discrimination.roc import RocCurve, roc_curve

Rule = Literal["given", "youden", "sensitivity", "specificity"]

CHOSEN_HERE = (
    "the threshold was chosen on these cases; sensitivity and specificity at it flatter until they "
    "are measured on others"
)


@dataclass(frozen=True)
class ChosenThreshold:
    """A threshold with what it gives on the cases at hand.

    Parameters
    ----------
    threshold : float
        At or above it a case counts as positive.
    rule : {"given", "youden", "sensitivity", "specificity"}
        How it came about.
    sensitivity, specificity : float
        On the cases at hand.
    warning : str or None
        For any rule but "given": that the figures flatter.
    """

    threshold: float
    rule: Rule
    sensitivity: float
    specificity: float
    warning: str | None


def given_threshold(cases: Cases, threshold: float) -> ChosenThreshold:
    """Report a threshold that was fixed beforehand.

    Parameters
    ----------
    cases : Cases
        Of one rater.
    threshold : float
        On the score's scale.

    Raises
    ------
    StatisticsError
        Only one class is present, or the threshold is not finite.
    """
    curve = roc_curve(cases)
    if not np.isfinite(threshold):
        raise StatisticsError(f"The threshold is {threshold}", "a finite number", "Correct it")
    reached = int(np.searchsorted(-curve.threshold, -threshold, side="right")) - 1
    return ChosenThreshold(
        float(threshold), "given", float(curve.tpr[reached]), float(1 - curve.fpr[reached]), None
    )


def choose_threshold(
    cases: Cases,
    rule: Literal["youden", "sensitivity", "specificity"],
    target: float | None = None,
) -> ChosenThreshold:
    """Choose the threshold on these cases: training or validation cases, not those of the test.

    Parameters
    ----------
    cases : Cases
        Of one rater.
    rule : {"youden", "sensitivity", "specificity"}
        The largest sensitivity + specificity; the largest specificity with a sensitivity of at
        least `target`; or the largest sensitivity with a specificity of at least `target`. Of equal
        thresholds the highest is taken (fewest called positive), as is the observed score.
    target : float, optional
        A fraction in (0, 1], for the last two rules.

    Raises
    ------
    StatisticsError
        Only one class is present; a target that is missing, superfluous or outside (0, 1]; no
        threshold that calls any case positive reaches the specificity.

    References
    ----------
    Youden WJ 1950, Cancer 3:32-35. Optimism of a threshold chosen on the cases it is measured on:
    Leeflang MMG 2008, Clin Chem 54:729-737, 10.1373/clinchem.2007.096032.
    """
    curve = roc_curve(cases)
    if (rule == "youden") != (target is None) or not (target is None or 0 < target <= 1):
        raise StatisticsError(
            f"The rule {rule!r} was given the target {target}",
            "a fraction above 0 for a fixed sensitivity or specificity, and none for Youden",
            "Give the sensitivity or specificity to reach",
        )
    at = _choose(curve, rule, target)
    return ChosenThreshold(
        float(curve.threshold[at]),
        rule,
        float(curve.tpr[at]),
        float(1 - curve.fpr[at]),
        CHOSEN_HERE,
    )


def _choose(curve: RocCurve, rule: str, target: float | None) -> int:
    """Place on the curve, 1 or higher: place 0 calls nothing positive."""
    if target is None:
        return 1 + int(np.argmax((curve.tpr - curve.fpr)[1:]))
    if rule == "sensitivity":
        return max(1, int(np.argmax(curve.tpr >= target - 1e-12)))
    enough = np.flatnonzero(1 - curve.fpr >= target - 1e-12)[1:]
    if enough.size == 0:
        raise StatisticsError(
            f"No threshold calls a case positive and keeps a specificity of {target}",
            "a specificity that the scores can reach",
            "Ask for a lower specificity",
        )
    return int(enough[np.argmax(curve.tpr[enough])])
