"""How numbers and notices are put into words, the same on every page and picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hemocast.stats import Estimate

RESEARCH_NOTICE = "For research only. Not a medical device."

INTERVAL_KIND = (
    "95 % interval of the calibration curve: of the mean risk of all patients with this score, not "
    "of this patient's own"
)
"""What the interval beside a probability is, wherever it stands."""

LABEL_SETS: dict[tuple[int, ...] | None, str] = {
    None: "not given: the model holds no numbers for it",
    (0,): "no HT: the scan's score is too low for nearly all patients with HT",
    (1,): "HT: the scan's score is too high for nearly all patients without HT",
    (0, 1): "not decided: both outcomes stay possible",
}
"""What a set of labels says, 0 no HT and 1 HT."""

METRIC_TITLES = {
    "accuracy": "Accuracy",
    "sensitivity": "Sensitivity",
    "ppv": "PPV",
    "specificity": "Specificity",
    "f1": "F1",
    "auc": "AUC",
    "auc_one_point": "One-point AUC",
    "npv": "NPV",
    "balanced_accuracy": "Balanced accuracy",
    "macro_f1": "Macro-F1",
    "brier": "Brier score",
    "lr_positive": "Likelihood ratio, positive",
    "lr_negative": "Likelihood ratio, negative",
    "mcc": "Matthews correlation",
    "average_precision": "Average precision",
    "scaled_brier": "Scaled Brier score",
    "mean_predicted_risk": "Mean predicted risk",
    "observed_expected": "Observed / expected",
    "calibration_in_the_large": "Calibration in the large",
    "calibration_slope": "Calibration slope",
    "calibration_line": "Calibration line",
    "ici": "ICI",
    "e50": "E50",
    "e90": "E90",
    "emax": "Emax",
}
"""What a metric is called wherever it is shown."""

UNOBSERVED_REASONS = {
    "no_later_scan": "no later scan",
    "death": "death before a later scan",
    "lost": "lost to follow-up",
}
"""Why an outcome was never observed."""


def percent(share: float) -> str:
    """Say a probability in whole percent, never as a certainty: "<1 %" and ">99 %" at the ends.

    Parameters
    ----------
    share : float
        In [0, 1]; exactly 0 and 1 are said as they are.
    """
    if 0 < share < 0.01:
        return "<1 %"
    if 0.99 < share < 1:
        return ">99 %"
    return f"{100 * share:.0f} %"


def of_hundred(share: float) -> str:
    """Say a probability as a number of 100 patients."""
    if share < 0.01:
        return "fewer than 1"
    if share > 0.99:
        return "more than 99"
    return f"about {100 * share:.0f}"


def estimate(value: Estimate) -> str:
    """Say an estimate with its interval, "0.870 (0.790 to 0.930)", or that there is none."""
    return _with_limits(value, 1, 3)


def percent_estimate(value: Estimate) -> str:
    """Say a share with its interval in percent, "87.0 (79.0 to 93.0)", or that there is none."""
    return _with_limits(value, 100, 1)


def _with_limits(value: Estimate, scale: float, digits: int) -> str:
    if math.isnan(value.value):
        return "undefined"
    low, middle, high = (
        f"{scale * number:.{digits}f}" for number in (value.ci_low, value.value, value.ci_high)
    )
    return f"{middle} (no interval)" if math.isnan(value.ci_low) else f"{middle} ({low} to {high})"


def formatted(form: str, *values: object) -> str:
    """Fill a form such as "%+.3f", with minus signs as print has them and not hyphens."""
    return (form % values).replace("-", "\N{MINUS SIGN}")


def signed(value: float, digits: int) -> str:
    """Say a number with its sign."""
    return formatted(f"%+.{digits}f", value)


def number(value: float, digits: int) -> str:
    """Say a number that may be infinite."""
    return "infinite" if math.isinf(value) else formatted(f"%.{digits}f", value)


def limits(low: float, high: float, digits: int) -> str:
    """Say a range: "0.61 to 0.75"."""
    return f"{number(low, digits)} to {number(high, digits)}"


def sentence(text: str) -> str:
    """Begin with a capital letter, end with a full stop; "" stays ""."""
    text = text.strip()
    if not text:
        return ""
    text = text[0].upper() + text[1:]
    return closed(text)


def closed(text: str) -> str:
    """End with a full stop; "" stays "". A notice must read everywhere as the model gives it."""
    text = text.strip()
    return text if not text or text[-1] in ".!?" else text + "."


def stamp(notice: str) -> str:
    """Return the line that stands on every picture: the model's own notice, then the general."""
    return " ".join(part for part in (closed(notice), RESEARCH_NOTICE) if part)
