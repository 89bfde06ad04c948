"""How numbers and notices are put into words, the same on every page and picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hemocast.stats import Estimate

RESEARCH_NOTICE = "For research only. Not a medical device."


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
    """Say an estimate with its interval, "0.87 (0.79 to 0.93)", or that there is none."""
    if math.isnan(value.value):
        return "undefined"
    if math.isnan(value.ci_low):
        return f"{value.value:.3f} (no interval)"
    return f"{value.value:.3f} ({value.ci_low:.3f} to {value.ci_high:.3f})"


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
