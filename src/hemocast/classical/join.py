"""How two risks become one: three coefficients; where the record gives none, the image's own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hemocast.classical.measurements import Float64Array
from hemocast.classical.odds import expit, finite_logit

EDGE = 1e-6
"""Nearer to 0 and 1 no risk counts as."""


@dataclass(frozen=True)
class Fusion:
    """How two risks become one.

    Parameters
    ----------
    intercept, clinical, image : float
        Log odds, and what each of the two logits is multiplied by.
    """

    intercept: float
    clinical: float
    image: float

    def risk(self, clinical: Float64Array, image: Float64Array) -> Fused:
        """Join the risks of patients, both of shape (n,); NaN where the record gives none."""
        alone = np.isnan(clinical)
        joined = expit(
            self.intercept
            + self.clinical * clipped_logit(np.where(alone, 0.5, clinical))
            + self.image * clipped_logit(image)
        )
        return Fused(np.where(alone, image, joined), alone)


@dataclass(frozen=True, eq=False)
class Fused:
    """Joined risks, and where only the image was there to tell.

    Parameters
    ----------
    risk : ndarray of float64, shape (n,)
    image_alone : ndarray of bool, shape (n,)
    """

    risk: Float64Array
    image_alone: NDArray[np.bool_]


def clipped_logit(risk: Float64Array) -> Float64Array:
    """Give the log odds of risks, none nearer to 0 and 1 than `EDGE`."""
    return finite_logit(risk, EDGE)
