"""Log odds and risks by SciPy, which is loaded when first asked: to read a model needs neither."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hemocast.classical.measurements import Float64Array

EDGE = 1e-9
"""Nearer to 0 and 1 no risk counts as, unless said otherwise."""


def expit(log_odds: ArrayLike) -> Float64Array:
    """Return the risks of log odds."""
    from scipy import special

    return np.asarray(special.expit(log_odds), np.float64)


def finite_logit(risk: ArrayLike, edge: float = EDGE) -> Float64Array:
    """Return the log odds of risks, none nearer to 0 and 1 than `edge`."""
    return logit(np.clip(risk, edge, 1 - edge))


def logit(risk: ArrayLike) -> Float64Array:
    """Return the log odds of risks; of 0 and 1 they are infinite."""
    from scipy import special

    return np.asarray(special.logit(risk), np.float64)
