"""Differential privacy of what a hospital sends: cut to a length, made noisy, and counted.

The unit is a hospital's whole update. Whatever patients it has, what it sends in a round lies
within `Privacy.clip` of the common weights, so that two updates are at most twice that apart, and
Gaussian noise hides which of the two was sent (Dwork & Roth 2014, 10.1561/0400000042, App. A). All
patients of the hospital are within it, one as well as all; its counts are not.

Flower's own wrappers do not fit: its local one takes the classical formula, which holds for epsilon
below 1 and one round, noise of a generator that can be foretold, and one kind of message.
"""

from __future__ import annotations

import hashlib
import math

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtr, ndtri

from hemocast.config import Settings

Floats = NDArray[np.float64]


class Privacy(Settings):
    """How much is hidden.

    Parameters
    ----------
    clip : float
        Longest that an update may be, the root of the sum of squares of all its numbers; a longer
        one is shortened (McMahan 2018, ICLR, arXiv:1710.06963).
    noise : float
        Standard deviation of what is added to each number, in units of `clip`.
    delta : float
        Chance that is left out of account.
    """

    clip: float = Field(gt=0, le=100)
    noise: float = Field(gt=0, le=1e6)
    delta: float = Field(1e-5, gt=0, lt=1)

    @property
    def sd(self) -> float:
        """Standard deviation of the noise."""
        return self.noise * self.clip

    def epsilon(self, releases: int) -> float:
        """Return the epsilon of so many updates of one hospital, at `delta`.

        Each, given those before, is a Gaussian mechanism of ratio ``mu = 2 clip / (noise clip)``;
        k of them are exactly as one of ratio ``mu sqrt(k)`` (Dong, Roth & Su 2022,
        10.1111/rssb.12454, Corollary 3.3), and that one's delta at an epsilon is `delta_at`.

        Parameters
        ----------
        releases : int
            0: nothing was sent, and epsilon is 0.
        """
        ratio = 2 / self.noise * math.sqrt(releases)
        if delta_at(0.0, ratio) <= self.delta:
            return 0.0
        high = ratio * ratio / 2 + ratio * math.sqrt(2 * math.log(1 / self.delta))
        return float(brentq(lambda e: delta_at(e, ratio) - self.delta, 0.0, high, xtol=1e-9))

    def hide(self, update: Floats, secret: bytes) -> Floats:
        """Shorten an update and add noise.

        Parameters
        ----------
        update : ndarray of float64
        secret : bytes
            Known to the hospital alone, and another for every question: the same question is
            answered by the same numbers, which tell no more the second time.
        """
        length = float(np.linalg.norm(update))
        short = update * min(1.0, self.clip / length) if length else update
        return short + self.sd * normal(secret, update.shape)


def delta_at(epsilon: float, ratio: float) -> float:
    """Return the delta of a Gaussian mechanism at an epsilon.

    Balle & Wang 2018, PMLR 80:394-403, Theorem 8.

    Parameters
    ----------
    epsilon : float
    ratio : float
        Sensitivity over standard deviation of the noise.
    """
    if ratio == 0:
        return 0.0
    left, right = ratio / 2 - epsilon / ratio, -ratio / 2 - epsilon / ratio
    return float(ndtr(left) - math.exp(epsilon + log_ndtr(right)))


def normal(secret: bytes, shape: tuple[int, ...]) -> Floats:
    """Draw standard normal numbers that nobody can foretell without the secret (SHAKE-256)."""
    count = math.prod(shape)
    words = np.frombuffer(hashlib.shake_256(secret).digest(8 * count), "<u8")
    return np.asarray(ndtri(((words >> np.uint64(12)) + 0.5) / 2.0**52)).reshape(shape)
