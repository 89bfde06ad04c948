"""Log odds and risks by SciPy, which is loaded when first asked: to read a model needs neither."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hemocast.classical.measurements import Float64Array

_EDGE = 1e-9


def expit(log_odds: ArrayLike) -> Float64Array:
    """Return the risks of log odds."""
    from scipy import special

    return np.asarray(special.expit(log_odds), np.float64)


def finite_logit(risk: ArrayLike) -> Float64Array:
    """Return the log odds of risks; 0 and 1 count as 1e-9 away from themselves."""
    return logit(np.clip(risk, _EDGE, 1 - _EDGE))


def logit(risk: ArrayLike) -> Float64Array:
    """Return the log odds of risks; of 0 and 1 they are infinite."""
    from scipy import special

    return np.asarray(special.logit(risk), np.float64)
